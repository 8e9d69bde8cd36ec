/**
 * From numbers to RGBA: Matplotlib's index into a table of 256 colours, over the part of a map that is on screen and at the
 * size at which it is on screen, so that a large map costs only what is visible of it.
 */

import { bytesOf } from "../protocol/bytes.ts";
import type { MapRecord } from "../protocol/records.ts";
import type { PreviewMap } from "./drawable.ts";
import type { Size, SourceWindow } from "./grid.ts";

/** What a pixel is when it is not a number within the range; 0 in a map's flags is an ordinary number. */
export const Flag = { nan: 1, posinf: 2, neginf: 3, below: 4, above: 5 } as const;
export type Flag = (typeof Flag)[keyof typeof Flag];

/** Colours as ImageData holds them: red in the lowest byte, little-endian. */
export interface Palette {
  /** 256 opaque colours. */
  colors: Uint32Array;
  /** How a pixel that is not a number looks at a place on the target: a pattern, unlike any number. */
  special: (flag: Flag, x: number, y: number) => number;
}

/** The pixels that are painted, row-major. Outside the source everything is set transparent. */
export interface Target {
  pixels: Uint32Array;
  width: number;
  height: number;
}

export function rgba(red: number, green: number, blue: number, alpha = 255): number {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** A table of 256 × RGB bytes as packed colours. */
export function packTable(table: Uint8Array): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, i) =>
    rgba(table[3 * i] ?? 0, table[3 * i + 1] ?? 0, table[3 * i + 2] ?? 0),
  );
}

/** Matplotlib's index for a number within the range: min(255, floor((v − low) / (high − low) × 256)). */
export function levelOf(value: number, low: number, high: number): number {
  const span = high - low;
  return span > 0 ? Math.min(255, Math.floor(((value - low) / span) * 256)) : 0;
}

/** The number that a level stands for: the middle of its interval. */
export function levelValue(level: number, [low, high]: readonly [number, number]): number {
  return low + ((level + 0.5) / 256) * (high - low);
}

/** Source index for each target index along one axis, −1 outside the source. Nearest neighbour. */
export function sample(start: number, length: number, count: number, size: number): Int32Array {
  const out = new Int32Array(count);
  const step = length / count;
  for (let i = 0; i < count; i++) {
    const at = Math.floor(start + (i + 0.5) * step);
    out[i] = at >= 0 && at < size ? at : -1;
  }
  return out;
}

/** What each of Keras's levels is in the display range: a level there, or −flag where it lies outside. */
function relevel(range: readonly [number, number], display: readonly [number, number]): Int16Array {
  const out = new Int16Array(256);
  const same = range[0] === display[0] && range[1] === display[1];
  for (let level = 0; level < 256; level++) {
    const value = levelValue(level, range);
    if (same) out[level] = level;
    else if (value < display[0]) out[level] = -Flag.below;
    else if (value > display[1]) out[level] = -Flag.above;
    else out[level] = levelOf(value, display[0], display[1]);
  }
  return out;
}

/** Paint Keras's levels, moved from the range that they span to the range that is displayed. */
export function paintLevels(
  target: Target,
  window: SourceWindow,
  map: Pick<MapRecord, "range" | "levels" | "flags">,
  size: Size,
  display: readonly [number, number],
  palette: Palette,
): void {
  const levels = bytesOf(map.levels);
  const flags = map.flags && bytesOf(map.flags);
  const places = relevel(map.range, display);
  const clips = places.some((place) => place < 0);
  const table = Uint32Array.from(places, (place) => palette.colors[Math.max(0, place)] ?? 0);
  const { pixels, width, height } = target;
  const xs = sample(window.x, window.width, width, size.cols);
  const ys = sample(window.y, window.height, height, size.rows);
  for (let y = 0, at = 0; y < height; y++) {
    const row = (ys[y] as number) * size.cols;
    if (row < 0) {
      pixels.fill(0, at, at + width);
      at += width;
      continue;
    }
    for (let x = 0; x < width; x++, at++) {
      const col = xs[x] as number;
      pixels[at] = col < 0 ? 0 : (table[levels[row + col] as number] as number);
    }
    if (!flags && !clips) continue;
    for (let x = 0; x < width; x++) {
      const col = xs[x] as number;
      if (col < 0) continue;
      const flag = flags?.[row + col] || -Math.min(0, places[levels[row + col] as number] as number);
      if (flag) pixels[at - width + x] = palette.special(flag as Flag, x, y);
    }
  }
}

