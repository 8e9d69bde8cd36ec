/** What a page around a lens may read from it, as plain numbers: what is shown at this moment. */
import type { Geometry } from "../protocol/records.ts";
import type { LensView } from "./lens-view.ts";

export interface Snapshot {
  geometry: Geometry;
  /** In list order; values in C order (row, column, channel). */
  kernels: { values: Float32Array; bias: number }[];
  /** Least and greatest value of each map as drawn, and its share of zeros from 0 to 1. */
  maps: { least: number; greatest: number; zeros: number }[];
  selected: number;
  pixel: [number, number] | null;
  /** The selected map's activation at the pinned pixel, null while it is not known. */
  activation: number | null;
}

export function snapshotOf(lens: LensView): Snapshot {
  const filters = lens.filters.value;
  const selected = lens.selected.value;
  const pixel = lens.pixel.value;
  const chosen = filters[selected];
  return {
    geometry: lens.geometry.value,
    kernels: filters.map(({ kernel, bias }) => ({ values: kernel.value, bias: bias.value })),
    maps: filters.map(({ map }) => {
      const { range, counts, rows, cols } = map.value;
      return { least: range[0], greatest: range[1], zeros: counts.zeros / Math.max(1, rows * cols) };
    }),
    selected,
    pixel,
    activation: (pixel && chosen && lens.valueAt(chosen.uid, ...pixel)?.activation) ?? null,
  };
}
