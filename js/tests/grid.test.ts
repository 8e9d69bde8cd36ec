import { describe, expect, test } from "vitest";
import { activationOf } from "../maths/activations.ts";
import { blockEdges, gather, gridOf, sampledMeans, WHOLE_PIXELS, within } from "../paint/grid.ts";

const SIZE = { rows: 2000, cols: 3000 };
const WHOLE = { x: 0, y: 0, width: 3000, height: 2000 };

describe("what a canvas shows of a large picture", () => {
  test("is all of it, at the canvas's own pixels", () => {
    expect(gridOf(WHOLE, { width: 300, height: 200 }, SIZE)).toEqual({
      part: [0, 2000, 0, 3000],
      shape: [200, 300],
    });
  });

  test("is the part in sight, cut at the picture's edges", () => {
    const window = { x: -150, y: 1500.5, width: 600, height: 400 };
    expect(gridOf(window, { width: 300, height: 200 }, SIZE)).toEqual({
      part: [1500, 1901, 0, 450],
      shape: [201, 225],
    });
  });

  test("has no more pixels than the part", () => {
    const window = { x: 10, y: 20, width: 30, height: 20 };
    expect(gridOf(window, { width: 300, height: 200 }, SIZE)?.shape).toEqual([20, 30]);
  });

  test("is nothing beside the picture, and no matter where the picture is small", () => {
    expect(gridOf({ ...WHOLE, x: 3000 }, { width: 300, height: 200 }, SIZE)).toBeNull();
    const small = { rows: 512, cols: WHOLE_PIXELS / 512 };
    expect(gridOf(WHOLE, { width: 300, height: 200 }, small)).toBeNull();
  });
});

test("blocks are cut where Python cuts them: by whole-number division", () => {
  expect([...blockEdges(3, 10, 3)]).toEqual([3, 5, 7, 10]);
});

test("a window of a picture is a window of what a part was reduced to", () => {
  const window = { x: 30, y: 20, width: 60, height: 40 };
  expect(within(window, { part: [10, 110, 20, 120], shape: [50, 25] })).toEqual({
    x: 2.5,
    y: 5,
    width: 15,
    height: 20,
  });
});

describe("means of samples", () => {
  // Row-major 4 × 6, values 0 to 23 less 10.
  const values = Float32Array.from({ length: 24 }, (_, i) => i - 10);

  test("of blocks of 2 × 2 are the means of all their values, activated first", () => {
    const grid = {
      part: [0, 4, 0, 6] as [number, number, number, number],
      shape: [2, 3] as [number, number],
    };
    const mean = (...list: number[]) => list.reduce((sum, i) => sum + Math.max(0, i - 10), 0) / list.length;
    expect([...sampledMeans(gather(values, 6, grid), grid.shape, activationOf("relu")?.apply)]).toEqual([
      mean(0, 1, 6, 7),
      mean(2, 3, 8, 9),
      mean(4, 5, 10, 11),
      mean(12, 13, 18, 19),
      mean(14, 15, 20, 21),
      mean(16, 17, 22, 23),
    ]);
  });

  test("of single pixels are these", () => {
    const grid = {
      part: [1, 3, 2, 4] as [number, number, number, number],
      shape: [2, 2] as [number, number],
    };
    expect([...sampledMeans(gather(values, 6, grid), grid.shape)]).toEqual([-2, -1, 4, 5]);
  });

  test("of large blocks are those of four places in them", () => {
    const grid = {
      part: [0, 4, 0, 4] as [number, number, number, number],
      shape: [1, 1] as [number, number],
    };
    // Rows 1 and 3, columns 1 and 3.
    const expected = (7 + 9 + 19 + 21) / 4 - 10;
    expect([...sampledMeans(gather(values, 6, grid), grid.shape)]).toEqual([expected]);
  });
});
