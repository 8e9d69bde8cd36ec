/** How one output pixel is computed; mirrors src/convlens/maths/explanation.py. */
import type { FieldRecord } from "../protocol/messages.ts";
import type { Geometry } from "../protocol/records.ts";
import { windowAt } from "./geometry.ts";

/** What the layer is fed under the kernel at one output pixel. */
export interface Patch {
  /** Input rows and columns that the kernel's rows and columns read; those outside the input lie in the padding. */
  rows: number[];
  cols: number[];
  /** Row-major, one per kernel cell: whether it reads the input. */
  inside: boolean[];
  /** Float32, C order (row, column, channel) as the kernel; 0 in the padding. */
  values: Float32Array;
  /**
   * Where the layer is inside a model, what part of the image the pixel depends on; otherwise rows and columns give it.
   */
  field: FieldRecord | null;
}

export interface Explanation extends Patch {
  products: Float32Array;
  /** Sum of the products of each channel, added up in float64. */
  sums: number[];
  /** All products and the bias, added up in float64. */
  total: number;
  /** Of all magnitudes that were added up: what rounding is measured against. */
  scale: number;
}

/** Row-major, one per kernel cell: whether it reads the input. */
export function insideOf(
  { input_shape }: Geometry,
  rows: readonly number[],
  cols: readonly number[],
): boolean[] {
  const within = (at: number, count: number) => at >= 0 && at < count;
  return rows.flatMap((row) => cols.map((col) => within(row, input_shape[0]) && within(col, input_shape[1])));
}

/** `planes[i]` is the input plane that channel i of the kernel reads. */
export function readPatch(
  geometry: Geometry,
  planes: readonly Float32Array[],
  row: number,
  col: number,
): Patch {
  const { rows, cols } = windowAt(geometry, row, col);
  const inside = insideOf(geometry, rows, cols);
  const depth = planes.length;
  const values = new Float32Array(inside.length * depth);
  inside.forEach((reads, cell) => {
    if (!reads) return;
    const at = (rows[Math.floor(cell / cols.length)] ?? 0) * geometry.input_shape[1];
    const from = at + (cols[cell % cols.length] ?? 0);
    planes.forEach((plane, channel) => {
      values[cell * depth + channel] = plane[from] ?? Number.NaN;
    });
  });
  return { rows, cols, inside, values, field: null };
}

export function explain(patch: Patch, kernel: Float32Array, bias: number): Explanation {
  const { inside, values } = patch;
  const depth = values.length / inside.length;
  const products = new Float32Array(values.length);
  const sums = new Array<number>(depth).fill(0);
  let scale = Math.abs(bias);
  for (let tap = 0; tap < values.length; tap++) {
    // In the padding even an infinite tap adds nothing, as in Keras.
    if (!inside[Math.floor(tap / depth)]) continue;
    const product = Math.fround((values[tap] as number) * (kernel[tap] as number));
    products[tap] = product;
    sums[tap % depth] = (sums[tap % depth] as number) + product;
    scale += Math.abs(product);
  }
  return { ...patch, products, sums, total: sums.reduce((a, b) => a + b, 0) + bias, scale };
}

/**
 * Whether Keras's pre-activation is this sum, to 1e-5 of the magnitudes that were added up. It is not for a layer that
 * computes something other than its settings say, such as a subclass with a `call` of its own.
 */
export function agrees({ total, scale }: Explanation, keras: number): boolean {
  if (!Number.isFinite(total) || !Number.isFinite(keras)) return Object.is(total, keras);
  return Math.abs(total - keras) <= 1e-5 * Math.max(scale, Math.abs(keras));
}

/** Indices of these numbers, largest magnitude first; NaN before all. */
export function largestFirst(products: ArrayLike<number>): number[] {
  const size = (i: number) => {
    const magnitude = Math.abs(products[i] as number);
    return Number.isNaN(magnitude) ? Infinity : magnitude;
  };
  return Array.from(products, (_, i) => i).sort((a, b) => size(b) - size(a) || a - b);
}

/** What a convolution with this kernel would give: one that turns the kernel by 180° before it multiplies. */
export function convolved({ values }: Patch, kernel: Float32Array, bias: number, depth: number): number {
  const turned = turn(kernel, depth);
  return values.reduce((sum, value, i) => sum + (value && value * (turned[i] as number)), bias);
}

/** Each plane turned by 180°. */
export function turn(kernel: Float32Array, depth: number): Float32Array {
  const last = kernel.length / depth - 1;
  return kernel.map((_, i) => kernel[(last - Math.floor(i / depth)) * depth + (i % depth)] as number);
}

export interface Sum {
  terms: string[];
  total: string;
  /** Whether no number was rounded. */
  exact: boolean;
}

/** Digits after the point that are ever shown, and how many more than requested may be. */
const MOST_DECIMALS = 20;
const MORE = 4;

/**
 * Terms and their sum with equally many decimals: as few as show them exactly, else about `digits` significant ones of the
 * largest, and so many more, where that helps, that the rounded terms add up to the rounded sum. Where none of them does,
 * the terms that rounding moved farthest are rounded the other way, so that what is shown always adds up.
 */
export function addUp(terms: readonly number[], total: number, digits = 5): Sum {
  const all = [...terms, total];
  if (!all.every((value) => Math.abs(value) < 1e20)) {
    const text = (value: number) =>
      minus(Number.isFinite(value) ? value.toPrecision(digits) : String(value).replace("Infinity", "∞"));
    return { terms: terms.map(text), total: text(total), exact: !all.some(Number.isFinite) };
  }
  const most = Math.max(...all.map(Math.abs));
  const wanted = digits - 1 - (most > 0 ? Math.floor(Math.log10(most)) : 0);
  const enough = Math.min(Math.max(0, wanted), MOST_DECIMALS);
  const exactly = (decimals: number) => all.every((value) => Number(value.toFixed(decimals)) === value);
  // Units of the last decimal by which the sum is more than its terms.
  const units = (value: number, decimals: number) =>
    Math.round(Number(value.toFixed(decimals)) * 10 ** decimals);
  const missing = (decimals: number) =>
    terms.reduce((left, value) => left - units(value, decimals), units(total, decimals));
  let decimals = 0;
  while (decimals < enough && !exactly(decimals)) decimals++;
  const exact = exactly(decimals);
  const shown = [...terms];
  if (!exact) {
    while (decimals < enough + MORE && decimals < MOST_DECIMALS && missing(decimals) !== 0) decimals++;
    if (missing(decimals) !== 0) {
      decimals = enough;
      const sign = Math.sign(missing(decimals));
      const moved = (value: number) => sign * (value - Number(value.toFixed(decimals)));
      [...terms.keys()]
        .sort((a, b) => moved(terms[b] as number) - moved(terms[a] as number))
        .slice(0, Math.abs(missing(decimals)))
        .forEach((i) => {
          shown[i] = Number((terms[i] as number).toFixed(decimals)) + sign * 10 ** -decimals;
        });
    }
  }
  // What rounds to −0 is 0.
  const text = (value: number) =>
    value === 0 ? "0" : minus((Number(value.toFixed(decimals)) || 0).toFixed(decimals));
  return { terms: shown.map(text), total: text(total), exact };
}

const minus = (text: string) => text.replace(/-/g, "−");
