/** The model's output as maps: before and after over one range, and their difference over one that is symmetric about 0. */
import type { OutputMapsRecord } from "../protocol/messages.ts";
import { type Palette, paintLevels, type Target } from "./colors.ts";
import { type Grid, type Size, type SourceWindow, wholeGrid, within } from "./grid.ts";
import { displayRange, type Range, union } from "./ranges.ts";

export type Side = "before" | "after" | "difference";

/** One channel of an output, and the part of it that came; null for all. */
export interface DrawnOutput {
  maps: OutputMapsRecord;
  grid: Grid | null;
}

/** The range that a map of an output is drawn over. */
export function outputRange(maps: OutputMapsRecord, side: Side): Range {
  return side === "difference"
    ? displayRange("symmetric", maps.difference.range, () => [])
    : union([maps.before.range, maps.after.range]);
}

export function paintOutput(
  target: Target,
  window: SourceWindow,
  { maps, grid }: DrawnOutput,
  side: Side,
  palette: Palette,
): void {
  const map = maps[side];
  const [rows, cols] = map.shape;
  const size: Size = { rows: maps.size[0], cols: maps.size[1] };
  const over = within(window, grid ? { part: grid.part, shape: map.shape } : wholeGrid(size, map.shape));
  const [low, high] = outputRange(maps, side);
  // No difference at all is the middle colour.
  const display: Range = side === "difference" && high === 0 ? [-1, 1] : [low, high];
  paintLevels(target, over, map, { rows, cols }, display, palette);
}
