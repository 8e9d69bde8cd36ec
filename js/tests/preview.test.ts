import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activationOf, KNOWN } from "../maths/activations.ts";
import { reshaped } from "../maths/geometry.ts";
import { addTap, correlate, correlateAt, magnitude, planeMagnitude, update } from "../maths/linear-update.ts";
import { survey } from "../maths/map-survey.ts";
import type { Stage } from "../protocol/records.ts";
import { BASE, geometries, noise, scene } from "./random-layers.ts";
import { correlateSlowly } from "./reference.ts";

function close(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((v, i) => void expect(v).toBeCloseTo(expected[i] ?? Number.NaN, 5));
}

describe("a map from nothing", () => {
  test("is the sum over each pixel's window, whatever the stride, dilation, padding and channels", () => {
    fc.assert(
      fc.property(geometries, fc.nat(999), (geometry, seed) => {
        const { image, kernel, planes, pre } = scene(geometry, seed);
        correlate(geometry, planes, kernel, 0.25, pre, true);
        close(pre, correlateSlowly(geometry, image, kernel, 0.25, 0));
      }),
    );
  });

  test("made in slices of rows is the same map", () => {
    fc.assert(
      fc.property(geometries, fc.nat(999), fc.nat(10), (geometry, seed, cut) => {
        const { kernel, planes, pre } = scene(geometry, seed);
        const whole = pre.slice();
        correlate(geometry, planes, kernel, 0, whole, true);
        const rows = geometry.output_shape[0];
        correlate(geometry, planes, kernel, 0, pre, true, 0, Math.min(cut, rows));
        correlate(geometry, planes, kernel, 0, pre, true, Math.min(cut, rows), rows);
        expect(pre).toEqual(whole);
      }),
    );
  });

  test("and one pixel by itself agree", () => {
    fc.assert(
      fc.property(geometries, fc.nat(999), (geometry, seed) => {
        const { kernel, planes, pre } = scene(geometry, seed);
        correlate(geometry, planes, kernel, -1, pre, true);
        const cols = geometry.output_shape[1];
        const pixels = pre.map((_, i) =>
          correlateAt(geometry, planes, kernel, -1, Math.floor(i / cols), i % cols),
        );
        close(pixels, pre);
      }),
    );
  });

  test("adds nothing where an infinite tap falls into the padding", () => {
    const geometry = reshaped(BASE, { input_shape: [2, 2, 1], kernel_size: [3, 3], padding: "same" });
    const kernel = new Float32Array(9).fill(1);
    kernel[0] = Infinity;
    const pre = new Float32Array(4);
    correlate(geometry, [new Float32Array([1, 2, 3, 4])], kernel, 0, pre, false);
    // Tap (0, 0) reads the image only from the last pixel, where it sees the 1.
    expect([...pre]).toEqual([10, 10, 10, Infinity]);
  });
});

describe("the linear update", () => {
  const activations = fc.constantFrom(...KNOWN);
  const stages = fc.constantFrom<Stage>("activation", "pre_activation");

  test("of one tap is the map of the changed kernel, and what it says of range and zeros is what the map holds", () => {
    fc.assert(
      fc.property(
        geometries,
        fc.nat(999),
        activations,
        stages,
        fc.nat(200),
        (geometry, seed, name, stage, pick) => {
          const activation = activationOf(name);
          if (!activation?.monotone) return;
          const { image, kernel, planes, pre } = scene(geometry, seed);
          correlate(geometry, planes, kernel, 0, pre, true);
          const tap = pick % kernel.length;
          const plane = planes[tap % planes.length] ?? new Float32Array();
          const found = update(geometry, plane, tap, 0.5, pre, activation, stage);
          const changed = kernel.slice();
          changed[tap] = (changed[tap] ?? 0) + 0.5;
          close(pre, correlateSlowly(geometry, image, changed, 0, 0));

          const drawn = pre.map((v) => (stage === "activation" ? activation.one(v) : v));
          expect(found.range).toEqual([Math.min(...drawn), Math.max(...drawn)]);
          expect(found.counts.zeros).toBe(pre.filter((v) => activation.one(v) === 0).length);
          expect(survey(pre, activation, stage, true)).toEqual(found);
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("after a thousand changes drifts by less than 1e-5 of the largest value", () => {
    const geometry = reshaped(BASE, { input_shape: [40, 50, 1], kernel_size: [5, 5] });
    const { image, kernel, planes, pre } = scene(geometry, 7);
    correlate(geometry, planes, kernel, 0, pre, true);
    const steps = noise(1000, 3);
    steps.forEach((to, i) => {
      const tap = (i * 7) % 25;
      addTap(geometry, planes[0] ?? pre, tap, to - (kernel[tap] ?? 0), pre);
      kernel[tap] = to;
    });
    const exact = correlateSlowly(geometry, image, kernel, 0, 0);
    const largest = Math.max(...exact.map(Math.abs));
    const drift = Math.max(...pre.map((v, i) => Math.abs(v - (exact[i] ?? 0))));
    expect(drift / largest).toBeLessThan(1e-5);
  });
});

describe("a survey", () => {
  const relu = activationOf("relu");
  if (!relu) throw new Error("relu is known");

  test("counts NaN and the infinities apart from the numbers, and finds the range of the numbers", () => {
    const values = new Float32Array([Number.NaN, Infinity, -Infinity, -2, 0, 3]);
    expect(survey(values, relu, "pre_activation", false)).toEqual({
      range: [-2, 3],
      least: -Infinity,
      counts: { nan: 1, posinf: 1, neginf: 1, zeros: 3 },
    });
    expect(survey(values, relu, "activation", false)).toEqual({
      range: [0, 3],
      least: -Infinity,
      counts: { nan: 1, posinf: 1, neginf: 0, zeros: 3 },
    });
  });

  test("of a map without a number has the range 0 to 0", () => {
    expect(survey(new Float32Array([Number.NaN]), relu, "activation", false).range).toEqual([0, 0]);
  });
});

test("a bound on the numbers is infinite as soon as one of them is not finite", () => {
  expect(magnitude(new Float32Array([1, -2]), 3, [10])).toBe(33);
  expect(magnitude(new Float32Array([1, Infinity]), 0, [10])).toBe(Infinity);
  expect(magnitude(new Float32Array([1]), 0, [planeMagnitude(new Float32Array([0, Number.NaN]))])).toBe(
    Infinity,
  );
  expect(planeMagnitude(new Float32Array([1, -5, 3]))).toBe(5);
});
