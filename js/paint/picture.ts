/** The input image as it is shown: grey over its own range, colour over the range that its numbers are in. */

import { formatNumber } from "../maths/numbers.ts";
import type { PictureRecord } from "../protocol/messages.ts";
import { Flag, flagOf, levelOf, type Palette, paintFloats, rgba, sample, type Target } from "./colors.ts";
import type { Picture } from "./drawable.ts";
import { type SourceWindow, wholeGrid, within } from "./grid.ts";
import { union } from "./ranges.ts";

export interface Shown {
  kind: "gray" | "color" | "curve";
  range: [low: number, high: number];
  /** How the legend describes it. */
  text: string;
  /** Values that are NaN or infinite. */
  notFinite: number;
}

/** Least and greatest finite value, [0, 0] where there is none. */
export function finiteRange(values: Float32Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < low && value > -Infinity) low = value;
    if (value > high && value < Infinity) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** One plane in 8 bits, as Python sends it. */
export function planeRecord(values: Float32Array, shape: [rows: number, cols: number]): PictureRecord {
  const range = finiteRange(values);
  const levels = Uint8Array.from(values, (value) => levelOf(value, ...range));
  const flags = values.every(Number.isFinite)
    ? null
    : Uint8Array.from(values, (value) => (Number.isFinite(value) ? 0 : flagOf(value, 0)));
  return { shape, range, levels, flags };
}

/** Share of the nominal range that an image must fill to be drawn over it. */
const LEAST_FILL = 1 / 8;

/**
 * Grey is drawn as Matplotlib's imshow draws it. Colour is clipped to 0 to 1, or to 0 to 255 where a value is above 1:
 * a colour stretched to its own range would be another colour. One that fills little of that would be black, though, and is
 * drawn over its own range.
 */
export function shownAs(picture: Picture): Shown {
  const { drawn, record } = picture;
  const count = record.signal ? picture.channels : picture.channels < 3 ? 1 : 3;
  const planes = Array.from({ length: count }, (_, channel) => drawn.plane(channel));
  const [least, most] = record.reduced?.range ?? union(planes.map(finiteRange));
  let notFinite = record.reduced?.not_finite ?? 0;
  if (!record.reduced)
    for (const plane of planes) for (const value of plane) if (!Number.isFinite(value)) notFinite++;
  if (record.signal) return { kind: "curve", range: [least, most], text: "this signal's range", notFinite };
  if (planes.length === 1)
    return { kind: "gray", range: [least, most], text: "grey, this image's range", notFinite };
  const high = most > 1 ? 255 : 1;
  if (most > least && most - least < LEAST_FILL * high) {
    const ends = `${formatNumber(least, 4)} to ${formatNumber(most, 4)}`;
    return { kind: "color", range: [least, most], text: `colour, this image's range: ${ends}`, notFinite };
  }
  const text = least < 0 || most > high ? `colour, clipped to 0 to ${high}` : `colour, 0 to ${high}`;
  return { kind: "color", range: [0, high], text, notFinite };
}

export function paintPicture(
  target: Target,
  window: SourceWindow,
  picture: Picture,
  shown: Shown,
  gray: Palette,
): void {
  // Magnified beyond what a reduced picture has, it is drawn from all its pixels once they are here.
  const { drawn, whole } = picture;
  const closer = drawn.cols / picture.cols < target.width / window.width;
  const from = (closer && whole) || drawn;
  const over = within(window, wholeGrid(picture, [from.rows, from.cols]));
  if (shown.kind === "gray") {
    const source = {
      values: from.plane(0),
      activation: null,
      ends: shown.notFinite > 0 ? null : shown.range,
      least: -Infinity,
    };
    paintFloats(target, over, source, from, shown.range, gray);
    return;
  }
  const [red, green, blue] = [from.plane(0), from.plane(1), from.plane(2)];
  const [low, high] = shown.range;
  const scale = 255 / (high - low);
  const byte = (value: number) => Math.min(255, Math.max(0, Math.round((value - low) * scale)));
  const xs = sample(over.x, over.width, target.width, from.cols);
  const ys = sample(over.y, over.height, target.height, from.rows);
  for (let y = 0, at = 0; y < target.height; y++) {
    const row = ys[y] as number;
    for (let x = 0; x < target.width; x++, at++) {
      const col = xs[x] as number;
      if (row < 0 || col < 0) {
        target.pixels[at] = 0;
        continue;
      }
      const pixel = row * from.cols + col;
      const [r, g, b] = [red[pixel] as number, green[pixel] as number, blue[pixel] as number];
      target.pixels[at] = Number.isFinite(r + g + b)
        ? rgba(byte(r), byte(g), byte(b))
        : gray.special(Flag.nan, x, y);
    }
  }
}
