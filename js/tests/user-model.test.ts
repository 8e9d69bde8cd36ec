import { effect } from "@preact/signals";
import { describe, expect, test } from "vitest";
import { bytesOf } from "../protocol/bytes.ts";
import type { LayerRecord, TrainingRecord } from "../protocol/records.ts";
import type { FilterView } from "../state/lens-view.ts";
import { SETTLE_MS } from "../state/user-model.ts";
import type { FixtureOptions } from "./fake-host.ts";
import { type Played, played } from "./play.ts";
import { correlateSlowly } from "./reference.ts";

const layer = (path: string): LayerRecord => ({
  path,
  class_name: "Conv2D",
  input_shape: [12, 14, 6],
  output_shape: [10, 12, 3],
  kernel_size: [3, 3],
  filters: 3,
});

const kernels = (count: number) =>
  Array.from({ length: count }, (_, f) =>
    Float32Array.from({ length: 54 }, (_, i) => Math.fround(Math.sin(f * 54 + i))),
  );

/** A layer of 3×3×6 kernels inside a model, of which the browser has neither the input nor anything else. */
const inModel = (options: FixtureOptions = {}) =>
  played({
    rows: 12,
    cols: 14,
    channels: 6,
    size: 3,
    kernels: kernels(3),
    layers: [layer("block/conv"), layer("other")],
    ...options,
  });

function filterOf({ lens }: Played, index = 0): FilterView {
  const filter = lens.filters.value[index];
  if (!filter) throw new Error(`no filter ${index}`);
  return filter;
}

/** The kernel answers, and promises that wait for it go on. */
async function answer(play: Played): Promise<void> {
  play.python.pump();
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  play.schedule.repaint();
}

const requests = ({ model }: Played, type: string) =>
  model.sent.filter(({ content }) => content.type === type).map(({ content }) => content);

/** What Keras would compute before the activation. */
function pre(play: Played, filter: FilterView): Float32Array {
  const { scale, data } = play.model.get("_image");
  const image = Float32Array.from(bytesOf(data), (b) => Math.fround(b * scale));
  return correlateSlowly(play.lens.geometry.value, image, filter.kernel.value, filter.bias.value, 0);
}

/** Index of tap (row, col) in one plane. */
const tap = (row: number, col: number, plane: number) => (row * 3 + col) * 6 + plane;

describe("a filter inside a model", () => {
  test("whose plane was prepared is previewed to rounding while the kernel is silent", async () => {
    const play = inModel();
    const filter = filterOf(play);
    play.lens.network.prepare(filter.uid, [4]);
    await answer(play);
    play.lens.edit([
      { uid: filter.uid, taps: { index: [tap(0, 0, 4), tap(2, 1, 4)], value: [2, -1] }, bias: 0.5 },
    ]);
    play.schedule.repaint();
    const { provenance, preview } = filter.map.value;
    expect(provenance).toBe("preview");
    const wanted = pre(play, filter);
    preview?.values.forEach((value, i) => void expect(value).toBeCloseTo(wanted[i] as number, 4));
    await answer(play);
    expect(filter.map.value.provenance).toBe("keras");
    expect(play.lens.problem.value).toBeNull();
  });

  test("whose plane was not is stale until Keras answers, and previewed from then on", async () => {
    const play = inModel();
    const filter = filterOf(play);
    play.lens.edit([{ uid: filter.uid, taps: { index: [tap(1, 1, 2)], value: [3] } }]);
    play.schedule.repaint();
    expect(filter.map.value.provenance).toBe("stale");
    await answer(play);
    expect(filter.map.value.provenance).toBe("keras");
    play.lens.edit([{ uid: filter.uid, taps: { index: [tap(1, 1, 2)], value: [4] } }]);
    play.schedule.repaint();
    expect(filter.map.value.provenance).toBe("preview");
  });

  test("asks once for a plane, however often it is edited", async () => {
    const play = inModel();
    const { uid } = filterOf(play);
    for (let value = 0; value < 10; value++) {
      play.lens.edit([{ uid, taps: { index: [tap(0, 1, 3)], value: [value] } }]);
      await answer(play);
    }
    expect(requests(play, "deep").map(({ channels }) => channels)).toEqual([[3]]);
  });

  test("is not sent its whole input when all of its planes change at once", async () => {
    const play = inModel({ channels: 12, kernels: [new Float32Array(108).fill(0.1)] });
    const { uid } = filterOf(play);
    const index = Array.from({ length: 108 }, (_, i) => i);
    play.lens.edit([{ uid, taps: { index, value: index.map(() => 0) } }]);
    await answer(play);
    expect(requests(play, "deep")).toEqual([]);
  });

  test("says what each plane adds at most: its norm times the root mean square of its input", async () => {
    const play = inModel();
    const filter = filterOf(play);
    expect(play.lens.network.contribution(filter.uid)).toBeNull();
    play.lens.network.prepare(filter.uid, []);
    await answer(play);
    const plane = filter.kernel.value.filter((_, i) => i % 6 === 5);
    const { scale, data } = play.model.get("_image");
    const input = [...bytesOf(data)].filter((_, i) => i % 6 === 5).map((b) => b * scale);
    const wanted = Math.hypot(...plane) * Math.sqrt(input.reduce((sum, v) => sum + v * v, 0) / input.length);
    expect(play.lens.network.contribution(filter.uid)?.[5]).toBeCloseTo(wanted, 4);
  });

  test("forgets what it was sent when training may have changed the layers before it", async () => {
    const play = inModel();
    const filter = filterOf(play);
    play.lens.network.prepare(filter.uid, [0]);
    await answer(play);
    const training: TrainingRecord = { running: true, snapshots: [], shown: null };
    play.python.assignTrait("_training", training);
    play.lens.edit([{ uid: filter.uid, taps: { index: [0], value: [3] } }]);
    play.schedule.repaint();
    expect(filter.map.value.provenance).toBe("stale");
  });
});

