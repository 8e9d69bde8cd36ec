/** Colours for numbers, and patterns for what is not a number within the range, each unlike any colour of the table. */
import { Flag, type Palette, packTable, rgba } from "./colors.ts";

const WHITE = rgba(255, 255, 255);
const BLACK = rgba(0, 0, 0);
const MAGENTA = rgba(214, 0, 188);
const ORANGE = rgba(255, 122, 0);
const CYAN = rgba(0, 174, 239);
const RED = rgba(230, 30, 40);
const BLUE = rgba(40, 90, 255);

/** Pixels between two lines, or two dots, of a pattern. */
const PERIOD = 4;

/**
 * NaN is hatched in magenta, +∞ striped vertically in orange, −∞ striped horizontally in cyan. A clipped value keeps
 * the colour of the end that it lies beyond, with dots: blue below, red above.
 */
export function paletteOf(table: Uint8Array): Palette {
  const colors = packTable(table);
  const [low = BLACK, high = WHITE] = [colors[0], colors[255]];
  const dot = (x: number, y: number) => x % PERIOD < 2 && y % PERIOD < 2;
  return {
    colors,
    special: (flag, x, y) => {
      if (flag === Flag.nan) return (x + y) % PERIOD < 2 ? MAGENTA : WHITE;
      if (flag === Flag.posinf) return x % PERIOD < 2 ? ORANGE : BLACK;
      if (flag === Flag.neginf) return y % PERIOD < 2 ? CYAN : BLACK;
      return flag === Flag.below ? (dot(x, y) ? BLUE : low) : dot(x, y) ? RED : high;
    },
  };
}

/** The table "gray", in which the input image is shown whatever colours the maps have. */
export const GRAY = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
