import { effect } from "@preact/signals";
import { describe, expect, test, vi } from "vitest";
import type { FilterView } from "../model/lens.ts";
import { bytesOf } from "../model/wire.ts";
import { type Played, played } from "./play.ts";
import { activateSlowly, correlateSlowly } from "./reference.ts";

function first({ lens }: Played): FilterView {
  const [filter] = lens.filters.value;
  if (!filter) throw new Error("a lens has filters");
  return filter;
}

/** What the map must hold: the kernel's own slow correlation of what the browser shows. */
function expected({ lens, model }: Played, filter: FilterView): Float32Array {
  const { scale, data } = model.get("_image");
  const image = Float32Array.from(bytesOf(data), (b) => Math.fround(b * scale));
  const { geometry } = lens;
  return correlateSlowly(geometry.value, image, filter.kernel.value, filter.bias.value, filter.firstChannel);
}

function expectPreview(play: Played, filter: FilterView): void {
  const { preview, provenance, range } = filter.map.value;
  expect(provenance).toBe("preview");
  const pre = expected(play, filter);
  preview?.values.forEach((v, i) => void expect(v).toBeCloseTo(pre[i] as number, 5));
  const drawn = activateSlowly(pre, play.lens.geometry.value.activation);
  expect(range[0]).toBeCloseTo(Math.min(...drawn), 5);
  expect(range[1]).toBeCloseTo(Math.max(...drawn), 5);
}

describe("an edit", () => {
  test("shows in the kernel and in a predicted map at once, without the kernel's help", () => {
    const play = played();
    const filter = first(play);
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: [2.5] } }]);
    expect(filter.kernel.value[5]).toBe(2.5);
    expectPreview(play, filter);
  });

  test("is confirmed by Keras's map, and counts as one step of the history", () => {
    const play = played();
    const filter = first(play);
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: [2.5] }, bias: 0.5 }]);
    play.kernel.pump();
    play.schedule.repaint();
    expect(filter.map.value.provenance).toBe("keras");
    expect(filter.bias.value).toBe(0.5);
    expect(play.kernel.filters[0]?.kernel).toEqual(filter.kernel.value);
    expect(play.lens.history.value).toEqual({ undo: 1, redo: 0 });
    expect(play.lens.problem.value).toBeNull();
  });

  test("of many events between two repaints is one repaint, with all of them in it", () => {
    const play = played();
    const filter = first(play);
    const seen: number[] = [];
    const stop = effect(() => void seen.push(filter.map.value.version));
    for (let value = 0; value < 20; value++) {
      play.lens.edit([{ uid: filter.uid, taps: { index: [0], value: [value] } }]);
    }
    play.schedule.repaint();
    stop();
    // As it was, the first event at once, all others together before the repaint.
    expect(seen).toHaveLength(3);
    expect(filter.kernel.value[0]).toBe(19);
    expectPreview(play, filter);
  });

  test("answered while a newer one is under way does not bring the old kernel or map back", () => {
    const play = played();
    const filter = first(play);
    play.lens.edit([{ uid: filter.uid, taps: { index: [0], value: [1] } }]);
    play.lens.edit([{ uid: filter.uid, taps: { index: [0], value: [2] } }]);
    play.kernel.step();
    play.schedule.repaint();
    expect(filter.kernel.value[0]).toBe(2);
    expectPreview(play, filter);
    play.kernel.pump();
    play.schedule.repaint();
    expect(filter.kernel.value[0]).toBe(2);
    expect(filter.map.value.provenance).toBe("keras");
  });

  test("meets a change of another tap from Python: both hold", () => {
    const play = played();
    const filter = first(play);
    play.lens.edit([{ uid: filter.uid, taps: { index: [0], value: [9] } }]);
    const [one, ...rest] = play.kernel.filters;
    if (!one) throw new Error("no filter");
    const kernel = one.kernel.slice();
    kernel[7] = 8;
    play.kernel.assign([{ ...one, kernel }, ...rest]);
    play.schedule.repaint();
    expect([filter.kernel.value[0], filter.kernel.value[7]]).toEqual([9, 8]);
    play.kernel.pump();
    play.schedule.repaint();
    expect([filter.kernel.value[0], filter.kernel.value[7]]).toEqual([9, 8]);
    expect(play.kernel.filters[0]?.kernel).toEqual(filter.kernel.value);
  });

  test("that Python refuses is taken back and the reason shown", () => {
    const play = played();
    const filter = first(play);
    play.kernel.onRequest = () => {
      const { client, seq } = play.kernel.waiting.splice(0)[0]?.content ?? {};
      const history = { undo: 0, redo: 0 };
      const error = { title: "Refused", text: "no bias here" };
      play.model.receive(
        { type: "answer", client, seq, ok: false, error, generation: 1, history, filters: [], serial: 2 },
        [],
      );
    };
    play.lens.edit([{ uid: filter.uid, bias: 3 }]);
    play.schedule.repaint();
    expect(filter.bias.value).toBe(0);
    expect(play.lens.problem.value).toMatchObject({ title: "Refused", text: "no bias here" });
    expect(filter.map.value.provenance).toBe("keras");
    play.lens.dismissProblem();
    expect(play.lens.problem.value).toBeNull();
  });

  test("of a tap outside the kernel or of a filter that is gone never leaves the browser", () => {
    const play = played();
    const sent = play.model.sent.length;
    play.lens.edit([{ uid: first(play).uid, taps: { index: [16], value: [1] } }]);
    play.lens.edit([{ uid: 999, bias: 1 }]);
    expect(play.model.sent.length).toBe(sent);
  });

  test("to an infinite tap and back gives the numbers again", () => {
    const play = played();
    const filter = first(play);
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: ["Infinity"] } }]);
    play.schedule.repaint();
    expect(filter.map.value.counts.posinf).toBeGreaterThan(0);
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: [0.25] } }]);
    play.schedule.repaint();
    expectPreview(play, filter);
    play.kernel.pump();
    expect(play.lens.problem.value).toBeNull();
  });

  test("where the layer has an activation the browser does not know leaves Keras's map, marked stale, until the answer", () => {
    const play = played({ settings: { previewable: false } });
    const filter = first(play);
    const { keras } = filter.map.value;
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: [2.5] } }]);
    expect(filter.map.value).toMatchObject({ provenance: "stale", keras });
    play.kernel.pump();
    play.schedule.repaint();
    expect(filter.map.value.provenance).toBe("keras");
  });
});

