/**
 * The linear update. A correlation is linear in its kernel: changing tap (r, c, channel) by d adds d × the input plane of
 * that channel, shifted by (r, c), strided and padded as the layer is. One pass over the map, whatever the kernel's size.
 *
 * Taps that fall into the padding add nothing, as in Keras, where even an infinite tap does not.
 */
import type { Geometry, Stage } from "../protocol/records.ts";
import type { Activation } from "./activations.ts";
import { finish, Scan, type Survey, scan } from "./map-survey.ts";

/** The output rows or columns that one tap reaches along one axis, and the input index that the first of them reads. */
interface Reach {
  from: number;
  /** Past the last. */
  to: number;
  input: number;
}

function reach(
  tap: number,
  dilation: number,
  stride: number,
  pad: number,
  outputs: number,
  inputs: number,
): Reach {
  const offset = tap * dilation - pad;
  const from = Math.max(0, Math.ceil(-offset / stride));
  const to = Math.min(outputs, Math.floor((inputs - 1 - offset) / stride) + 1);
  return { from, to: Math.max(from, to), input: from * stride + offset };
}

function reaches(geometry: Geometry, tap: number): { y: Reach; x: Reach } {
  const { kernel_size, kernel_channels, strides, dilation_rate, pads, output_shape, input_shape } = geometry;
  const cell = Math.floor(tap / kernel_channels);
  const [r, c] = [Math.floor(cell / kernel_size[1]), cell % kernel_size[1]];
  return {
    y: reach(r, dilation_rate[0], strides[0], pads[0], output_shape[0], input_shape[0]),
    x: reach(c, dilation_rate[1], strides[1], pads[2], output_shape[1], input_shape[1]),
  };
}

/** Add `delta` × the plane that a tap sees to a pre-activation. `tap` is a C-order index into (row, column, channel). */
export function addTap(
  geometry: Geometry,
  plane: Float32Array,
  tap: number,
  delta: number,
  pre: Float32Array,
  fromRow = 0,
  toRow: number = geometry.output_shape[0],
): void {
  const cols = geometry.output_shape[1];
  const inCols = geometry.input_shape[1];
  const [strideY, strideX] = geometry.strides;
  const { y, x } = reaches(geometry, tap);
  for (let i = Math.max(y.from, fromRow), last = Math.min(y.to, toRow); i < last; i++) {
    let p = (y.input + (i - y.from) * strideY) * inCols + x.input;
    for (let o = i * cols + x.from, end = i * cols + x.to; o < end; o++, p += strideX) {
      pre[o] = (pre[o] as number) + delta * (plane[p] as number);
    }
  }
}

/**
 * `addTap` only for the pixels at the crossings of some rows and columns of the map; `pre` has those pixels, row-major.
 */
export function addTapAt(
  geometry: Geometry,
  plane: Float32Array,
  tap: number,
  delta: number,
  pre: Float32Array,
  rows: Int32Array,
  cols: Int32Array,
): void {
  const inCols = geometry.input_shape[1];
  const [strideY, strideX] = geometry.strides;
  const { y, x } = reaches(geometry, tap);
  // Both ascend.
  const first = cols.findIndex((col) => col >= x.from);
  const reads = cols.filter((col) => col >= x.from && col < x.to);
  for (let i = 0; i < reads.length; i++) reads[i] = x.input + ((reads[i] as number) - x.from) * strideX;
  rows.forEach((row, i) => {
    if (row < y.from || row >= y.to) return;
    const line = (y.input + (row - y.from) * strideY) * inCols;
    for (let j = 0, o = i * cols.length + first; j < reads.length; j++, o++)
      pre[o] = (pre[o] as number) + delta * (plane[line + (reads[j] as number)] as number);
  });
}

/**
 * Pre-activation of one filter, computed as a whole, rows `fromRow` to before `toRow`.
 *
 * `planes[i]` is the input plane that channel i of the kernel reads. Each pixel is summed in float64 and rounded once.
 * `finite`: no plane and no tap is NaN or infinite.
 */
