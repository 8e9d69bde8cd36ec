import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activationOf } from "../maths/activations.ts";
import { Flag, levelOf, type Palette, paintFloats, paintLevels, type Target } from "../paint/colors.ts";
import type { SourceWindow } from "../paint/grid.ts";
import { displayRange, type Range } from "../paint/ranges.ts";
import type { MapRecord } from "../protocol/records.ts";
import { quantise } from "./reference.ts";

/** Colour i is the number i, a special one is 1000 × its flag, so what was painted can be read back. */
const palette: Palette = {
  colors: Uint32Array.from({ length: 256 }, (_, i) => i),
  special: (flag) => 1000 * flag,
};

function target(width: number, height: number): Target {
  return { pixels: new Uint32Array(width * height).fill(77), width, height };
}

const all = (rows: number, cols: number): SourceWindow => ({ x: 0, y: 0, width: cols, height: rows });

function floats(values: readonly number[], range: Range, ends: Range | null = null): number[] {
  const on = target(values.length, 1);
  const source = { values: Float32Array.from(values), activation: null, ends, least: -Infinity };
  paintFloats(on, all(1, values.length), source, { rows: 1, cols: values.length }, range, palette);
  return [...on.pixels];
}

function levels(map: MapRecord, count: number, range: Range): number[] {
  const on = target(count, 1);
  paintLevels(on, all(1, count), map, { rows: 1, cols: count }, range, palette);
  return [...on.pixels];
}

describe("the colour of a number", () => {
  // matplotlib.colors.Colormap.__call__: int(x * N), and N itself is N − 1.
  test("is Matplotlib's index into the table", () => {
    expect(floats([0, 1 / 256, 0.5, 0.999, 1], [0, 1])).toEqual([0, 1, 128, 255, 255]);
    expect(levelOf(1, 0, 1)).toBe(255);
  });

  test("of a map that is the same everywhere is the first", () => {
    expect(floats([3, 3], [3, 3])).toEqual([0, 0]);
  });

  test("is none for NaN, infinities and what lies outside the range", () => {
    expect(floats([Number.NaN, Infinity, -Infinity, -1, 2], [0, 1])).toEqual(
      [Flag.nan, Flag.posinf, Flag.neginf, Flag.below, Flag.above].map((flag) => 1000 * flag),
    );
  });

  test("does not depend on whether the map's ends are known", () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.boolean(), (list, wider) => {
        const ends: Range = [Math.min(...list), Math.max(...list)];
        const range: Range = wider ? [Math.min(-1, 2 * ends[0]), Math.max(1, 2 * ends[1])] : ends;
        expect(floats(list, range, ends)).toEqual(floats(list, range));
      }),
    );
  });

  test("is none outside a range that is narrower than the map, whose ends are known", () => {
    expect(floats([-1, 0.5, 2], [0, 1], [-1, 2])).toEqual([1000 * Flag.below, 128, 1000 * Flag.above]);
  });

  test("is that of the activation where a preview's pre-activation is drawn", () => {
    const relu = activationOf("relu");
    const on = target(3, 1);
    const source = { values: new Float32Array([-5, 0.5, 1]), activation: relu, ends: null, least: -Infinity };
    paintFloats(on, all(1, 3), source, { rows: 1, cols: 3 }, [0, 1], palette);
    expect([...on.pixels]).toEqual([0, 128, 255]);
  });
});

