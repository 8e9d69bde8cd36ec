/** Layers and pictures drawn at random, for tests of what previews them. */
import fc from "fast-check";
import { reshaped } from "../maths/geometry.ts";
import type { Geometry } from "../protocol/records.ts";
import { fixture } from "./fake-host.ts";

export const BASE = fixture().python.geometry;

export const geometries = fc
  .record({
    rows: fc.integer({ min: 1, max: 11 }),
    cols: fc.integer({ min: 1, max: 13 }),
    channels: fc.integer({ min: 1, max: 3 }),
    kh: fc.integer({ min: 1, max: 6 }),
    kw: fc.integer({ min: 1, max: 6 }),
    stride: fc.constantFrom([1, 1], [2, 2], [1, 3], [3, 2]),
    dilation: fc.constantFrom([1, 1], [2, 2], [1, 3]),
    padding: fc.constantFrom("valid" as const, "same" as const),
  })
  .map(({ rows, cols, channels, kh, kw, stride, dilation, padding }) =>
    reshaped(BASE, {
      input_shape: [rows, cols, channels],
      kernel_size: [kh, kw],
      kernel_channels: channels,
      strides: stride as [number, number],
      dilation_rate: dilation as [number, number],
      padding,
    }),
  )
  .filter(({ output_shape }) => Math.min(...output_shape) > 0);

/** Reproducible numbers between −1 and 1. */
export function noise(length: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

function planesOf(geometry: Geometry, image: Float32Array): Float32Array[] {
  const channels = geometry.input_shape[2];
  return Array.from({ length: channels }, (_, c) => image.filter((_, i) => i % channels === c));
}

export function scene(geometry: Geometry, seed: number) {
  const [rows, cols, channels] = geometry.input_shape;
  const image = noise(rows * cols * channels, seed);
  const kernel = noise(geometry.kernel_size[0] * geometry.kernel_size[1] * channels, seed + 1);
  const pre = new Float32Array(geometry.output_shape[0] * geometry.output_shape[1]);
  return { image, kernel, planes: planesOf(geometry, image), pre };
}
