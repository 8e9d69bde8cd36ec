/** Curves show every value of a signal, however few pixels there are, and break where there is no number. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { curvePoints, heightOf, mapCurve } from "../paint/curve.ts";

const HEIGHT = 100;
const whole = (count: number) => ({ x: 0, width: count });
const pairs = (points: number[]) =>
  Array.from({ length: points.length / 2 }, (_, i) => [points[2 * i], points[2 * i + 1]] as const);

test("with room for every step, the line goes through the middle of each at the height of its value", () => {
  const values = Float32Array.of(0, 1, -1);
  const points = pairs(curvePoints(values, whole(3), [-1, 1], 30, HEIGHT));
  expect(points.map(([x]) => x)).toEqual([5, 15, 25]);
  [50, 6, 94].forEach((height, i) => {
    expect(points[i]?.[1]).toBeCloseTo(height, 9);
  });
});

test("the ends of the range have the same room above and below, and what is beyond stands there", () => {
  expect(heightOf(7, [0, 1], HEIGHT)).toBe(heightOf(1, [0, 1], HEIGHT));
  expect(heightOf(-7, [0, 1], HEIGHT)).toBe(heightOf(0, [0, 1], HEIGHT));
  expect(heightOf(3, [3, 3], HEIGHT)).toBeCloseTo(50, 9);
});

test("where columns are fewer than steps, each column reaches from its least to its greatest value", () => {
  const numbers = fc.float({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(numbers, { minLength: 40, maxLength: 400 }),
      fc.integer({ min: 4, max: 39 }),
      (list, width) => {
        const values = Float32Array.from(list);
        const points = pairs(curvePoints(values, whole(values.length), [-1, 1], width, HEIGHT));
        for (let x = 0; x < width; x++) {
          const part = values.subarray(
            Math.floor(x / (width / values.length)),
            Math.floor((x + 1) / (width / values.length)),
          );
          const here = points.filter(([at]) => at === x + 0.5).map(([, y]) => y as number);
          const [least, most] = [Math.min(...part), Math.max(...part)];
          expect([Math.max(...here), Math.min(...here)]).toEqual([
            heightOf(least, [-1, 1], HEIGHT),
            heightOf(most, [-1, 1], HEIGHT),
          ]);
        }
      },
    ),
  );
});

test("one spike of a million steps is in the curve of a hundred columns", () => {
  const values = new Float32Array(1_000_000);
  values[654_321] = 1;
  const points = pairs(curvePoints(values, whole(values.length), [0, 1], 100, HEIGHT));
  expect(points.filter(([, y]) => y === heightOf(1, [0, 1], HEIGHT)).map(([x]) => x)).toEqual([65.5]);
});

test("NaN and infinity break the line and move nothing else", () => {
  const values = Float32Array.of(0, Number.NaN, 1, Infinity, 0);
  const points = pairs(curvePoints(values, whole(5), [0, 1], 50, HEIGHT));
  expect(points.map(([x]) => Number.isNaN(x))).toEqual([false, true, false, true, false]);
  expect(points[4]?.[0]).toBe(45);
});

test("a part of the signal is drawn with one step beyond each edge, so that the line leaves the box", () => {
  const values = Float32Array.from({ length: 10 }, (_, i) => i);
  const points = pairs(curvePoints(values, { x: 4, width: 2 }, [0, 9], 20, HEIGHT));
  expect(points.map(([x]) => x)).toEqual([-5, 5, 15, 25]);
});

test("of Keras's levels the curve has the middle of each level's interval, and a gap at what is no number", () => {
  const levels = Uint8Array.of(0, 255, 128, 128);
  const keras = { range: [0, 256] as [number, number], levels, flags: Uint8Array.of(0, 0, 1, 5) };
  const [first, second, third, fourth] = mapCurve({ keras, preview: null });
  expect([first, second, fourth]).toEqual([0.5, 255.5, 128.5]);
  expect(third).toBeNaN();
});

test("of a preview the curve is what the activation makes of it, and the preview stays as it is", () => {
  const values = Float32Array.of(-1, 2);
  const apply = (line: Float32Array, from: number, to: number) => {
    for (let i = from; i < to; i++) line[i] = Math.max(line[i] as number, 0);
  };
  const preview = { values, activation: { apply } as never, ends: null, least: -1 };
  expect([...mapCurve({ keras: null, preview })]).toEqual([0, 2]);
  expect([...values]).toEqual([-1, 2]);
});
