/** How a kernel's numbers look: the lens's colour map over ±max|k|, and text that can be read on every colour of it. */
import { levelOf } from "../../paint/colors.ts";
import type { LensView } from "../../state/lens-view.ts";

export interface Tones {
  /** CSS colours of the table's 256 levels. */
  background: readonly string[];
  /** Black or white for each, whichever contrasts more: at least 4.58 : 1, by WCAG 2.2's definition. */
  text: readonly string[];
}

/** The colour table of the kernels: their own, or that of the maps. */
export function kernelTable(lens: LensView): Uint8Array | undefined {
  const tables = lens.cmapTables.value;
  return tables.get(lens.shared.kernel_cmap.value ?? lens.cmap.value) ?? tables.get(lens.cmap.value);
}

export function tonesOf(table: Uint8Array): Tones {
  const background: string[] = [];
  const text: string[] = [];
  for (let i = 0; i < 768; i += 3) {
    const rgb = [...table.subarray(i, i + 3)];
    background.push(`rgb(${rgb.join()})`);
    text.push(luminance(rgb) > 0.1791 ? "#000" : "#fff");
  }
  return { background, text };
}

/** Relative luminance (WCAG 2.2). Black and white contrast equally with 0.1791. */
function luminance(rgb: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((byte) => {
    const c = byte / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Level of a tap between −most and +most; −1 for NaN and infinity. A kernel of zeros is in the middle. */
export function toneOf(value: number, most: number): number {
  if (!Number.isFinite(value)) return -1;
  return most > 0 ? levelOf(value, -most, most) : 128;
}

/** Colours of a number between −most and +most, as in the kernel's own grid. */
export function cellColors(tones: Tones, level: number): { background: string; color: string } | null {
  return level < 0 ? null : { background: tones.background[level] ?? "", color: tones.text[level] ?? "" };
}
