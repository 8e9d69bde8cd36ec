/** Whether a preview is the map that Keras then sent: to rounding, and to the 8 bits that Keras's map came in. */
import type { Activation } from "../maths/activations.ts";
import type { Survey } from "../maths/map-survey.ts";
import { blockEdges } from "../paint/grid.ts";
import { bytesOf } from "../protocol/bytes.ts";
import type { MapRecord } from "../protocol/records.ts";

const SAMPLES = 4096;

/**
 * `magnitude` bounds the numbers that were summed: where they cancel out, their rounding errors remain. A map that
 * Keras sent reduced is compared block by block. Returns null where the maps agree, else what differs.
 */
export function disagreement(
  pre: Float32Array,
  size: readonly [rows: number, cols: number],
  activation: Activation,
  found: Survey,
  keras: MapRecord,
  magnitude: number,
): string | null {
  if (!Number.isFinite(magnitude)) return null;
  const [low, high] = keras.range;
  const rounding = 1e-4 * Math.max(Math.abs(low), Math.abs(high)) + 1e-5 * magnitude;
  const flags = keras.flags && bytesOf(keras.flags);
  // With flags the levels may span a fixed range that the map exceeds.
  if (!flags && Math.max(Math.abs(found.range[0] - low), Math.abs(found.range[1] - high)) > rounding) {
    return `range ${found.range.join(" to ")} where Keras has ${low} to ${high}`;
  }
  const levels = bytesOf(keras.levels);
  const slack = rounding + (high - low) / 256;
  const [rows, cols] = keras.shape;
  const [ys, xs] = [blockEdges(0, size[0], rows), blockEdges(0, size[1], cols)];
  const apply = keras.stage === "activation" ? activation.apply : () => {};
  const mean = (row: number, col: number) => {
    const [from, to] = [xs[col] as number, xs[col + 1] as number];
    const [top, bottom] = [ys[row] as number, ys[row + 1] as number];
    let sum = 0;
    for (let y = top; y < bottom; y++) {
      const line = pre.slice(y * size[1] + from, y * size[1] + to);
      apply(line, 0, line.length);
      for (const value of line) sum += value;
    }
    return sum / ((to - from) * (bottom - top));
  };
  // A stride that is prime to most widths, so that the samples fall on all columns.
  const most = Math.ceil((SAMPLES * levels.length) / pre.length);
  const step = levels.length <= most ? 1 : Math.ceil(levels.length / most) | 1;
  for (let i = 0; i < levels.length; i += step) {
    if (flags?.[i]) continue;
    const value = mean(Math.floor(i / cols), i % cols);
    const least = low + ((levels[i] as number) / 256) * (high - low);
    if (value < least - slack || value > least + 2 * slack) {
      return `${value} at pixel ${i} where Keras has about ${least}`;
    }
  }
  return null;
}