describe("before Keras has loaded", () => {
  test("every map is a preview; Keras's maps follow when they come", () => {
    const play = played({ ready: false });
    for (const filter of play.lens.filters.value) expectPreview(play, filter);
    play.kernel.ready = true;
    play.kernel.announce();
    play.schedule.repaint();
    for (const filter of play.lens.filters.value) expect(filter.map.value.provenance).toBe("keras");
    expect(play.lens.problem.value).toBeNull();
  });
});

describe("Keras contradicting the preview", () => {
  test("is said and logged, and that filter is not predicted any more", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const play = played();
    const filter = first(play);
    vi.spyOn(play.kernel, "map").mockImplementation((uid) => {
      vi.restoreAllMocks();
      warn.mockImplementation(() => {});
      const map = play.kernel.map(uid);
      return { ...map, range: [map.range[0], map.range[1] * 1.5] };
    });
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: [2.5] } }]);
    play.kernel.pump();
    play.schedule.repaint();
    expect(play.lens.problem.value?.title).toBe("Preview and Keras disagree");
    expect(filter.map.value.provenance).toBe("keras");
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: [1] } }]);
    play.schedule.repaint();
    expect(filter.map.value.provenance).toBe("stale");
  });
});

describe("comparing", () => {
  test("shows kernels and maps as they were before the last gesture, and nothing of it stays", () => {
    const play = played();
    const filter = first(play);
    const before = { kernel: filter.kernel.value, map: filter.map.value.keras };
    play.lens.beginGesture();
    for (const value of [3, 4, 5])
      play.lens.edit([{ uid: filter.uid, taps: { index: [0], value: [value] } }]);
    play.lens.endGesture();
    play.schedule.repaint();
    const after = filter.kernel.value;

    play.lens.comparing.value = true;
    play.schedule.repaint();
    expect(filter.kernel.value).toEqual(before.kernel);
    expect(filter.map.value.keras).toBe(before.map);
    play.lens.comparing.value = false;
    play.schedule.repaint();
    expect(filter.kernel.value).toEqual(after);
    expectPreview(play, filter);
    play.kernel.pump();
    expect(play.kernel.history.undo).toBe(1);
  });
});