/** Paint numbers over the range that is displayed; they are activated on their way. */
export function paintFloats(
  target: Target,
  window: SourceWindow,
  { values, activation, ends, least }: PreviewMap,
  size: Size,
  display: readonly [number, number],
  palette: Palette,
): void {
  const [low, high] = display;
  const scale = high > low ? 256 / (high - low) : 0;
  // The end of the range has the last colour: one more entry saves a comparison for each pixel.
  const colors = new Uint32Array(INDICES + 1);
  colors.set(palette.colors);
  colors[256] = palette.colors[255] as number;
  const { pixels, width, height } = target;
  const xs = sample(window.x, window.width, width, size.cols);
  const ys = sample(window.y, window.height, height, size.rows);
  const [from, to] = inside(xs);
  const first = xs[from] as number;
  const oneToOne = xs[to - 1] === first + to - from - 1;
  const line = new Float32Array(width);
  const ordinary = ends !== null && ends[0] >= low && ends[1] <= high;
  // max(x, 0) of a number is the greater of two levels, as long as the levels are 32-bit integers.
  const asLevels = ordinary && activation?.rectifies && least < 0 && (least - low) * scale > -(2 ** 31);
  const floor = asLevels ? (-low * scale) | 0 : 0;
  const apply = asLevels ? null : activation?.apply;
  for (let y = 0; y < height; y++) {
    const row = (ys[y] as number) * size.cols;
    const start = y * width;
    if (row < 0 || from === to) {
      pixels.fill(0, start, start + width);
      continue;
    }
    if (from > 0) pixels.fill(0, start, start + from);
    if (to < width) pixels.fill(0, start + to, start + width);
    const asIs = oneToOne && ordinary && !apply;
    if (oneToOne && !asIs) line.set(values.subarray(row + first, row + first + to - from), from);
    if (!oneToOne) for (let x = from; x < to; x++) line[x] = values[row + (xs[x] as number)] as number;
    apply?.(line, from, to);
    if (ordinary) {
      const [numbers, at] = asIs ? [values, row + first] : [line, from];
      color(numbers, at, to - from, low, scale, floor, colors, pixels, start + from);
      continue;
    }
    const odd = colored(line, from, to, low, high, scale, colors, pixels, start);
    if (!odd) continue;
    for (let x = from; x < to; x++) {
      const value = line[x] as number;
      if (!(value >= low && value <= high)) pixels[start + x] = palette.special(flagOf(value, low), x, y);
    }
  }
}

/** All indices that `&` leaves: it shows the compiler that the value is an index, which saves more than the operation costs. */
const INDICES = 511;

/**
 * Colour numbers that are known to be in range, except those below it, whose level is `floor`: by the bits of the level,
 * since without a comparison it takes half the time.
 */
function color(
  values: Float32Array,
  at: number,
  count: number,
  low: number,
  scale: number,
  floor: number,
  colors: Uint32Array,
  pixels: Uint32Array,
  start: number,
): void {
  for (let i = 0; i < count; i++) {
    const above = ((((values[at + i] as number) - low) * scale) | 0) - floor;
    pixels[start + i] = colors[(floor + (above & ~(above >> 31))) & INDICES] as number;
  }
}

/**
 * Colour the values of a line that are in range; whether there were others. It compiles best as a function of its own.
 */
function colored(
  line: Float32Array,
  from: number,
  to: number,
  low: number,
  high: number,
  scale: number,
  colors: Uint32Array,
  pixels: Uint32Array,
  start: number,
): boolean {
  let odd = false;
  for (let x = from; x < to; x++) {
    const value = line[x] as number;
    if (value >= low && value <= high)
      pixels[start + x] = colors[((value - low) * scale) & INDICES] as number;
    else odd = true;
  }
  return odd;
}

/** The part of a sampled axis that lies inside the source. */
function inside(samples: Int32Array): [from: number, to: number] {
  let from = 0;
  let to = samples.length;
  while (from < to && (samples[from] as number) < 0) from++;
  while (to > from && (samples[to - 1] as number) < 0) to--;
  return [from, to];
}

/** What a value outside the range is. */
export function flagOf(value: number, low: number): Flag {
  if (Number.isNaN(value)) return Flag.nan;
  if (value === Infinity) return Flag.posinf;
  if (value === -Infinity) return Flag.neginf;
  return value < low ? Flag.below : Flag.above;
}
