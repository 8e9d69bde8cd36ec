/** Where each axis goes: shapes with the names of their axes, the output's length as a formula, and a reshape to avoid. */
import type { Geometry } from "../protocol/records.ts";
import { extent } from "./geometry.ts";
import { type Axis, kindOf } from "./kinds.ts";

export interface Dimension {
  size: number;
  /** What the axis is called here. */
  name: string;
  axis: Axis;
}

export type Shape = Dimension[];

const dimension = (
  axis: Axis,
  size: number,
  name: string = axis === "cols" ? "columns" : axis,
): Dimension => ({
  axis,
  size,
  name,
});

/** Rows and columns; steps for a signal. */
function planeOf({ rank }: Geometry, [rows, cols]: readonly [number, number], of = ""): Shape {
  if (rank === 1) return [dimension("cols", cols, `${of}steps`)];
  return [dimension("rows", rows, `${of}rows`), dimension("cols", cols, `${of}columns`)];
}

/** A batch of one picture, in the order that the layer wants its axes. */
export function batchShape(
  geometry: Geometry,
  [rows, cols]: readonly number[],
  depth: number,
  axis: Axis,
): Shape {
  const plane = planeOf(geometry, [rows ?? 0, cols ?? 0]);
  const last = dimension(axis, depth);
  return [
    dimension("batch", 1),
    ...(geometry.data_format === "channels_first" ? [last, ...plane] : [...plane, last]),
  ];
}

export function imageShape(geometry: Geometry): Shape {
  const [rows, cols, channels] = geometry.input_shape;
  const plane = planeOf(geometry, [rows, cols]);
  return channels === 1 ? plane : [...plane, dimension("channels", channels)];
}

/** One kernel of the list. */
export function kernelShape(geometry: Geometry): Shape {
  const { kernel_size, kernel_channels, input_shape } = geometry;
  const plane = planeOf(geometry, kernel_size);
  return input_shape[2] === 1 || kernel_channels === 1
    ? plane
    : [...plane, dimension("channels", kernel_channels)];
}

/** The axes of Keras's kernel variable, by its class. */
export function weightShape(geometry: Geometry): Shape {
  const rest = geometry.weight_shape.slice(-2);
  const plane = planeOf(geometry, geometry.kernel_size, "kernel ");
  const others = kindOf(geometry).weightAxes(geometry);
  return [...plane, ...others.map(([axis, name], i) => dimension(axis, rest[i] ?? 0, name))];
}

export function outputShape(geometry: Geometry): Shape {
  return batchShape(geometry, geometry.output_shape, geometry.filters, "filters");
}

/** Length of an output axis in the notation of components/explain/Formula.tsx: in letters, and with the numbers in them. */
export function lengthFormula(geometry: Geometry, i: 0 | 1): { letters: string; numbers: string } {
  const { padding, input_shape, kernel_size, strides, dilation_rate, output_shape } = geometry;
  const [n, k, s, d] = [input_shape[i], kernel_size[i], strides[i], dilation_rate[i]];
  const name = geometry.rank === 1 ? "steps" : i === 0 ? "rows" : "cols";
  const kernel = geometry.rank === 1 ? "k" : i === 0 ? "kh" : "kw";
  const out = output_shape[i];
  const span = extent(k, d);
  if (kindOf(geometry).spreads) {
    // With an output_padding of the user's own there is another rule; only the numbers are shown.
    const plain = padding === "same" ? n * s : n * s + Math.max(span - s, 0);
    if (plain !== out) return { letters: `${name}′`, numbers: `${out}` };
    return padding === "same"
      ? { letters: `${name}′ = ${name} · stride`, numbers: `${n} · ${s} = ${out}` }
      : {
          letters: `${name}′ = ${name} · stride + max ( extent − stride , 0 )`,
          numbers: `${n} · ${s} + ${Math.max(span - s, 0)} = ${out}`,
        };
  }
  if (padding !== "valid") {
    return { letters: `${name}′ = ⌈ {${name}/stride} ⌉`, numbers: `⌈ {${n}/${s}} ⌉ = ${out}` };
  }
  const reach = d === 1 ? kernel : `( dilation · ( ${kernel} − 1 ) + 1 )`;
  const spans = d === 1 ? `${k}` : `( ${d} · ( ${k} − 1 ) + 1 )`;
  return s === 1
    ? { letters: `${name}′ = ${name} − ${reach} + 1`, numbers: `${n} − ${spans} + 1 = ${out}` }
    : {
        letters: `${name}′ = ⌊ {${name} − ${reach}/stride} ⌋ + 1`,
        numbers: `⌊ {${n} − ${spans}/${s}} ⌋ + 1 = ${out}`,
      };
}

export interface Trap {
  /** The line that scrambles, and the correct line. */
  wrong: string;
  right: string;
  /** How many of the numbers would end up in another place, and of how many. */
  moved: number;
  of: number;
  /** Filter 0 as the wrong line makes it, C order (row, column, channel). */
  scrambled: Float32Array;
}

/**
 * What `np.reshape` makes of kernels whose axes want another order: a list of them, whose stack has the filters first, or
 * one colour kernel that was kept channels first. Null where there is nothing to confuse, or nothing would move.
 */
export function reshapeTrap(geometry: Geometry, kernels: readonly Float32Array[]): Trap | null {
  const { kind, kernel_size, kernel_channels: depth } = geometry;
  const n = kernels.length;
  if (kind !== "conv" || geometry.rank === 1 || n * depth === 1) return null;
  const [rows, cols] = kernel_size;
  const plane = rows * cols;
  const want = `(${rows}, ${cols}, ${depth}, ${n})`;
  const flat = new Float32Array(plane * depth * n);
  let moved = 0;
  kernels.forEach((kernel, f) => {
    if (n > 1) flat.set(kernel, f * kernel.length);
    else {
      for (let i = 0; i < kernel.length; i++) {
        flat[(i % depth) * plane + Math.floor(i / depth)] = kernel[i] as number;
      }
    }
  });
  kernels.forEach((kernel, f) => {
    for (let i = 0; i < kernel.length; i++) if (!Object.is(flat[i * n + f], kernel[i])) moved++;
  });
  if (moved === 0) return null;
  return {
    wrong: n > 1 ? `np.reshape(kernels, ${want})` : `np.reshape(kernel_chw, ${want})`,
    right:
      n > 1
        ? depth > 1
          ? "np.stack(kernels, axis=-1)"
          : "np.stack(kernels, axis=-1)[:, :, np.newaxis, :]"
        : "np.transpose(kernel_chw, (1, 2, 0))[..., np.newaxis]",
    moved,
    of: flat.length,
    scrambled: Float32Array.from({ length: plane * depth }, (_, i) => flat[i * n] as number),
  };
}
