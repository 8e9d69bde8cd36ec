import fc from "fast-check";
import { expect, test } from "vitest";
import { addUp, agrees, convolved, explain, largestFirst, readPatch, turn } from "../maths/explanation.ts";
import { drawnWindow, firstChannel, reshaped } from "../maths/geometry.ts";
import type { Geometry } from "../protocol/records.ts";
import { fixture } from "./fake-host.ts";
import { correlateSlowly } from "./reference.ts";

const base = fixture().python.geometry;

const cases = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    cols: fc.integer({ min: 1, max: 9 }),
    size: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    stretch: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilated: fc.boolean(),
    padding: fc.constantFrom("valid" as const, "same" as const),
    layer: fc.constantFrom(
      { kind: "conv" as const, channels: 1, depth: 1, groups: 1, filters: 2 },
      { kind: "conv" as const, channels: 3, depth: 3, groups: 1, filters: 2 },
      { kind: "conv" as const, channels: 4, depth: 2, groups: 2, filters: 4 },
      { kind: "depthwise" as const, channels: 3, depth: 1, groups: 1, filters: 6 },
    ),
    seed: fc.integer(),
    at: fc.tuple(fc.nat(), fc.nat()),
  })
  .map(({ rows, cols, size, stretch, dilated, padding, layer, seed, at }) => {
    const geometry: Geometry = reshaped(base, {
      kind: layer.kind,
      input_shape: [rows, cols, layer.channels],
      kernel_channels: layer.depth,
      groups: layer.groups,
      filters: layer.filters,
      kernel_size: size,
      strides: dilated ? [1, 1] : stretch,
      dilation_rate: dilated ? stretch : [1, 1],
      padding,
    });
    return { geometry, seed, at };
  })
  .filter(({ geometry }) => Math.min(...geometry.output_shape) > 0);

/** Numbers of a sequence, −1 to 1, as float32. */
function noise(length: number, seed: number): Float32Array {
  let state = seed | 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

test("the sum is the pre-activation, at any pixel of any geometry", () => {
  fc.assert(
    fc.property(cases, ({ geometry, seed, at }) => {
      const [rows, cols, channels] = geometry.input_shape;
      const depth = geometry.kernel_channels;
      const image = noise(rows * cols * channels, seed);
      const kernel = noise(geometry.kernel_size[0] * geometry.kernel_size[1] * depth, seed + 7);
      const index = at[0] % geometry.filters;
      const first = firstChannel(geometry, index);
      const planes = Array.from({ length: depth }, (_, i) =>
        Float32Array.from({ length: rows * cols }, (_, p) => image[p * channels + first + i] as number),
      );
      const [row, col] = [at[0] % geometry.output_shape[0], at[1] % geometry.output_shape[1]];
      const e = explain(readPatch(geometry, planes, row, col), kernel, 0.25);
      const expected = correlateSlowly(geometry, image, kernel, 0.25, first);
      const pre = expected[row * geometry.output_shape[1] + col] as number;
      expect(Math.abs(e.total - pre)).toBeLessThan(1e-5 * Math.max(1, e.scale));
      expect(agrees(e, pre)).toBe(true);
      e.products.forEach((product, i) => {
        expect(product).toBe(Math.fround((e.values[i] as number) * (kernel[i] as number)) + 0);
      });
      e.inside.forEach((reads, cell) => {
        const values = [...e.values.subarray(cell * depth, (cell + 1) * depth)];
        if (!reads) expect(values).toEqual(values.map(() => 0));
      });
    }),
  );
});

test("a tap in the padding adds nothing, even an infinite one", () => {
  const geometry = reshaped(base, { input_shape: [3, 3, 1], kernel_size: [3, 3], padding: "same" });
  const kernel = new Float32Array(9).fill(1);
  kernel[0] = Number.POSITIVE_INFINITY;
  const e = explain(readPatch(geometry, [new Float32Array(9).fill(2)], 0, 0), kernel, 0);
  // At a corner four of nine taps read the image.
  expect(e.inside.filter(Boolean)).toHaveLength(4);
  expect(e.total).toBe(8);
});

test("a transposed layer reads the pixels that spread to this one, and nothing between its strides", () => {
  const geometry: Geometry = {
    ...base,
    kind: "transpose",
    input_shape: [3, 3, 1],
    output_shape: [7, 7],
    kernel_size: [3, 3],
    strides: [2, 2],
  };
  const image = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const patch = readPatch(geometry, [image], 4, 3);
  // Output row 4 is input row 2 by tap 0 and input row 1 by tap 2; output column 3 is input column 1 by tap 1.
  expect([...patch.values]).toEqual([0, 8, 0, 0, 0, 0, 0, 5, 0]);
  expect(drawnWindow(geometry, 4, 3)).toEqual({ rows: [1, 2], cols: [1] });
  expect(explain(patch, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), 0).total).toBe(2 * 8 + 8 * 5);
});

