/** Edits that cancel out leave rounding errors of all that was summed, which are not a disagreement with Keras. */
import { expect, test } from "vitest";
import { activationOf } from "../maths/activations.ts";
import { reshaped } from "../maths/geometry.ts";
import { planeMagnitude } from "../maths/linear-update.ts";
import { DeepPreview } from "../preview/deep-preview.ts";
import { FullPreview } from "../preview/full-preview.ts";
import { fixture } from "./fake-host.ts";

const geometry = reshaped(fixture().python.geometry, {
  input_shape: [9, 8, 1],
  kernel_size: [3, 3],
  kernel_channels: 1,
});
const plane = Float32Array.from({ length: 72 }, (_, i) => Math.fround(Math.sin(i * i)));
const relu = activationOf("relu", {});
if (!relu) throw new Error("the browser knows relu");

const weights = (kernel: number[], bias = 0) => ({ kernel: Float32Array.from(kernel), bias });
const FEW = weights([0.1, 0, 0.7, 0, 0, 0, 0, 0, -0.3], 0.25);
const OFF = weights(Array(9).fill(0));

function full(): FullPreview {
  const planes = { plane: () => plane, magnitude: () => planeMagnitude(plane) };
  return new FullPreview(geometry, relu as NonNullable<typeof relu>, planes, 0);
}

function deep(): DeepPreview {
  const first = full();
  first.show(FEW, "activation");
  const base = { pre: first.pre, weights: FEW, plane: () => plane };
  return new DeepPreview(geometry, relu as NonNullable<typeof relu>, base);
}

test.each([
  ["the whole input", full],
  ["some of its planes", deep],
])("with %s, a filter that is switched off again and again is exactly zero", (_, make) => {
  const preview = make();
  for (const step of [FEW, OFF, FEW, OFF]) preview.show(step, "activation");
  expect(preview.isAt(OFF)).toBe(true);
  expect(preview.pre.every((value) => value === 0)).toBe(true);
});

test.each([
  ["the whole input", full],
  ["some of its planes", deep],
])("with %s, the bound of what was summed outlives an edit that takes a large number back", (_, make) => {
  const preview = make();
  preview.show(FEW, "activation");
  const large = weights([1e6, ...FEW.kernel.slice(1)], FEW.bias);
  preview.show(large, "activation");
  preview.show(FEW, "activation");
  expect(preview.met).toBeGreaterThanOrEqual(preview.magnitude(large));
  expect(preview.magnitude(FEW)).toBeLessThan(100);
});
