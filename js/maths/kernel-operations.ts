/**
 * Operations on one kernel. Values are float32 in C order: row, column, channel; every function returns a new kernel.
 *
 * The centre tap of a kernel of size k is (k − 1) >> 1: the tap that reads the output's own pixel where Keras pads with
 * "same" at stride and dilation 1. It is the middle of an odd size and the earlier of the two middles of an even one.
 */

export type KernelShape = readonly [rows: number, cols: number, channels: number];

export interface Kernel {
  shape: KernelShape;
  values: Float32Array;
}

export type Outcome = { ok: true; kernel: Kernel } | { ok: false; why: string };

const done = (kernel: Kernel): Outcome => ({ ok: true, kernel });

/** A kernel whose tap (row, col, channel) is what `pick` returns. */
function build(shape: KernelShape, pick: (row: number, col: number, channel: number) => number): Kernel {
  const [rows, cols, channels] = shape;
  const values = new Float32Array(rows * cols * channels);
  let i = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      for (let k = 0; k < channels; k++) values[i++] = pick(r, c, k);
    }
  }
  return { shape, values };
}

/** Reads a tap; 0 outside. */
function reader({ shape: [rows, cols, channels], values }: Kernel) {
  return (r: number, c: number, k: number): number =>
    r < 0 || c < 0 || r >= rows || c >= cols ? 0 : (values[(r * cols + c) * channels + k] as number);
}

function map(kernel: Kernel, change: (value: number) => number): Kernel {
  return { shape: kernel.shape, values: kernel.values.map(change) };
}

/** No negative zeros: −0 and 0 are one number to a person but two in a comparison of bytes. */
export const negate = (kernel: Kernel): Kernel => map(kernel, (v) => (v === 0 ? 0 : -v));

export const scale = (kernel: Kernel, factor: number): Kernel =>
  map(kernel, (v) => v * factor || v * factor + 0);

export const zero = (kernel: Kernel): Kernel => map(kernel, () => 0);

/** Rows become columns, in every channel. */
export function transpose(kernel: Kernel): Kernel {
  const [rows, cols, channels] = kernel.shape;
  const at = reader(kernel);
  return build([cols, rows, channels], (r, c, k) => at(c, r, k));
}

/** A quarter turn clockwise, in every channel. */
export function rotate(kernel: Kernel): Kernel {
  const [rows, cols, channels] = kernel.shape;
  const at = reader(kernel);
  return build([cols, rows, channels], (r, c, k) => at(rows - 1 - c, r, k));
}

/** Mirror left and right. */
export function flipColumns(kernel: Kernel): Kernel {
  const at = reader(kernel);
  return build(kernel.shape, (r, c, k) => at(r, kernel.shape[1] - 1 - c, k));
}

/** Mirror top and bottom. */
export function flipRows(kernel: Kernel): Kernel {
  const at = reader(kernel);
  return build(kernel.shape, (r, c, k) => at(kernel.shape[0] - 1 - r, c, k));
}

/** Sum in float64; null where a tap is NaN or infinite. */
function finiteSum(values: Float32Array, of: (value: number) => number): number | null {
  let total = 0;
  for (const v of values) total += of(v);
  return Number.isFinite(total) ? total : null;
}

const NOT_FINITE: Outcome = {
  ok: false,
  why: "The kernel holds NaN or infinity; correct those cells first.",
};

/** Divide by the sum over all taps and channels, so that a constant image keeps its brightness. */
export function normaliseSum(kernel: Kernel): Outcome {
  const total = finiteSum(kernel.values, (v) => v);
  if (total === null) return NOT_FINITE;
  // A sum that is only the rounding of its terms is a zero sum.
  const size = finiteSum(kernel.values, Math.abs) ?? 0;
  if (Math.abs(total) <= size * 1e-6) {
    return { ok: false, why: "The kernel sums to 0, so no factor makes it sum to 1. “Unit norm” works." };
  }
  return done(map(kernel, (v) => v / total));
}

/** Subtract the mean over all taps and channels, so that a constant image gives 0. */
export function zeroMean(kernel: Kernel): Outcome {
  const total = finiteSum(kernel.values, (v) => v);
  if (total === null) return NOT_FINITE;
  return done(map(kernel, (v) => v - total / kernel.values.length));
}

/** Divide by the root of the sum of squares. */
export function unitNorm(kernel: Kernel): Outcome {
  const squares = finiteSum(kernel.values, (v) => v * v);
  if (squares === null) return NOT_FINITE;
  if (squares === 0) return { ok: false, why: "Every cell is 0: there is no norm to divide by." };
  return done(map(kernel, (v) => v / Math.sqrt(squares)));
}

const centre = (size: number) => (size - 1) >> 1;

/** Another size around the same centre tap: zeros are added, or the rim is cut off. */
export function resize(kernel: Kernel, rows: number, cols: number): Kernel {
  const [oldRows, oldCols, channels] = kernel.shape;
  const at = reader(kernel);
  const down = centre(rows) - centre(oldRows);
  const right = centre(cols) - centre(oldCols);
  return build([rows, cols, channels], (r, c, k) => at(r - down, c - right, k));
}

/** A 2-D kernel on each of `channels`, divided by their number: a grey picture gives the same map as with one channel. */
export function spread(rows: number, cols: number, values: ArrayLike<number>, channels: number): Kernel {
  return build([rows, cols, channels], (r, c) => (values[r * cols + c] as number) / channels);
}
