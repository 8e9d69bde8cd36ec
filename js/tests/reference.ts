/** A correlation written for reading, not for speed: the reference of the tests' own kernel. */
import { windowAt } from "../maths/geometry.ts";
import type { Geometry, MapRecord, Stage } from "../protocol/records.ts";

/** Pre-activation of one filter, each pixel summed in float64. `image` is C order: row, column, channel. */
export function correlateSlowly(
  geometry: Geometry,
  image: Float32Array,
  kernel: Float32Array,
  bias: number,
  firstChannel: number,
): Float32Array {
  const [rows, cols] = geometry.output_shape;
  const [inRows, inCols, inChannels] = geometry.input_shape;
  const { kernel_size, kernel_channels: depth } = geometry;
  const out = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const field = windowAt(geometry, row, col);
      let sum = bias;
      field.rows.forEach((y, r) => {
        field.cols.forEach((x, c) => {
          if (y < 0 || y >= inRows || x < 0 || x >= inCols) return;
          for (let channel = 0; channel < depth; channel++) {
            const tap = kernel[(r * kernel_size[1] + c) * depth + channel] ?? 0;
            sum += tap * (image[(y * inCols + x) * inChannels + firstChannel + channel] ?? 0);
          }
        });
      });
      out[row * cols + col] = sum;
    }
  }
  return out;
}

/** ReLU or nothing: all that the tests' own kernel needs. */
export function activateSlowly(pre: Float32Array, activation: string): Float32Array {
  if (activation === "linear") return pre;
  if (activation === "relu") return pre.map((v) => Math.max(v, 0));
  throw new Error(`the tests' own kernel does not know ${activation}`);
}

/** A map as the kernel sends it. */
export function quantise(
  activation: Float32Array,
  pre: Float32Array,
  stage: Stage,
  shape: [number, number] = [1, pre.length],
): MapRecord {
  const values = stage === "activation" ? activation : pre;
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const range: [number, number] = finite.length ? [low, high] : [0, 0];
  const level = (v: number) =>
    high > low ? Math.max(0, Math.min(255, Math.floor(((v - low) / (high - low)) * 256))) : 0;
  const flag = (v: number) => (Number.isNaN(v) ? 1 : v === Infinity ? 2 : v === -Infinity ? 3 : 0);
  const flags = Uint8Array.from(values, flag);
  const count = (kind: number) => flags.reduce((n, f) => n + (f === kind ? 1 : 0), 0);
  return {
    stage,
    range,
    shape,
    levels: Uint8Array.from(values, (v) => (Number.isFinite(v) ? level(v) : 0)),
    flags: flags.some(Boolean) ? flags : null,
    counts: {
      nan: count(1),
      posinf: count(2),
      neginf: count(3),
      zeros: activation.reduce((n, v) => n + (v === 0 ? 1 : 0), 0),
    },
  };
}