test("another number than the sum is not said to agree with it", () => {
  const e = explain(
    readPatch(base, [new Float32Array(24 * 32).fill(1)], 0, 0),
    new Float32Array(16).fill(0.1),
    0,
  );
  expect(agrees(e, 1.6)).toBe(true);
  expect(agrees(e, 1.6001)).toBe(false);
  expect(agrees(e, Number.NaN)).toBe(false);
});

test("the largest products come first, and NaN before them", () => {
  expect(largestFirst(Float32Array.of(1, -3, 0, Number.NaN, 2))).toEqual([3, 1, 4, 0, 2]);
});

test("a convolution with the turned kernel is the correlation with the kernel", () => {
  const geometry = reshaped(base, { input_shape: [4, 4, 2], kernel_size: [3, 2], kernel_channels: 2 });
  const kernel = noise(12, 3);
  const e = explain(readPatch(geometry, [noise(16, 1), noise(16, 2)], 1, 1), kernel, 0.5);
  expect(convolved(e, turn(kernel, 2), 0.5, 2)).toBeCloseTo(e.total, 6);
  expect([...turn(Float32Array.of(1, 2, 3, 4), 1)]).toEqual([4, 3, 2, 1]);
  expect([...turn(Float32Array.of(1, 10, 2, 20), 2)]).toEqual([2, 20, 1, 10]);
});

const shown = (text: string) => Number(text.replace("−", "-"));

test("what is shown adds up in the digits that are shown", () => {
  expect(addUp([0.14, 0.24], 0.38)).toEqual({ terms: ["0.14", "0.24"], total: "0.38", exact: true });
  expect(addUp([2, -3], -1)).toEqual({ terms: ["2", "−3"], total: "−1", exact: true });
  const thirds = addUp([1 / 3, 1 / 3, 0], 2 / 3);
  expect(thirds.exact).toBe(false);
  expect(shown(thirds.terms[0] ?? "") + shown(thirds.terms[1] ?? "")).toBeCloseTo(shown(thirds.total), 12);
  expect(addUp([Number.NaN], Number.NaN).total).toBe("NaN");
  expect(addUp([Number.NEGATIVE_INFINITY, 1], Number.NEGATIVE_INFINITY).total).toBe("−∞");
});

test("up to four terms add up to their sum as they are shown, each within one unit of its last digit", () => {
  const term = fc.double({ min: -1e4, max: 1e4, noNaN: true });
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 4 }), (values) => {
      const sum = values.reduce((a, b) => a + b, 0);
      const { terms, total } = addUp(values, sum);
      const unit = 10 ** -Math.max(...[...terms, total].map((text) => text.split(".")[1]?.length ?? 0));
      const units = (text: string) => Math.round(shown(text) / unit);
      expect(terms.reduce((left, text) => left - units(text), units(total))).toBe(0);
      expect(Math.abs(shown(total) - sum)).toBeLessThanOrEqual(0.501 * unit);
      values.forEach((value, i) => {
        expect(Math.abs(shown(terms[i] ?? "") - value)).toBeLessThanOrEqual(1.001 * unit);
      });
    }),
  );
});
