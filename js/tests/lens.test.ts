import { effect } from "@preact/signals";
import { describe, expect, test, vi } from "vitest";
import { expected, expectPreview, first } from "./expected-maps.ts";
import { played } from "./play.ts";

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
    play.python.pump();
    play.schedule.repaint();
    expect(filter.map.value.provenance).toBe("keras");
    expect(filter.bias.value).toBe(0.5);
    expect(play.python.filters[0]?.kernel).toEqual(filter.kernel.value);
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
    play.python.step();
    play.schedule.repaint();
    expect(filter.kernel.value[0]).toBe(2);
    expectPreview(play, filter);
    play.python.pump();
    play.schedule.repaint();
    expect(filter.kernel.value[0]).toBe(2);
    expect(filter.map.value.provenance).toBe("keras");
  });

  test("meets a change of another tap from Python: both hold", () => {
    const play = played();
    const filter = first(play);
    play.lens.edit([{ uid: filter.uid, taps: { index: [0], value: [9] } }]);
    const [one, ...rest] = play.python.filters;
    if (!one) throw new Error("no filter");
    const kernel = one.kernel.slice();
    kernel[7] = 8;
    play.python.assign([{ ...one, kernel }, ...rest]);
    play.schedule.repaint();
    expect([filter.kernel.value[0], filter.kernel.value[7]]).toEqual([9, 8]);
    play.python.pump();
    play.schedule.repaint();
    expect([filter.kernel.value[0], filter.kernel.value[7]]).toEqual([9, 8]);
    expect(play.python.filters[0]?.kernel).toEqual(filter.kernel.value);
  });

  test("that Python refuses is taken back and the reason shown", () => {
    const play = played();
    const filter = first(play);
    play.python.onRequest = () => {
      const { client, seq } = play.python.waiting.splice(0)[0]?.content ?? {};
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
    play.python.pump();
    expect(play.lens.problem.value).toBeNull();
  });

  test("where the layer has an activation the browser does not know leaves Keras's map, marked stale, until the answer", () => {
    const play = played({ settings: { previewable: false } });
    const filter = first(play);
    const { keras } = filter.map.value;
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: [2.5] } }]);
    expect(filter.map.value).toMatchObject({ provenance: "stale", keras });
    play.python.pump();
    play.schedule.repaint();
    expect(filter.map.value.provenance).toBe("keras");
  });
});

describe("before Keras has loaded", () => {
  test("every map is a preview; Keras's maps follow when they come", () => {
    const play = played({ ready: false });
    for (const filter of play.lens.filters.value) expectPreview(play, filter);
    play.python.ready = true;
    play.python.announce();
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
    vi.spyOn(play.python, "map").mockImplementation((uid) => {
      vi.restoreAllMocks();
      warn.mockImplementation(() => {});
      const map = play.python.map(uid);
      return { ...map, range: [map.range[0], map.range[1] * 1.5] };
    });
    play.lens.edit([{ uid: filter.uid, taps: { index: [5], value: [2.5] } }]);
    play.python.pump();
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
    play.python.pump();
    expect(play.python.history.undo).toBe(1);
  });
});

describe("the stage", () => {
  test("changes at once by the preview, then by Keras's map of it", () => {
    const play = played();
    const filter = first(play);
    play.lens.set("stage", "pre_activation");
    play.schedule.repaint();
    expect(filter.map.value).toMatchObject({ provenance: "preview", preview: { activation: null } });
    expect(filter.map.value.range[0]).toBeLessThan(0);
    play.python.pump();
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
      play.python.pump();
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
    expect(play.python.waiting).toHaveLength(1);
  });
});
