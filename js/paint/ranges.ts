/** The range that a map is drawn over. */
import type { ValueRange } from "../protocol/records.ts";

export type Range = [low: number, high: number];

/** Least and greatest of several ranges. */
export function union(ranges: Iterable<Readonly<Range>>): Range {
  let low = Infinity;
  let high = -Infinity;
  for (const range of ranges) {
    low = Math.min(low, range[0]);
    high = Math.max(high, range[1]);
  }
  return low <= high ? [low, high] : [0, 0];
}

/** A map whose range is less than the layer's widest divided by this is nearly silent, however vivid its own colours are. */
const SILENT = 1000;

/** The share of the layer's widest range that a map's range is, where it is nearly silent; null elsewhere and where it is 0. */
export function silence([low, high]: Readonly<Range>, widest: number): number | null {
  const dead = low === 0 && high === 0;
  return !dead && (high - low) * SILENT < widest ? (high - low) / widest : null;
}

/**
 * `own` is the map's range of finite values, `all` gives those of every map that exists.
 * Symmetric is ± the largest magnitude of the map itself, so that zero is the middle colour.
 */
export function displayRange(
  mode: ValueRange,
  own: Readonly<Range>,
  all: () => Iterable<Readonly<Range>>,
): Range {
  if (mode === "per_map") return [own[0], own[1]];
  if (mode === "shared") return union(all());
  if (mode === "symmetric") {
    const magnitude = Math.max(Math.abs(own[0]), Math.abs(own[1]));
    return [-magnitude, magnitude];
  }
  return [mode[0], mode[1]];
}