describe("the stage", () => {
  test("changes at once by the preview, then by Keras's map of it", () => {
    const play = played();
    const filter = first(play);
    play.lens.setStage("pre_activation");
    play.schedule.repaint();
    expect(filter.map.value).toMatchObject({ provenance: "preview", preview: { activation: null } });
    expect(filter.map.value.range[0]).toBeLessThan(0);
    play.kernel.pump();
    play.schedule.repaint();
    expect(filter.map.value).toMatchObject({ provenance: "keras", keras: { stage: "pre_activation" } });
  });
});

describe("values at a pixel", () => {
  test("are the preview's until Keras has said its own, and Keras is asked once", () => {
    const play = played();
    const filter = first(play);
    const seen: unknown[] = [];
    const stop = effect(() => void seen.push(play.lens.valueAt(filter.uid, 3, 4)?.exact));
    return Promise.resolve().then(() => {
      play.kernel.pump();
      stop();
      const pre = expected(play, filter)[3 * play.lens.geometry.value.output_shape[1] + 4];
      expect([...new Set(seen)]).toEqual([false, true]);
      expect(play.lens.valueAt(filter.uid, 3, 4)?.pre_activation).toBeCloseTo(pre as number, 6);
      const probes = play.model.sent.filter(({ content }) => content.type === "probe");
      expect(probes).toHaveLength(1);
    });
  });

  test("outside the map are none", () => {
    const play = played();
    expect(play.lens.valueAt(first(play).uid, -1, 0)).toBeNull();
    expect(play.lens.valueAt(first(play).uid, 0, 9999)).toBeNull();
  });
});

describe("structure", () => {
  test("adding, removing, moving, renaming, undo, redo and reset follow the kernel", () => {
    const play = played();
    const { lens, kernel, schedule } = play;
    const uids = () => lens.filters.value.map(({ uid }) => uid);
    const settle = () => {
      kernel.pump();
      schedule.repaint();
    };
    lens.add(new Float32Array(16).fill(0.1), "blur", 1);
    settle();
    expect(lens.names.value).toEqual(["Filter 1", "blur", "Filter 2", "Filter 3", "Filter 4"]);
    expect(lens.filters.value[1]?.map.value.provenance).toBe("keras");
    lens.remove(2);
    lens.move(4, 0);
    lens.rename(4, "last");
    settle();
    expect(uids()).toEqual([4, 1, 100, 3]);
    expect(lens.names.value[0]).toBe("last");
    lens.undo();
    lens.undo();
    settle();
    expect(uids()).toEqual([1, 100, 3, 4]);
    lens.redo();
    settle();
    expect(uids()).toEqual([4, 1, 100, 3]);
    lens.reset();
    settle();
    expect(uids()).toEqual([1, 2, 3, 4]);
    expect(lens.filters.value.every(({ map }) => map.value.provenance === "keras")).toBe(true);
  });

  test("a filter that stays is the same object wherever it moves", () => {
    const play = played();
    const filter = first(play);
    play.lens.move(filter.uid, 2);
    play.kernel.pump();
    expect(play.lens.filters.value[2]).toBe(filter);
  });

  test("replacing every kernel by one of another size changes the layer", () => {
    const play = played();
    const uids = play.lens.filters.value.map(({ uid }) => uid);
    play.lens.replace(
      uids,
      [3, 3, 1],
      uids.map((uid) => new Float32Array(9).fill(uid)),
    );
    play.kernel.pump();
    play.schedule.repaint();
    expect(play.lens.geometry.value.kernel_size).toEqual([3, 3]);
    expect(first(play).kernel.value).toEqual(new Float32Array(9).fill(1));
    expect(first(play).map.value).toMatchObject({ provenance: "keras", rows: 22, cols: 30 });
  });

  test("another stride, then another activation: maps of the old layer are not drawn", () => {
    const play = played();
    play.lens.configure({ strides: [2, 2] });
    play.lens.configure({ activation: "linear" });
    play.kernel.pump();
    play.schedule.repaint();
    expect(first(play).map.value).toMatchObject({ provenance: "keras", rows: 11, cols: 15 });
    play.lens.edit([{ uid: first(play).uid, bias: -1 }]);
    play.schedule.repaint();
    expectPreview(play, first(play));
  });
});

