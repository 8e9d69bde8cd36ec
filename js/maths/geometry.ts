/** How a convolution layer reads its input, in plain arithmetic; mirrors src/convlens/maths/geometry.py. */
import type { Geometry } from "../protocol/records.ts";
import { kindOf } from "./kinds.ts";

type Pair = [number, number];

/** Rows and columns that a dilated kernel spans. */
export function extent(size: number, dilation: number): number {
  return dilation * (size - 1) + 1;
}

/** Length of one axis of the map, by Keras's rules for `valid`, `same` and `causal`; below 1 where the kernel does not fit. */
export function outputLength(
  length: number,
  size: number,
  stride: number,
  dilation: number,
  padding: Geometry["padding"],
): number {
  if (padding !== "valid") return Math.ceil(length / stride);
  return Math.floor((length - extent(size, dilation)) / stride) + 1;
}

/** Zeros before and after one axis; the odd one goes after, as in TensorFlow. */
export function axisPads(
  length: number,
  size: number,
  stride: number,
  dilation: number,
  padding: Geometry["padding"],
): Pair {
  if (padding === "valid") return [0, 0];
  if (padding === "causal") return [extent(size, dilation) - 1, 0];
  const out = outputLength(length, size, stride, dilation, padding);
  const total = Math.max(0, (out - 1) * stride + extent(size, dilation) - length);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** The geometry with another kernel size or other settings, its shapes and pads recomputed. */
export function reshaped(geometry: Geometry, changes: Partial<Geometry>): Geometry {
  const next = { ...geometry, ...changes };
  const [rows, cols] = next.input_shape;
  const axis = (length: number, i: 0 | 1) =>
    [length, next.kernel_size[i], next.strides[i], next.dilation_rate[i], next.padding] as const;
  return {
    ...next,
    output_shape: [outputLength(...axis(rows, 0)), outputLength(...axis(cols, 1))],
    pads: [...axisPads(...axis(rows, 0)), ...axisPads(...axis(cols, 1))],
    weight_shape: kindOf(next)
      .weightShape(next)
      .slice(next.rank === 1 ? 1 : 0),
  };
}

/**
 * Input rows and columns that one output pixel reads; those below 0 or past the end lie in the padding. A transposed
 * convolution reads the input pixels that spread to this one; −1 stands for taps that fall between its strides.
 */
export function windowAt(geometry: Geometry, row: number, col: number): { rows: number[]; cols: number[] } {
  const { kernel_size, strides, dilation_rate, pads } = geometry;
  if (kindOf(geometry).spreads) {
    return { rows: spreadFrom(geometry, row, 0), cols: spreadFrom(geometry, col, 1) };
  }
  const along = (size: number, start: number, step: number) =>
    Array.from({ length: size }, (_, i) => start + i * step);
  return {
    rows: along(kernel_size[0], row * strides[0] - pads[0], dilation_rate[0]),
    cols: along(kernel_size[1], col * strides[1] - pads[2], dilation_rate[1]),
  };
}

/** The rows and columns of `windowAt` to draw: a transposed convolution's lie only in the input. */
export function drawnWindow(
  geometry: Geometry,
  row: number,
  col: number,
): { rows: number[]; cols: number[] } {
  const { rows, cols } = windowAt(geometry, row, col);
  if (!kindOf(geometry).spreads) return { rows, cols };
  const within = (along: number[], count: number) =>
    along.filter((at) => at >= 0 && at < count).sort((a, b) => a - b);
  return { rows: within(rows, geometry.input_shape[0]), cols: within(cols, geometry.input_shape[1]) };
}

/** tf.nn.conv2d_transpose: input i reaches output i × stride + tap × dilation − cut; "same" cuts at both ends. */
function spreadFrom(geometry: Geometry, position: number, axis: 0 | 1): number[] {
  const { input_shape, output_shape, padding } = geometry;
  const [size, stride, dilation] = [
    geometry.kernel_size[axis],
    geometry.strides[axis],
    geometry.dilation_rate[axis],
  ];
  const more = (input_shape[axis] - 1) * stride + extent(size, dilation) - output_shape[axis];
  const cut = padding === "same" ? Math.floor(Math.max(0, more) / 2) : 0;
  return Array.from({ length: size }, (_, tap) => {
    const reached = position + cut - tap * dilation;
    return reached % stride === 0 ? reached / stride : -1;
  });
}

/** Input channel that the first plane of filter `index` reads. */
export function firstChannel(geometry: Geometry, index: number): number {
  return kindOf(geometry).firstChannel(geometry, index);
}
