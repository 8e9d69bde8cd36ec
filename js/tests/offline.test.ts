import { describe, expect, test, vi } from "vitest";
import { floatsOf } from "../protocol/bytes.ts";
import type { PictureRecord } from "../protocol/messages.ts";
import type { LayerRecord } from "../protocol/records.ts";
import { Lens } from "../state/lens.ts";
import { fixture } from "./fake-host.ts";
import { PlayedSchedule } from "./play.ts";

/** A page without a kernel: its model has a state, and sending has no effect. */
function page() {
  const { model, python } = fixture();
  model.deliver = () => {
    throw new Error("no comm");
  };
  const schedule = new PlayedSchedule();
  const lens = new Lens(model.afm, schedule);
  schedule.repaint();
  return { lens, model, schedule, python };
}

const uids = (lens: Lens) => lens.filters.value.map(({ uid }) => uid);
const kernelOf = (lens: Lens, index: number) => [...(lens.filters.value[index]?.kernel.value ?? [])];

describe("without a kernel", () => {
  test("the page says so and shows what was saved", () => {
    const { lens } = page();
    expect(lens.link.value).toBe("offline");
    expect(lens.filters.value[0]?.map.value.provenance).toBe("keras");
  });

  test("edits are drawn by the preview, and undo brings Keras's map back", () => {
    const { lens, schedule } = page();
    const [filter] = lens.filters.value;
    lens.edit([{ uid: 1, taps: { index: [0], value: [4] } }]);
    schedule.repaint();
    expect(filter?.map.value.provenance).toBe("preview");
    expect(lens.history.value).toEqual({ undo: 1, redo: 0 });
    lens.undo();
    schedule.repaint();
    expect(filter?.kernel.value[0]).toBe(-1);
    expect(filter?.map.value.provenance).toBe("keras");
    expect(lens.history.value).toEqual({ undo: 0, redo: 1 });
    lens.redo();
    schedule.repaint();
    expect(filter?.kernel.value[0]).toBe(4);
  });

  test("a drag is one step", () => {
    const { lens } = page();
    lens.beginGesture();
    for (let value = 0; value < 9; value++) lens.edit([{ uid: 1, taps: { index: [0], value: [value] } }]);
    lens.endGesture();
    lens.edit([{ uid: 1, bias: 1 }]);
    expect(lens.history.value.undo).toBe(2);
  });

  test("filters are added, moved, renamed and removed, and every step can be undone", () => {
    const { lens, schedule } = page();
    lens.add(new Float32Array(16).fill(0.5), null, 0);
    schedule.repaint();
    expect(lens.names.value[0]).toBe("Filter 5");
    expect(kernelOf(lens, 0)).toEqual(new Array(16).fill(0.5));
    expect(lens.filters.value[0]?.map.value.provenance).toBe("preview");
    lens.move(1, 4);
    lens.rename(1, "edge");
    lens.remove(2);
    expect(uids(lens)).toEqual([5, 3, 4, 1]);
    expect(lens.names.value).toEqual(["Filter 5", "Filter 3", "Filter 4", "edge"]);
    for (let step = 0; step < 4; step++) lens.undo();
    expect(uids(lens)).toEqual([1, 2, 3, 4]);
    expect(lens.names.value).toEqual(["Filter 1", "Filter 2", "Filter 3", "Filter 4"]);
    lens.redo();
    lens.reset();
    expect(uids(lens)).toEqual([1, 2, 3, 4]);
  });

  test("kernels of another size and another stride change the layer, and back", () => {
    const { lens, schedule } = page();
    lens.replace(
      uids(lens),
      [3, 3, 1],
      uids(lens).map(() => new Float32Array(9).fill(1 / 9)),
    );
    lens.configure({ strides: 2 });
    schedule.repaint();
    expect(lens.geometry.value).toMatchObject({ kernel_size: [3, 3], output_shape: [11, 15] });
    expect(lens.filters.value[0]?.map.value).toMatchObject({ provenance: "preview", rows: 11, cols: 15 });
    lens.undo();
    lens.undo();
    expect(lens.geometry.value).toMatchObject({ kernel_size: [4, 4], output_shape: [21, 29] });
    expect(kernelOf(lens, 0).slice(0, 4)).toEqual([-1, -1, 1, 1]);
  });

  test("what cannot be done says why", () => {
    const { lens } = page();
    lens.replace(
      uids(lens),
      [25, 3, 1],
      uids(lens).map(() => new Float32Array(75)),
    );
    expect(lens.problem.value?.text).toMatch(/25×3 kernel does not fit/);
    lens.configure({ activation: "tanh" });
    expect(lens.problem.value?.text).toMatch(/needs Keras/);
    lens.setImage([1, 1, 1], new Uint8Array(1));
    expect(lens.problem.value?.text).toMatch(/running kernel/);
    for (const uid of uids(lens)) lens.remove(uid);
    expect(uids(lens)).toHaveLength(1);
    expect(lens.problem.value?.text).toMatch(/last filter/);
    lens.dismissProblem();
    expect(lens.problem.value).toBeNull();
  });

  test("settings work, with the colour maps that came with the page", () => {
    const { lens, schedule } = page();
    lens.set("stage", "pre_activation");
    lens.select(2);
    lens.pin([3, 4]);
    lens.set("cmap", "copper");
    lens.set("cmap", "viridis");
    schedule.repaint();
    expect(lens.selected.value).toBe(2);
    expect(lens.pixel.value).toEqual([3, 4]);
    expect(lens.cmap.value).toBe("copper");
    expect(lens.filters.value[0]?.map.value.provenance).toBe("preview");
  });
});

