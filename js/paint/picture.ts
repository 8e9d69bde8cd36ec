/** The input image as it is shown: grey over its own range, colour over the range that its numbers are in. */
import type { Picture } from "../model/lens.ts";
import { Flag, type Palette, paintFloats, rgba, type SourceWindow, sample, type Target } from "./colors.ts";
import { union } from "./ranges.ts";

export interface Shown {
  kind: "gray" | "color";
  range: [low: number, high: number];
  /** What a person is told of it. */
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

/**
 * Grey is drawn as Matplotlib's imshow draws it. Colour is clipped to 0 to 1, or to 0 to 255 where a value is above 1:
 * a colour stretched to its own range would be another colour.
 */
export function shownAs(picture: Picture): Shown {
  const planes = Array.from({ length: picture.channels < 3 ? 1 : 3 }, (_, channel) => picture.plane(channel));
  const [least, most] = union(planes.map(finiteRange));
  let notFinite = 0;
  for (const plane of planes) for (const value of plane) if (!Number.isFinite(value)) notFinite++;
  if (planes.length === 1) return { kind: "gray", range: [least, most], text: "grey, own range", notFinite };
  const high = most > 1 ? 255 : 1;
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
  if (shown.kind === "gray") {
    const source = {
      values: picture.plane(0),
      activation: null,
      ends: shown.notFinite > 0 ? null : shown.range,
      least: -Infinity,
    };
    paintFloats(target, window, source, picture, shown.range, gray);
    return;
  }
  const [red, green, blue] = [picture.plane(0), picture.plane(1), picture.plane(2)];
  const scale = 255 / shown.range[1];
  const byte = (value: number) => Math.min(255, Math.max(0, Math.round(value * scale)));
  const xs = sample(window.x, window.width, target.width, picture.cols);
  const ys = sample(window.y, window.height, target.height, picture.rows);
  for (let y = 0, at = 0; y < target.height; y++) {
    const row = ys[y] as number;
    for (let x = 0; x < target.width; x++, at++) {
      const col = xs[x] as number;
      if (row < 0 || col < 0) {
        target.pixels[at] = 0;
        continue;
      }
      const from = row * picture.cols + col;
      const [r, g, b] = [red[from] as number, green[from] as number, blue[from] as number];
      target.pixels[at] = Number.isFinite(r + g + b)
        ? rgba(byte(r), byte(g), byte(b))
        : gray.special(Flag.nan, x, y);
    }
  }
}
