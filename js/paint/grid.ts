/** How a large picture is reduced to what the screen shows of it: by blocks, as src/convlens/maths/block_means.py does. */
import type { Part } from "../protocol/requests.ts";

/** The part of the source that fills the target, in source pixels; it may reach past the source's edges. */
export interface SourceWindow {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Size {
  rows: number;
  cols: number;
  /** A signal: its one row is as high as the box. */
  curve?: boolean;
}

/** Pixels of a picture that is sent whole; the other side is WHOLE_PIXELS in src/convlens/protocol/records.py. */
export const WHOLE_PIXELS = 2 ** 19;

/** A part of a picture, and the rows and columns that it is reduced to. */
export interface Grid {
  part: Part;
  shape: [rows: number, cols: number];
}

/** Whether a picture is reduced to what the screen shows. */
export function isLarge({ rows, cols }: Size): boolean {
  return rows * cols > WHOLE_PIXELS;
}

/**
 * What a canvas of this many device pixels shows of a picture, or null where the picture is not large or not in sight.
 */
export function gridOf(
  window: SourceWindow,
  device: { width: number; height: number },
  size: Size,
): Grid | null {
  if (!isLarge(size)) return null;
  const [top, bottom] = [
    Math.max(0, Math.floor(window.y)),
    Math.min(size.rows, ceil(window.y + window.height)),
  ];
  const [left, right] = [
    Math.max(0, Math.floor(window.x)),
    Math.min(size.cols, ceil(window.x + window.width)),
  ];
  if (top >= bottom || left >= right) return null;
  const along = (count: number, span: number, pixels: number) =>
    Math.max(1, Math.min(count, Math.round((count / span) * pixels)));
  return {
    part: [top, bottom, left, right],
    shape: [
      along(bottom - top, window.height, device.height),
      along(right - left, window.width, device.width),
    ],
  };
}

/** Rounded up, ignoring what rounding errors add to a whole number. */
function ceil(edge: number): number {
  return Math.ceil(edge - 1e-6);
}

export function isWhole({ part: [top, bottom, left, right] }: Grid, { rows, cols }: Size): boolean {
  return top === 0 && left === 0 && bottom === rows && right === cols;
}

/** Where each of `count` blocks along an axis begins, and the end of the last. */
export function blockEdges(from: number, to: number, count: number): Int32Array {
  return Int32Array.from({ length: count + 1 }, (_, i) => from + Math.floor((i * (to - from)) / count));
}

/** Two places of each block along an axis, which stand for it during a drag; the whole block where it is that small. */
function places(from: number, to: number, count: number): Int32Array {
  const edges = blockEdges(from, to, count);
  return Int32Array.from({ length: 2 * count }, (_, i) => {
    const start = edges[i >> 1] as number;
    return start + ((((edges[(i >> 1) + 1] as number) - start) * (i % 2 ? 3 : 1)) >> 2);
  });
}

/** The rows and columns of a map that cross at 2 × 2 values of each block of a grid. */
export function samplesOf({ part: [top, bottom, left, right], shape: [high, wide] }: Grid): {
  rows: Int32Array;
  cols: Int32Array;
} {
  return { rows: places(top, bottom, high), cols: places(left, right, wide) };
}

/** Applies an activation to a part of an array, in place. */
export type Apply = (line: Float32Array, from: number, to: number) => void;

/** Means of 2 × 2 values of each block, activated before they are averaged. */
export function sampledMeans(
  samples: Float32Array,
  [high, wide]: Grid["shape"],
  apply?: Apply,
): Float32Array {
  const means = new Float32Array(high * wide);
  const line = new Float32Array(2 * wide);
  for (let row = 0; row < 2 * high; row++) {
    line.set(samples.subarray(row * line.length, (row + 1) * line.length));
    apply?.(line, 0, line.length);
    for (let x = 0, at = (row >> 1) * wide; x < line.length; x += 2, at++)
      means[at] = (means[at] as number) + ((line[x] as number) + (line[x + 1] as number)) / 4;
  }
  return means;
}

/** The samples of a map that is whole. */
export function gather(values: Float32Array, width: number, grid: Grid): Float32Array {
  const { rows, cols } = samplesOf(grid);
  const samples = new Float32Array(rows.length * cols.length);
  rows.forEach((row, y) => {
    for (let x = 0, at = y * cols.length; x < cols.length; x++, at++)
      samples[at] = values[row * width + (cols[x] as number)] as number;
  });
  return samples;
}

/** Means of all values of each block, rows `from` to before `to` of the grid, activated before they are averaged. */
export function blockMeans(
  values: Float32Array,
  width: number,
  { part: [top, bottom, left, right], shape: [high, wide] }: Grid,
  means: Float32Array,
  from: number,
  to: number,
  apply?: Apply,
): void {
  const [ys, xs] = [blockEdges(top, bottom, high), blockEdges(left, right, wide)];
  const line = new Float32Array(right - left);
  const sums = new Float64Array(wide);
  for (let y = from; y < to; y++) {
    const [first, last] = [ys[y] as number, ys[y + 1] as number];
    sums.fill(0);
    for (let row = first; row < last; row++) {
      line.set(values.subarray(row * width + left, row * width + right));
      apply?.(line, 0, line.length);
      for (let x = 0, at = 0; x < wide; x++) {
        let sum = 0;
        for (const end = (xs[x + 1] as number) - left; at < end; at++) sum += line[at] as number;
        sums[x] = (sums[x] as number) + sum;
      }
    }
    for (let x = 0; x < wide; x++)
      means[y * wide + x] =
        (sums[x] as number) / ((last - first) * ((xs[x + 1] as number) - (xs[x] as number)));
  }
}

/** A window of a picture as a window of what a part of it was reduced to. */
export function within(window: SourceWindow, { part, shape }: Grid): SourceWindow {
  const [top, bottom, left, right] = part;
  const [x, y] = [shape[1] / (right - left), shape[0] / (bottom - top)];
  return {
    x: (window.x - left) * x,
    y: (window.y - top) * y,
    width: window.width * x,
    height: window.height * y,
  };
}

/** All of a picture, reduced to this many rows and columns. */
export function wholeGrid({ rows, cols }: Size, shape: readonly [number, number]): Grid {
  return { part: [0, rows, 0, cols], shape: [shape[0], shape[1]] };
}
