import { expect, test } from "vitest";
import { fewestChannels, sensibleSize } from "../components/picture/decode.ts";
import { Flag, rgba, type Target } from "../paint/colors.ts";
import type { Picture } from "../paint/drawable.ts";
import { GRAY, paletteOf } from "../paint/palette.ts";
import { paintPicture, shownAs } from "../paint/picture.ts";

function picture(rows: number, cols: number, planes: number[][]): Picture {
  const floats = planes.map((plane) => Float32Array.from(plane));
  const drawn = { rows, cols, plane: (channel: number) => floats[channel] ?? new Float32Array(rows * cols) };
  return {
    rows,
    cols,
    channels: planes.length,
    drawn,
    whole: drawn,
    at: (row, col) => floats.map((plane) => plane[row * cols + col] ?? 0),
    record: {
      version: 1,
      shape: [rows, cols, planes.length],
      dtype: "float32",
      scale: 1,
      data: new Uint8Array(),
      reduced: null,
      notes: [],
      signal: false,
    },
  };
}

function painted(shown: Picture): Uint32Array {
  const target: Target = {
    pixels: new Uint32Array(shown.rows * shown.cols),
    width: shown.cols,
    height: shown.rows,
  };
  const window = { x: 0, y: 0, width: shown.cols, height: shown.rows };
  paintPicture(target, window, shown, shownAs(shown), paletteOf(GRAY));
  return target.pixels;
}

test("a grey image is drawn over its own range, as imshow does", () => {
  const image = picture(1, 3, [[0.25, 0.5, 0.75]]);
  const { kind, range, text } = shownAs(image);
  expect([kind, ...range]).toEqual(["gray", 0.25, 0.75]);
  expect(text).toBe("grey, this image's range");
  // Half of the range is level 128 of 0 to 255.
  expect([...painted(image)]).toEqual([rgba(0, 0, 0), rgba(128, 128, 128), rgba(255, 255, 255)]);
});

test("a colour image keeps its colours: 0 to 1, or 0 to 255 where a value is above 1", () => {
  const unit = picture(1, 2, [
    [0, 1],
    [0.2, 0.4],
    [1, 0],
  ]);
  expect(shownAs(unit)).toMatchObject({ kind: "color", range: [0, 1], text: "colour, 0 to 1" });
  expect([...painted(unit)]).toEqual([rgba(0, 51, 255), rgba(255, 102, 0)]);
  const bytes = picture(1, 2, [
    [0, 255],
    [51, 102],
    [255, 0],
  ]);
  expect(shownAs(bytes)).toMatchObject({ range: [0, 255], text: "colour, 0 to 255" });
  expect([...painted(bytes)]).toEqual([...painted(unit)]);
});

test("a colour image says when values are clipped", () => {
  expect(
    shownAs(
      picture(1, 2, [
        [-0.1, 1],
        [0, 0],
        [0, 0],
      ]),
    ).text,
  ).toBe("colour, clipped to 0 to 1");
  expect(
    shownAs(
      picture(1, 2, [
        [0, 300],
        [0, 0],
        [0, 0],
      ]),
    ).text,
  ).toBe("colour, clipped to 0 to 255");
});

test("NaN in an image is counted and drawn as no number is", () => {
  const palette = paletteOf(GRAY);
  const gray = picture(1, 2, [[Number.NaN, 1]]);
  expect(shownAs(gray).notFinite).toBe(1);
  expect(painted(gray)[0]).toBe(palette.special(Flag.nan, 0, 0));
  const color = picture(1, 1, [[Number.NaN], [0], [0]]);
  expect(painted(color)[0]).toBe(palette.special(Flag.nan, 0, 0));
});

test("no value outside the range looks like a value inside, whatever the table", () => {
  const { colors, special } = paletteOf(GRAY);
  for (const flag of Object.values(Flag)) {
    const pattern = new Set<number>();
    for (let y = 0; y < 4; y++) for (let x = 0; x < 4; x++) pattern.add(special(flag, x, y));
    expect(
      [...pattern].some((color) => !colors.includes(color)),
      `flag ${flag}`,
    ).toBe(true);
  }
});

test("a dropped photograph is kept to 2048 pixels on its longer side", () => {
  expect(sensibleSize(4000, 3000)).toEqual([2048, 1536]);
  expect(sensibleSize(1024, 2048)).toEqual([1024, 2048]);
  expect(sensibleSize(1, 100_000)).toEqual([1, 2048]);
});

test("a dropped image is sent with no more channels than it has", () => {
  const of = (...bytes: number[]) => fewestChannels(Uint8ClampedArray.from(bytes));
  expect(of(9, 9, 9, 255, 7, 7, 7, 255)).toEqual({ channels: 1, data: Uint8Array.of(9, 7) });
  expect(of(9, 9, 9, 255, 7, 8, 7, 255)).toEqual({ channels: 3, data: Uint8Array.of(9, 9, 9, 7, 8, 7) });
  expect(of(9, 9, 9, 128)).toEqual({ channels: 4, data: Uint8Array.of(9, 9, 9, 128) });
});

test("a colour image that fills little of 0 to 255 is drawn over its own range, and the legend says so", () => {
  const dim = picture(1, 2, [
    [0, 4],
    [1, 2],
    [4, 0],
  ]);
  expect(shownAs(dim)).toMatchObject({ range: [0, 4], text: "colour, this image's range: 0 to 4" });
  // A quarter and a half of 255.
  expect([...painted(dim)]).toEqual([rgba(0, 64, 255), rgba(255, 128, 0)]);
});
