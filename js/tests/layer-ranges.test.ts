/** The ranges of a layer's maps, of which some are not here. */
import { effect, signal } from "@preact/signals";
import { describe, expect, test, vi } from "vitest";
import type { MapView } from "../paint/drawable.ts";
import type { Range } from "../paint/ranges.ts";
import type { LensState, Stage, ValueRange } from "../protocol/records.ts";
import { LayerRanges } from "../queries/layer-ranges.ts";
import { PlayedSchedule } from "./play.ts";

const REST_MS = 300;

/** Two filters, of which the first is here; Python's ranges are those of `python`. */
function layer(pixels = 16) {
  const python = { ranges: [0, 1, 0, 4000], asked: 0 };
  const one = (uid: number, range: Range | null, provenance: MapView["provenance"]) => ({
    uid,
    range: signal<Range | null>(range),
    map: signal({ provenance } as MapView),
  });
  const filters = [one(7, [0, 1], "keras"), one(8, null, "waiting")];
  const state = signal({ generation: 1, geometry: { output_shape: [1, pixels, 2] } } as unknown as LensState);
  const history = signal({ undo: 0, redo: 0 });
  const valueRange = signal<ValueRange>("per_map");
  const stage = signal<Stage>("activation");
  const busy = signal(false);
  const schedule = new PlayedSchedule();
  const ranges = new LayerRanges(
    { filters: signal(filters), state, history, stage, valueRange, idle: () => !busy.peek() },
    {
      ask: async () => {
        python.asked++;
        return { ranges: new DataView(Float32Array.from(python.ranges).buffer) } as never;
      },
    },
    schedule,
  );
  const rest = async () => {
    schedule.pass(REST_MS);
    await vi.waitFor(() => {});
  };
  return { python, filters, state, history, valueRange, busy, ranges, rest };
}

describe("the ranges of a layer's maps", () => {
  test("are asked for where a map is not here, once for each change, and only while something reads them", async () => {
    const { python, history, ranges, rest } = layer();
    await rest();
    expect(python.asked).toBe(0);
    const stop = effect(() => void ranges.widest.value);
    expect(ranges.widest.value).toBe(1);
    await rest();
    expect(ranges.widest.value).toBe(4000);
    // Every message says where the history is.
    history.value = { undo: 0, redo: 0 };
    await rest();
    expect(python.asked).toBe(1);
    // An edit of the filter that is not here.
    python.ranges[3] = 5;
    history.value = { undo: 1, redo: 0 };
    await rest();
    expect(ranges.widest.value).toBe(5);
    stop();
    history.value = { undo: 2, redo: 0 };
    await rest();
    expect(python.asked).toBe(2);
  });

  test("are those of the maps that are here as soon as they change, and are not asked for then", async () => {
    const { python, filters, ranges, rest } = layer();
    const stop = effect(() => void ranges.all.value);
    for (const filter of filters) {
      filter.map.value = { provenance: "preview" } as MapView;
      filter.range.value = [-1, 2];
    }
    ranges.look();
    await rest();
    expect(python.asked).toBe(0);
    expect([...ranges.all.value]).toEqual([
      [7, [-1, 2]],
      [8, [-1, 2]],
    ]);
    stop();
  });

  test("wait for a busy Python, and are forgotten with the layer", async () => {
    const { python, state, busy, ranges, rest } = layer();
    const stop = effect(() => void ranges.all.value);
    busy.value = true;
    await rest();
    expect(python.asked).toBe(0);
    busy.value = false;
    await rest();
    expect(ranges.all.value.get(8)).toEqual([0, 4000]);
    state.value = { ...state.value, generation: 2 };
    expect(ranges.all.value.has(8)).toBe(false);
    stop();
  });

  test("are Python's within a fixed range, in which a map's own ends where that does", async () => {
    const { filters, valueRange, ranges, rest } = layer();
    const stop = effect(() => void ranges.all.value);
    valueRange.value = [0, 0.5];
    for (const filter of filters) filter.range.value = [0, 0.5];
    await rest();
    expect([...ranges.all.value.values()]).toEqual([
      [0, 1],
      [0, 4000],
    ]);
    stop();
  });

  test("of more values than Python is to keep are those of the maps that are here", async () => {
    const { python, ranges, rest } = layer(2 ** 24);
    const stop = effect(() => void ranges.all.value);
    await rest();
    expect([python.asked, ranges.widest.value]).toEqual([0, 1]);
    stop();
  });
});