describe("a kernel that comes back", () => {
  test("is told what was edited meanwhile", () => {
    const { python, model } = fixture();
    const { deliver } = model;
    const schedule = new PlayedSchedule();
    const lens = new Lens(model.afm, schedule);
    python.pump();
    model.trigger("comm:close");
    expect(lens.link.value).toBe("offline");
    lens.edit([{ uid: 1, taps: { index: [0], value: [6] } }]);
    model.deliver = deliver;
    python.announce();
    python.pump();
    schedule.repaint();
    expect(lens.link.value).toBe("idle");
    expect(python.filters[0]?.kernel[0]).toBe(6);
    expect(lens.filters.value[0]?.map.value.provenance).toBe("keras");
  });

  test("brings its own list where the list was changed without it", () => {
    const { python, model } = fixture();
    const schedule = new PlayedSchedule();
    const lens = new Lens(model.afm, schedule);
    python.pump();
    model.trigger("comm:close");
    lens.remove(1);
    python.announce();
    python.pump();
    schedule.repaint();
    expect(uids(lens)).toEqual([1, 2, 3, 4]);
    expect(lens.filters.value[0]?.map.value.provenance).toBe("keras");
  });
});

describe("answers that were saved with a page", () => {
  const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const taps = (value: number) => new Array<number>(64).fill(value);
  const epoch = (step: number) => ({ epoch: step, step, loss: null });

  /** A lens inside a model: three snapshots, of which the second is what was saved, a prediction and a survey's images. */
  function answered() {
    const layer = { path: "conv", class_name: "Conv2D", filters: 4 } as LayerRecord;
    const { model } = fixture({ layers: [layer] });
    const shown = model.get("_filters").filters.flatMap(({ kernel }) => [...floatsOf(kernel)]);
    const best = { filter: 2, rank: 0, image: "7", value: 2.5, pixel: [1, 2], picture: bytes(0) };
    Object.assign(model.traits, {
      _training: { running: false, snapshots: [0, 1, 2].map(epoch), shown: 1 },
      _survey: { version: 1, layers: ["conv"], images: 20 },
      _saved: {
        input: null,
        outputs: [],
        predictions: { before: bytes(0.25, 0.75), after: bytes(0.5, 0.5) },
        snapshots: [
          { kernels: bytes(...taps(1)), bias: bytes(1, 2, 3, 4) },
          { kernels: bytes(...shown), bias: bytes(0, 0, 0, 0) },
          { kernels: bytes(...taps(3)), bias: bytes(0, 0, 0, 0) },
        ],
        excited: [{ uid: 3, original: bytes(...shown.slice(32, 48)), bias: 0, current: true, best: [best] }],
        held: "In this page: a thing.",
        left_out: "Not in this page: a word.",
      },
    });
    model.deliver = () => {
      throw new Error("no comm");
    };
    const schedule = new PlayedSchedule();
    const lens = new Lens(model.afm, schedule);
    schedule.repaint();
    return { lens, schedule };
  }

  test("the prediction is of the saved weights, and said to be of others after an edit until it is undone", () => {
    const { lens } = answered();
    const now = () => lens.network.predictions.value;
    expect(now()).toMatchObject({ state: "saved", error: null });
    expect([...(now().before ?? [])]).toEqual([0.25, 0.75]);
    expect([...(now().after ?? [])]).toEqual([0.5, 0.5]);
    lens.edit([{ uid: 1, bias: 1 }]);
    expect(now().state).toBe("outdated");
    expect([...(now().after ?? [])]).toEqual([0.5, 0.5]);
    lens.undo();
    expect(now().state).toBe("saved");
  });

  test("the slider goes through the snapshots as one step, and tells what is shown", () => {
    const { lens } = answered();
    const { network } = lens;
    expect(network.training.value?.shown).toBe(1);
    network.scrub(2);
    network.scrub(0);
    expect(lens.filters.value.map(({ bias }) => bias.value)).toEqual([1, 2, 3, 4]);
    expect(kernelOf(lens, 3)).toEqual(new Array(16).fill(1));
    expect(network.training.value?.shown).toBe(0);
    expect(network.predictions.value.state).toBe("outdated");
    lens.edit([{ uid: 1, bias: 0.5 }]);
    expect(network.training.value?.shown).toBeNull();
    lens.undo();
    expect(network.training.value?.shown).toBe(0);
    expect(lens.history.value).toEqual({ undo: 1, redo: 1 });
    lens.undo();
    expect(network.training.value?.shown).toBe(1);
    expect(network.predictions.value.state).toBe("saved");
    network.scrub(1);
    network.scrub(9);
    expect(lens.problem.value?.text).toMatch(/running kernel/);
  });

  test("the images of a survey are there, and of a filter that was left out that it takes Python", async () => {
    const { lens } = answered();
    const { interpretation } = lens;
    expect([interpretation.excited(3), interpretation.excited(1)]).toEqual([null, null]);
    await vi.waitFor(() => expect(interpretation.excited(1)).toBeInstanceOf(Error));
    expect(interpretation.excited(3)).toMatchObject({ best: [{ image: "7", value: 2.5, pixel: [1, 2] }] });
    expect(lens.leftOut).toBe("In this page: a thing. Not in this page: a word.");
  });

  test("edits of a layer inside a model are previewed from its input, and pixels are read from it", () => {
    const layer = { path: "conv", class_name: "Conv2D", filters: 4 } as LayerRecord;
    const page = (input: Uint8Array | null) => {
      const { model } = fixture({ layers: [layer] });
      const [rows, cols] = model.get("_state").geometry.input_shape;
      const saved = {
        input,
        predictions: null,
        outputs: [],
        snapshots: [],
        excited: [],
        held: "",
        left_out: "",
      };
      Object.assign(model.traits, { _saved: saved });
      model.deliver = () => {
        throw new Error("no comm");
      };
      const schedule = new PlayedSchedule();
      const lens = new Lens(model.afm, schedule);
      schedule.repaint();
      const uid = lens.filters.value[0]?.uid ?? 0;
      // Kernel and bias such that a pixel is half of the input under the kernel's first tap, plus 1.
      const taps = { index: [...Array(16).keys()], value: [0.5, ...new Array<number>(15).fill(0)] };
      lens.edit([{ uid, taps, bias: 1 }]);
      schedule.repaint();
      return { lens, uid, rows, cols };
    };
    const empty = page(null);
    expect(empty.lens.filters.value[0]?.map.value.provenance).toBe("stale");
    const { rows, cols } = empty;
    const { lens, uid } = page(bytes(...Array.from({ length: rows * cols }, (_, i) => i)));
    expect(lens.filters.value[0]?.map.value.provenance).toBe("preview");
    expect(lens.valueAt(uid, 2, 3)).toMatchObject({ activation: (2 * cols + 3) / 2 + 1, exact: false });
    expect(lens.patchAt(uid, 2, 3)).toMatchObject({ rows: [2, 3, 4, 5], cols: [3, 4, 5, 6] });
    expect((lens.patchAt(uid, 2, 3) as { values: Float32Array }).values[5]).toBe(3 * cols + 4);
    const last = rows * cols - 1;
    const plane = lens.inputPlane(0) as PictureRecord;
    expect(plane).toMatchObject({ shape: [rows, cols], range: [0, last], flags: null });
    // Matplotlib's index: as many 256ths of the range as there are whole ones below the value.
    expect((plane.levels as Uint8Array)[cols]).toBe(Math.floor((cols / last) * 256));
    expect((plane.levels as Uint8Array)[last]).toBe(255);
  });
});
