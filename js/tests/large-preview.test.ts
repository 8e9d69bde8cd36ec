import fc from "fast-check";
import { expect, test } from "vitest";
import { activationOf } from "../maths/activations.ts";
import { planeMagnitude } from "../maths/linear-update.ts";
import type { Grid } from "../paint/grid.ts";
import type { Weights } from "../preview/full-preview.ts";
import { LargePreview } from "../preview/large-preview.ts";
import type { Geometry } from "../protocol/records.ts";
import { geometries, noise, scene } from "./random-layers.ts";
import { correlateSlowly } from "./reference.ts";

const relu = activationOf("relu") as NonNullable<ReturnType<typeof activationOf>>;

/** A map's blocks: each the rows and columns that it covers. */
function blocks({ part: [top, bottom, left, right], shape: [high, wide] }: Grid): number[][][] {
  const edge = (from: number, to: number, count: number, i: number) =>
    from + Math.floor((i * (to - from)) / count);
  const span = (from: number, to: number, count: number, i: number) => {
    const start = edge(from, to, count, i);
    return Array.from({ length: edge(from, to, count, i + 1) - start }, (_, k) => start + k);
  };
  return Array.from({ length: high * wide }, (_, i) => [
    span(top, bottom, high, Math.floor(i / wide)),
    span(left, right, wide, i % wide),
  ]);
}

function expectedMeans(map: Float32Array, cols: number, grid: Grid): number[] {
  return blocks(grid).map(([rows = [], columns = []]) => {
    const values = rows.flatMap((row) =>
      columns.map((col) => Math.max(0, map[row * cols + col] ?? Number.NaN)),
    );
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}

function expectClose(actual: Float32Array, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => void expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4));
}

function previewOf(geometry: Geometry, planes: Float32Array[]): LargePreview {
  const plane = (channel: number) => planes[channel] as Float32Array;
  return new LargePreview(
    geometry,
    relu,
    { plane, magnitude: (channel) => planeMagnitude(plane(channel)) },
    0,
  );
}

/** Half the map's rows and columns, so that a block has up to 2 × 2 values, or 3 × 3 at the ends. */
function halved({ output_shape: [rows, cols] }: Geometry): Grid {
  return { part: [0, rows, 0, cols], shape: [Math.ceil(rows / 2), Math.ceil(cols / 2)] };
}

const steps = fc.array(
  fc.record({
    tap: fc.nat(200),
    all: fc.boolean(),
    value: fc.integer({ min: -3, max: 3 }),
    bias: fc.integer({ min: -2, max: 2 }),
    /** How many slices are done between this edit and the next; none while the hand moves. */
    slices: fc.nat(4),
  }),
  { minLength: 1, maxLength: 8 },
);

test("whatever the hand does and wherever it rests, samples and the whole are those of the last weights", () => {
  fc.assert(
    fc.property(geometries, fc.nat(999), steps, (geometry, seed, edits) => {
      const { image, kernel, planes } = scene(geometry, seed);
      const [rows, cols] = geometry.output_shape;
      const preview = previewOf(geometry, planes);
      const half = halved(geometry);
      // So fine that every value is a sample.
      const fine: Grid = { part: [0, rows, 0, cols], shape: [rows, cols] };
      let weights: Weights = { kernel, bias: 0 };
      for (const { tap, all, value, bias, slices } of edits) {
        const next = weights.kernel.slice();
        if (all) next.set(noise(next.length, seed + value + 7));
        else next[tap % next.length] = value;
        weights = { kernel: next, bias };
        const map = correlateSlowly(geometry, image, weights.kernel, weights.bias, 0);
        const found = preview.sample(weights, "activation", [half, fine]);
        expectClose(preview.means(fine, relu.apply), expectedMeans(map, cols, fine));
        if (found) {
          const drawn = [...map].map((v) => Math.max(0, v));
          expect(found.range[0]).toBeCloseTo(Math.min(...drawn), 4);
          expect(found.range[1]).toBeCloseTo(Math.max(...drawn), 4);
        }
        let left = slices;
        if (left > 0) preview.show(weights, "activation", () => --left <= 0);
      }
      const map = correlateSlowly(geometry, image, weights.kernel, weights.bias, 0);
      const found = preview.show(weights, "activation");
      expect(preview.isAt(weights)).toBe(true);
      expectClose(preview.pre, [...map]);
      expectClose(preview.means(half, relu.apply), expectedMeans(map, cols, half));
      expect(found?.counts.zeros).toBe([...preview.pre].filter((v) => v <= 0).length);
    }),
    { numRuns: 400 },
  );
});

test("while the hand moves, the whole map is not touched", () => {
  const geometry = geometryOf(6, 8);
  const { kernel, planes } = scene(geometry, 1);
  const preview = previewOf(geometry, planes);
  const grid = halved(geometry);
  expect(preview.sample({ kernel, bias: 0 }, "activation", [grid])).not.toBeNull();
  expect(preview.bytes).toBe(0);
  preview.show({ kernel, bias: 0 }, "activation");
  const [rows, cols] = geometry.output_shape;
  expect(preview.bytes).toBe(4 * rows * cols);
});

test("an infinite tap spoils what it reaches, and nothing once it is gone", () => {
  const geometry = geometryOf(6, 8);
  const { image, kernel, planes } = scene(geometry, 3);
  const preview = previewOf(geometry, planes);
  const grid = halved(geometry);
  const infinite = kernel.slice();
  infinite[0] = Infinity;
  expect(preview.sample({ kernel: infinite, bias: 0 }, "activation", [grid])).not.toBeNull();
  preview.show({ kernel: infinite, bias: 0 }, "pre_activation");
  const slowly = correlateSlowly(geometry, image, infinite, 0, 0);
  expect([...preview.pre].map(Number.isFinite)).toEqual([...slowly].map(Number.isFinite));
  expect(preview.pre.some((value) => !Number.isFinite(value))).toBe(true);
  preview.sample({ kernel, bias: 0 }, "activation", [grid]);
  preview.show({ kernel, bias: 0 }, "activation");
  expectClose(preview.pre, [...correlateSlowly(geometry, image, kernel, 0, 0)]);
});

function geometryOf(rows: number, cols: number): Geometry {
  const [geometry] = fc.sample(
    geometries.filter(({ output_shape }) => output_shape[0] >= rows && output_shape[1] >= cols),
    { numRuns: 1, seed: 5 },
  );
  return geometry as Geometry;
}