describe("messages", () => {
  test("of a later generation than the state wait for it", () => {
    const play = played();
    const filter = first(play);
    const [one] = play.kernel.filters;
    const map = play.kernel.map(1);
    const kernel = new Float32Array(16).fill(7);
    const record = {
      uid: 1,
      rev: 9,
      kernel: { $buffer: 0 },
      bias: 0,
      first_channel: 0,
      map: { ...map, levels: { $buffer: 1 } },
    };
    const history = { undo: 4, redo: 0 };
    const buffers = [kernel.buffer, bytesOf(map.levels).slice().buffer as ArrayBuffer];
    play.model.receive({ type: "filters", generation: 2, history, filters: [record], serial: 2 }, buffers);
    expect(filter.kernel.value).toEqual(one?.kernel);
    play.model.receiveTraits({ _state: { ...play.model.get("_state"), generation: 2 } });
    play.schedule.repaint();
    expect(filter.kernel.value).toEqual(kernel);
    expect(filter.map.value.provenance).toBe("keras");
  });

  test("whose traits do not follow are asked for again, with the traits", () => {
    const play = played();
    const history = { undo: 1, redo: 0 };
    const record = { uid: 1, rev: 9, kernel: { $buffer: 0 }, bias: 0, first_channel: 0, map: null };
    const sent = () => play.model.sent.map(({ content }) => [content.type, content.again]);
    const message = { type: "filters", generation: 2, history, filters: [record], serial: 2 };
    play.model.receive(message, [new Float32Array(16).buffer]);
    const before = sent();
    play.schedule.pass(999);
    expect(sent()).toEqual(before);
    play.schedule.pass(1);
    expect(sent()).toEqual([...before, ["hello", true]]);
  });

  test("that were lost are made up for when the next one comes", () => {
    const play = played();
    const lost = play.kernel.carry;
    play.kernel.carry = () => {};
    play.kernel.assign(play.kernel.filters.map((f) => ({ ...f, kernel: f.kernel.map((v) => 2 * v) })));
    play.kernel.carry = lost;
    expect(first(play).kernel.value).not.toEqual(play.kernel.filters[0]?.kernel);
    play.lens.select(2);
    play.kernel.pump();
    play.schedule.repaint();
    expect(first(play).kernel.value).toEqual(play.kernel.filters[0]?.kernel);
    expect(first(play).map.value.provenance).toBe("keras");
  });

  test("to another front end are not taken for answers of one's own", () => {
    const play = played();
    play.lens.undo();
    const history = { undo: 0, redo: 0 };
    play.model.receive(
      { type: "answer", client: "other", seq: 2, ok: true, generation: 1, history, filters: [], serial: 2 },
      [],
    );
    expect(play.lens.link.value).toBe("sending");
  });

  test("that cannot be read are said to be so", () => {
    const play = played();
    play.model.receive({ type: "filters" }, []);
    expect(play.lens.problem.value?.title).toMatch(/could not be read/);
  });
});

describe("what a host saves", () => {
  test("is the newest state, and nothing of it was sent by save_changes", () => {
    const play = played();
    play.lens.edit([{ uid: 1, taps: { index: [0], value: [5] } }]);
    play.schedule.repaint();
    play.schedule.pass(300);
    const [record] = play.model.get("_filters").filters;
    const saved = new Float32Array(bytesOf(record?.kernel ?? new ArrayBuffer(0)).slice().buffer);
    expect(saved[0]).toBe(5);
    expect(record?.map).toBeNull();
    play.kernel.pump();
    play.schedule.pass(300);
    const [confirmed] = play.model.get("_filters").filters;
    expect(confirmed?.map?.stage).toBe("activation");
    const bytes = confirmed?.map?.levels as DataView;
    expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
  });
});

describe("letting go", () => {
  test("leaves no listener behind", () => {
    const play = played();
    expect(play.model.listeners()).toBeGreaterThan(0);
    play.lens.dispose();
    expect(play.model.listeners()).toBe(0);
  });
});

describe("a long session", () => {
  test("of thousands of edits shows the map of the kernel, made anew in idle time before errors add up", () => {
    const play = played({ ready: false });
    const filter = first(play);
    for (let i = 0; i < 2500; i++) {
      play.lens.edit([{ uid: filter.uid, taps: { index: [i % 16], value: [Math.sin(i)] } }]);
      play.schedule.repaint();
      if (i % 100 === 0) play.schedule.rest();
    }
    play.schedule.rest();
    play.schedule.repaint();
    expectPreview(play, filter);
    expect(play.kernel.waiting).toHaveLength(1);
  });
});