export function correlate(
  geometry: Geometry,
  planes: readonly Float32Array[],
  kernel: Float32Array,
  bias: number,
  pre: Float32Array,
  finite: boolean,
  fromRow = 0,
  toRow: number = geometry.output_shape[0],
): void {
  const cols = geometry.output_shape[1];
  if (!finite) {
    // Zeros in the padding must not meet an infinite tap.
    pre.fill(bias, fromRow * cols, toRow * cols);
    kernel.forEach((value, tap) => {
      const plane = planes[tap % geometry.kernel_channels] as Float32Array;
      addTap(geometry, plane, tap, value, pre, fromRow, toRow);
    });
    return;
  }
  const [inRows, inCols] = geometry.input_shape;
  const [kh, kw] = geometry.kernel_size;
  const [strideY, strideX] = geometry.strides;
  const [dilationY, dilationX] = geometry.dilation_rate;
  const [top, , left, right] = geometry.pads;
  const depth = geometry.kernel_channels;
  const sums = new Float64Array(cols);
  const line = new Float64Array(left + inCols + right);
  const taps = new Float64Array(kw);
  for (let i = fromRow; i < toRow; i++) {
    sums.fill(bias);
    for (let r = 0; r < kh; r++) {
      const y = i * strideY - top + r * dilationY;
      if (y < 0 || y >= inRows) continue;
      for (let channel = 0; channel < depth; channel++) {
        for (let c = 0; c < kw; c++) taps[c] = kernel[(r * kw + c) * depth + channel] as number;
        line.set((planes[channel] as Float32Array).subarray(y * inCols, (y + 1) * inCols), left);
        addRow(sums, line, taps, strideX, dilationX);
      }
    }
    pre.set(sums, i * cols);
  }
}

/** One kernel row over one padded input row; four taps a pass, since each pass costs a load and a store of the sums. */
function addRow(
  sums: Float64Array,
  line: Float64Array,
  taps: Float64Array,
  stride: number,
  dilation: number,
): void {
  const n = sums.length;
  let c = 0;
  for (; c + 4 <= taps.length; c += 4) {
    const [t0, t1, t2, t3] = [taps[c], taps[c + 1], taps[c + 2], taps[c + 3]] as [
      number,
      number,
      number,
      number,
    ];
    const [p0, p1, p2, p3] = [
      c * dilation,
      (c + 1) * dilation,
      (c + 2) * dilation,
      (c + 3) * dilation,
    ] as const;
    for (let j = 0, p = 0; j < n; j++, p += stride) {
      sums[j] =
        (sums[j] as number) +
        t0 * (line[p + p0] as number) +
        t1 * (line[p + p1] as number) +
        t2 * (line[p + p2] as number) +
        t3 * (line[p + p3] as number);
    }
  }
  for (; c < taps.length; c++) {
    const tap = taps[c] as number;
    for (let j = 0, p = c * dilation; j < n; j++, p += stride)
      sums[j] = (sums[j] as number) + tap * (line[p] as number);
  }
}

/** The same for one pixel; float64, not rounded. */
export function correlateAt(
  geometry: Geometry,
  planes: readonly Float32Array[],
  kernel: Float32Array,
  bias: number,
  row: number,
  col: number,
): number {
  const inCols = geometry.input_shape[1];
  let sum = bias;
  kernel.forEach((value, tap) => {
    const { y, x } = reaches(geometry, tap);
    if (row < y.from || row >= y.to || col < x.from || col >= x.to) return;
    const inRow = y.input + (row - y.from) * geometry.strides[0];
    const inCol = x.input + (col - x.from) * geometry.strides[1];
    sum += value * (planes[tap % geometry.kernel_channels]?.[inRow * inCols + inCol] ?? Number.NaN);
  });
  return sum;
}

