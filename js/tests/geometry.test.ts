import { describe, expect, test } from "vitest";
import { axisPads, firstChannel, outputLength, reshaped, windowAt } from "../maths/geometry.ts";
import { fixture } from "./fake-host.ts";

const BASE = fixture({ rows: 5, cols: 5, size: 2, kernels: [new Float32Array(4)] }).python.geometry;

describe("the size of a map", () => {
  test("a 2×2 kernel leaves 4×4 of 5×5", () => {
    expect(BASE.output_shape).toEqual([4, 4]);
  });

  // Keras's documentation: valid ⌊(n − extent) / stride⌋ + 1, same ⌈n / stride⌉.
  test.each([
    [7, 3, 1, 1, "valid", 5],
    [7, 3, 2, 1, "valid", 3],
    [8, 3, 2, 1, "valid", 3],
    [7, 3, 1, 2, "valid", 3],
    [7, 3, 1, 1, "same", 7],
    [7, 3, 2, 1, "same", 4],
    [8, 3, 3, 1, "same", 3],
  ] as const)(
    "of %d at kernel %d, stride %d, dilation %d, %s is %d",
    (n, k, stride, dilation, padding, out) => {
      expect(outputLength(n, k, stride, dilation, padding)).toBe(out);
    },
  );

  test("is below one where the kernel does not fit", () => {
    expect(outputLength(3, 4, 1, 1, "valid")).toBe(0);
  });
});

describe("padding", () => {
  test("puts the odd zero after the image, as TensorFlow does", () => {
    expect(axisPads(5, 4, 1, 1, "same")).toEqual([1, 2]);
    expect(axisPads(5, 2, 1, 1, "same")).toEqual([0, 1]);
    expect(axisPads(6, 3, 2, 1, "same")).toEqual([0, 1]);
    expect(axisPads(5, 3, 1, 2, "same")).toEqual([2, 2]);
  });

  test("is never negative: a stride beyond the kernel skips pixels", () => {
    expect(axisPads(5, 1, 3, 1, "same")).toEqual([0, 0]);
  });
});

test("a pixel's receptive field begins stride × pixel − padding and steps by the dilation", () => {
  const geometry = reshaped(BASE, {
    input_shape: [9, 9, 1],
    kernel_size: [3, 3],
    padding: "same",
    dilation_rate: [2, 1],
  });
  expect(windowAt(geometry, 0, 4)).toEqual({ rows: [-2, 0, 2], cols: [3, 4, 5] });
});

test("each filter reads its own group's channels", () => {
  const grouped = reshaped(BASE, { input_shape: [5, 5, 4], groups: 2, kernel_channels: 2, filters: 6 });
  expect([0, 2, 3, 5].map((i) => firstChannel(grouped, i))).toEqual([0, 0, 2, 2]);
  const depthwise = reshaped(BASE, {
    kind: "depthwise",
    input_shape: [5, 5, 3],
    kernel_channels: 1,
    filters: 6,
  });
  expect([0, 1, 2, 5].map((i) => firstChannel(depthwise, i))).toEqual([0, 0, 1, 2]);
});
