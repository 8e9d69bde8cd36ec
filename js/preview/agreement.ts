/** Whether a predicted map is the one that Keras then sent: to rounding, and to the 8 bits that Keras's map came in. */
import type { Activation } from "../lens/activations.ts";
import type { Survey } from "../lens/preview.ts";
import type { MapRecord } from "./types.ts";
import { bytesOf } from "./wire.ts";

const SAMPLES = 4096;

/**
 * `magnitude` bounds the numbers that were summed: where they cancel, their rounding errors stay.
 * Returns null where the maps agree, else what differs.
 */
export function disagreement(
  pre: Float32Array,
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
  const value = new Float32Array(1);
  // A stride that is prime to most widths, so that the samples fall on all columns.
  const step = pre.length <= SAMPLES ? 1 : Math.ceil(pre.length / SAMPLES) | 1;
  for (let i = 0; i < pre.length; i += step) {
    if (flags?.[i]) continue;
    value[0] = pre[i] as number;
    if (keras.stage === "activation") activation.apply(value, 0, 1);
    const least = low + ((levels[i] as number) / 256) * (high - low);
    if (value[0] < least - slack || value[0] > least + 2 * slack) {
      return `${value[0]} at pixel ${i} where Keras has about ${least}`;
    }
  }
  return null;
}