/**
 * `scan` of pre[o..end) after adding delta × plane[p..]: one pass, unrolled, without a branch that depends on the picture.
 * The processor cannot predict the signs of an edge map, and each misprediction costs more than everything else here.
 */
function addAndScan(
  pre: Float32Array,
  o: number,
  end: number,
  plane: Float32Array,
  p: number,
  delta: number,
  s: Scan,
): void {
  const { zeroFrom, zeroTo } = s;
  const { fround } = Math;
  let { low, high, zeros } = s;
  for (const end4 = end - 3; o < end4; o += 4, p += 4) {
    const a = fround((pre[o] as number) + delta * (plane[p] as number));
    const b = fround((pre[o + 1] as number) + delta * (plane[p + 1] as number));
    const c = fround((pre[o + 2] as number) + delta * (plane[p + 2] as number));
    const d = fround((pre[o + 3] as number) + delta * (plane[p + 3] as number));
    pre[o] = a;
    pre[o + 1] = b;
    pre[o + 2] = c;
    pre[o + 3] = d;
    if (a > high) high = a;
    if (a < low) low = a;
    if (b > high) high = b;
    if (b < low) low = b;
    if (c > high) high = c;
    if (c < low) low = c;
    if (d > high) high = d;
    if (d < low) low = d;
    zeros +=
      (Number(a <= zeroTo) & Number(a >= zeroFrom)) +
      (Number(b <= zeroTo) & Number(b >= zeroFrom)) +
      (Number(c <= zeroTo) & Number(c >= zeroFrom)) +
      (Number(d <= zeroTo) & Number(d >= zeroFrom));
  }
  s.low = low;
  s.high = high;
  s.zeros = zeros;
  for (const from = o; o < end; o++, p++) {
    pre[o] = (pre[o] as number) + delta * (plane[p] as number);
    if (o === end - 1) scan(pre, from, end, s);
  }
}

/** `addTap` and `survey` in one pass, for finite numbers and a monotone activation. */
export function update(
  geometry: Geometry,
  plane: Float32Array,
  tap: number,
  delta: number,
  pre: Float32Array,
  activation: Activation,
  stage: Stage,
): Survey {
  const [rows, cols] = geometry.output_shape;
  const s = new Scan(...activation.zeros);
  const { y, x } = reaches(geometry, tap);
  // A tap that only ever lies in the padding reaches no column.
  const fused = geometry.strides[1] === 1 && x.from < x.to;
  if (!fused) addTap(geometry, plane, tap, delta, pre);
  for (let i = 0; i < rows; i++) {
    const start = i * cols;
    if (!fused || i < y.from || i >= y.to) {
      scan(pre, start, start + cols, s);
      continue;
    }
    const p = (y.input + (i - y.from) * geometry.strides[0]) * geometry.input_shape[1] + x.input;
    scan(pre, start, start + x.from, s);
    addAndScan(pre, start + x.from, start + x.to, plane, p, delta, s);
    scan(pre, start + x.to, start + cols, s);
  }
  return finish(s, activation, stage);
}

/**
 * A bound on the magnitude of every number met in computing the map, Infinity where one of them may be NaN or infinite.
 * Where it is finite, sums and differences are, and the linear update is exact to rounding.
 */
export function magnitude(kernel: Float32Array, bias: number, planes: readonly number[]): number {
  let sum = Math.abs(bias);
  kernel.forEach((value, tap) => {
    sum += Math.abs(value) * (planes[tap % planes.length] as number);
  });
  return sum < 1e38 ? sum : Infinity;
}

/** Largest magnitude in a plane, Infinity where it holds NaN or infinity. */
export function planeMagnitude(plane: Float32Array): number {
  let most = 0;
  for (let i = 0; i < plane.length; i++) {
    const v = Math.abs(plane[i] as number);
    if (!(v <= most)) most = Number.isNaN(v) ? Infinity : v;
  }
  return most;
}