describe("predictions", () => {
  const watched = (play: Played) => effect(() => void play.lens.network.predictions.value);
  const output = (play: Played) => {
    play.python.predict = () => ({
      before: Float32Array.of(0.25, 0.75),
      after: Float32Array.of(play.python.filters[0]?.kernel[0] ?? 0, 0.5),
    });
  };

  test("are not asked for while nothing shows them, or without a model", () => {
    const play = inModel();
    play.schedule.pass(SETTLE_MS);
    const alone = played();
    watched(alone);
    alone.schedule.pass(SETTLE_MS);
    expect([...requests(play, "predict"), ...requests(alone, "predict")]).toEqual([]);
  });

  test("come once edits have settled, and belong to the last of them", async () => {
    const play = inModel();
    output(play);
    watched(play);
    const { uid } = filterOf(play);
    for (let value = 0; value < 5; value++) {
      play.lens.edit([{ uid, taps: { index: [0], value: [value] } }]);
      await answer(play);
      play.schedule.pass(SETTLE_MS / 2);
    }
    expect(requests(play, "predict")).toEqual([]);
    play.schedule.pass(SETTLE_MS);
    await answer(play);
    expect(requests(play, "predict")).toHaveLength(1);
    const { before, after, state } = play.lens.network.predictions.value;
    expect([before?.[1], after?.[0], state]).toEqual([0.75, 4, "settled"]);
  });

  test("that an edit has overtaken are shown as such, and asked for again", async () => {
    const play = inModel();
    output(play);
    watched(play);
    const { uid } = filterOf(play);
    play.schedule.pass(SETTLE_MS);
    await answer(play);
    play.lens.edit([{ uid, taps: { index: [0], value: [2] } }]);
    await answer(play);
    expect(play.lens.network.predictions.value.state).toBe("waiting");
    play.schedule.pass(SETTLE_MS);
    await answer(play);
    expect(play.lens.network.predictions.value).toMatchObject({ state: "settled", error: null });
    expect(play.lens.network.predictions.value.after?.[0]).toBe(2);
  });
});

describe("layers and training", () => {
  test("another layer is opened by setting its path", () => {
    const play = inModel();
    play.lens.network.open("other");
    expect(play.lens.network.path.value).toBe("other");
    expect(requests(play, "set")).toMatchObject([{ name: "layer_path", value: "other" }]);
  });

  test("scrubbing sends the newest snapshot that waits, and shows its kernels", () => {
    const play = inModel();
    play.python.snapshots = [0, 1, 2, 3].map((s) => kernels(3).map((kernel) => kernel.map((v) => v * s)));
    for (const index of [0, 1, 2, 3]) play.lens.network.scrub(index);
    play.python.pump();
    expect(requests(play, "scrub").map(({ index }) => index)).toEqual([0, 3]);
    expect(filterOf(play, 1).kernel.value).toEqual(kernels(3)[1]?.map((v) => v * 3));
  });
});

describe("many filters", () => {
  const many = () => {
    const play = inModel({ kernels: kernels(200) });
    const draw = (from: number, to: number) => {
      const stops = play.lens.filters.value
        .slice(from, to)
        .map((filter) => effect(() => void filter.map.value));
      return () => {
        for (const stop of stops) stop();
      };
    };
    return { ...play, draw };
  };
  const forget = (play: Played) => {
    // As a large layer arrives: with nothing but the order of its filters.
    play.python.generation++;
    const state = { ...play.model.get("_state"), generation: play.python.generation, image_version: 2 };
    play.model.receiveTraits({ _state: state });
    play.model.sent.length = 0;
  };

  test("are asked for when they are drawn, and no others", async () => {
    const play = many();
    forget(play);
    play.draw(40, 60);
    await Promise.resolve();
    const uids = play.lens.filters.value.slice(40, 60).map(({ uid }) => uid);
    expect(requests(play, "need")).toMatchObject([{ uids }]);
  });

  test("that scrolled past while the kernel was busy are not asked for", async () => {
    const play = many();
    forget(play);
    play.draw(0, 10);
    await Promise.resolve();
    const leave = play.draw(50, 60);
    await Promise.resolve();
    leave();
    play.draw(100, 110);
    await Promise.resolve();
    play.python.pump();
    const uids = play.lens.filters.value.slice(100, 110).map(({ uid }) => uid);
    expect(requests(play, "need").slice(1)).toMatchObject([{ uids }]);
  });

  test("come along when they are expected next, until the answer is a screenful", async () => {
    const play = many();
    forget(play);
    const uids = play.lens.filters.value.map(({ uid }) => uid);
    play.lens.network.expect(uids.slice(50));
    await Promise.resolve();
    expect(requests(play, "need")).toEqual([]);
    play.draw(40, 50);
    await Promise.resolve();
    play.python.pump();
    expect(requests(play, "need")).toMatchObject([{ uids: [...uids.slice(50, 104), ...uids.slice(40, 50)] }]);
    play.draw(50, 104);
    await Promise.resolve();
    expect(requests(play, "need")).toHaveLength(1);
  });
});
