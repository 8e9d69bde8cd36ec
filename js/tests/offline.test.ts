import { describe, expect, test } from "vitest";
import { Lens } from "../model/store.ts";
import { fixture } from "./fake-host.ts";
import { PlayedSchedule } from "./play.ts";

/** A page without a kernel: its model has a state, and sending leads nowhere. */
function page() {
  const { model, kernel } = fixture();
  model.deliver = () => {
    throw new Error("no comm");
  };
  const schedule = new PlayedSchedule();
  const lens = new Lens(model.afm, schedule);
  schedule.repaint();
  return { lens, model, schedule, kernel };
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
    expect(lens.problem.value?.text).toMatch(/takes Keras/);
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
    lens.setStage("pre_activation");
    lens.select(2);
    lens.pin([3, 4]);
    lens.setCmap("copper");
    lens.setCmap("viridis");
    schedule.repaint();
    expect(lens.selected.value).toBe(2);
    expect(lens.pixel.value).toEqual([3, 4]);
    expect(lens.cmap.value).toBe("copper");
    expect(lens.filters.value[0]?.map.value.provenance).toBe("preview");
  });
});

describe("a kernel that comes back", () => {
  test("is told what was edited meanwhile", () => {
    const { kernel, model } = fixture();
    const { deliver } = model;
    const schedule = new PlayedSchedule();
    const lens = new Lens(model.afm, schedule);
    kernel.pump();
    model.trigger("comm:close");
    expect(lens.link.value).toBe("offline");
    lens.edit([{ uid: 1, taps: { index: [0], value: [6] } }]);
    model.deliver = deliver;
    kernel.announce();
    kernel.pump();
    schedule.repaint();
    expect(lens.link.value).toBe("idle");
    expect(kernel.filters[0]?.kernel[0]).toBe(6);
    expect(lens.filters.value[0]?.map.value.provenance).toBe("keras");
  });

  test("brings its own list where the list was changed without it", () => {
    const { kernel, model } = fixture();
    const schedule = new PlayedSchedule();
    const lens = new Lens(model.afm, schedule);
    kernel.pump();
    model.trigger("comm:close");
    lens.remove(1);
    kernel.announce();
    kernel.pump();
    schedule.repaint();
    expect(uids(lens)).toEqual([1, 2, 3, 4]);
    expect(lens.filters.value[0]?.map.value.provenance).toBe("keras");
  });
});