describe("a rectified map", () => {
  /** One row of pre-activations and its neighbours, painted over the range that a mode of the lens gives it. */
  function painted(
    list: readonly number[],
    mode: "per_map" | "symmetric" | "wider",
    known: boolean,
    zoom: number,
  ) {
    const relu = activationOf("relu");
    const values = Float32Array.from([...list, 7, -7]);
    const drawn = list.map((x) => Math.max(x, 0));
    const ends: Range = [Math.min(...drawn), Math.max(...drawn)];
    const most = Math.max(1, 2 * ends[1]);
    const range: Range = {
      per_map: ends,
      symmetric: [-ends[1], ends[1]] as Range,
      wider: [-most / 3, most] as Range,
    }[mode];
    const on = target(zoom * list.length, 1);
    const source = { values, activation: relu, ends: known ? ends : null, least: Math.min(...list) };
    paintFloats(on, all(1, list.length), source, { rows: 1, cols: list.length }, range, palette);
    return { pixels: [...on.pixels], expected: drawn.map((x) => levelOf(x, ...range)) };
  }

  const numbers = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.float({ noNaN: true, min: -8, max: 8 }),
    fc.constantFrom(0, -0, 2 ** -149, -(2 ** -149), -(2 ** 127), 2 ** 127, 1e6, 1e6 + 0.0625),
  );
  const modes = fc.constantFrom("per_map", "symmetric", "wider");

  test("has the colours of max(x, 0), whatever lies below 0 and however small the range is", () => {
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1 }), modes, (list, mode) => {
        const { pixels } = painted(list, mode, true, 1);
        expect(pixels).toEqual(painted(list, mode, false, 1).pixels);
        expect(painted(list, mode, true, 3).pixels).toEqual(pixels.flatMap((pixel) => [pixel, pixel, pixel]));
      }),
      { numRuns: 500 },
    );
  });

  test("has Matplotlib's levels", () => {
    const { pixels, expected } = painted([-3, -0.1, 0, 0.5, 1, 2], "symmetric", true, 1);
    expect(pixels).toEqual(expected);
    expect(expected).toEqual([128, 128, 128, 160, 192, 255]);
  });

  // −2³¹ levels below 0 a 32-bit integer begins anew at the top.
  test("is dark where the pre-activation is far below a range as small as can be", () => {
    expect(painted([-(2 ** 40), 2 ** -20, 0], "per_map", true, 1).pixels).toEqual([0, 255, 0]);
    expect(painted([-(2 ** 23) - 1, 1, 0], "per_map", true, 1).pixels).toEqual([0, 255, 0]);
  });
});

describe("Keras's levels", () => {
  test("over the map's own range are the colours themselves, in agreement with the same numbers as floats", () => {
    const values = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 2, maxLength: 50 });
    fc.assert(
      fc.property(values, (list) => {
        const numbers = Float32Array.from(list);
        const map = quantise(numbers, numbers, "activation");
        const [a, b] = [levels(map, list.length, map.range), floats(list, map.range)];
        a.forEach((level, i) => void expect(Math.abs(level - (b[i] ?? 0))).toBeLessThanOrEqual(1));
      }),
    );
  });

  test("over a wider range move to where their numbers lie there", () => {
    const numbers = new Float32Array([0, 1]);
    const map = quantise(numbers, numbers, "activation");
    expect(levels(map, 2, [-1, 1])).toEqual([128, 255]);
    expect(levels(map, 2, [0, 4])).toEqual([0, 63]);
  });

  test("outside a fixed range are marked, as are NaN and infinities", () => {
    const numbers = new Float32Array([0, 5, 10, Number.NaN, Infinity]);
    const map = quantise(numbers, numbers, "activation");
    expect(levels(map, 5, [4, 6])).toEqual([
      1000 * Flag.below,
      expect.any(Number),
      1000 * Flag.above,
      1000,
      2000,
    ]);
  });
});

describe("what is on screen", () => {
  const values = new Float32Array([0, 1, 2, 3]);
  const grid = { values, activation: null, ends: null, least: -Infinity };
  const size = { rows: 2, cols: 2 };

  test("is enlarged without smoothing", () => {
    const on = target(4, 4);
    paintFloats(on, all(2, 2), grid, size, [0, 256], palette);
    expect([...on.pixels]).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]);
  });

  test("outside the map is transparent, whatever was there before", () => {
    const on = target(4, 1);
    paintFloats(on, { x: -1, y: 0, width: 4, height: 1 }, grid, size, [0, 256], palette);
    expect([...on.pixels]).toEqual([0, 0, 1, 0]);
    const empty = target(2, 1);
    paintLevels(
      empty,
      { x: 0, y: 5, width: 2, height: 1 },
      quantise(values, values, "activation"),
      size,
      [0, 3],
      palette,
    );
    expect([...empty.pixels]).toEqual([0, 0]);
  });
});

describe("the range that a map is drawn over", () => {
  const ranges: Range[] = [
    [0, 2],
    [-3, 1],
  ];
  const own = ranges[0] as Range;
  test.each([
    ["per_map", [0, 2]],
    ["shared", [-3, 2]],
    ["symmetric", [-2, 2]],
    [[0.5, 1] as Range, [0.5, 1]],
  ] as const)("%j", (mode, expected) => {
    expect(displayRange(mode, own, () => ranges)).toEqual(expected);
  });
});
