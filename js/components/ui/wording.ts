/** What the lens says about a map and about its own state, in words. */

import type { Link } from "../../connection/channel.ts";
import type { Gone } from "../../connection/jupyter-kernel.ts";
import { formatNumber } from "../../maths/numbers.ts";
import type { MapView, Provenance } from "../../paint/drawable.ts";
import type { Geometry, Stage, Status, ValueRange } from "../../protocol/records.ts";
import type { IconName } from "./icons.tsx";

export const STAGES: Record<Stage, string> = { activation: "activation", pre_activation: "pre-activation" };

/** Whether hints speak of a finger rather than of a mouse and keys. */
export const byFinger = () => matchMedia("(pointer: coarse)").matches;

export function rangeWords(range: ValueRange): string {
  if (typeof range !== "string") return "fixed range";
  return { per_map: "this map's range", shared: "range of all maps", symmetric: "0 in the middle" }[range];
}

export const PROVENANCE: Record<Provenance, { icon: IconName; text: string; title: string }> = {
  keras: { icon: "check", text: "Keras", title: "Keras computed this map from the kernel that is shown" },
  preview: { icon: "approx", text: "preview", title: "Predicted in the browser; Keras has not confirmed it" },
  stale: { icon: "warn", text: "stale", title: "Keras computed this map from an earlier kernel" },
  waiting: { icon: "clock", text: "waiting", title: "Waiting for Keras to compute this map" },
};

/** Share of pixels in whole percent; "<1 %" and ">99 %" where it is neither none nor all. */
export function percent(part: number, whole: number): string {
  const share = (100 * part) / Math.max(whole, 1);
  if (part > 0 && share < 1) return "<1 %";
  if (part < whole && share > 99) return ">99 %";
  return `${Math.round(share)} %`;
}

/** Share of exact zeros after an activation that makes them, or null where it means nothing. */
export function zeroWords(map: MapView, geometry: Geometry, stage: Stage): string | null {
  if (map.provenance === "waiting") return null;
  if (map.counts.zeros === 0 && !geometry.activation.startsWith("relu")) return null;
  // While a hand moves, the zeros are those of a sample of unknown size: the share is given once all are counted.
  if (map.sampled) return "zeros: counting";
  const share = percent(map.counts.zeros, map.rows * map.cols);
  return stage === "activation" ? `${share} zero` : `${share} zero after ${geometry.activation}`;
}

/** A share of the layer's range as a fraction: "1/2,000". */
export function shareWords(share: number): string {
  if (share === 0) return "0";
  const [digits, power] = (1 / share).toExponential(1).replace("+", "").split("e");
  return `1/${Number(power) < 6 ? Number(`${digits}e${power}`).toLocaleString("en") : `${Number(digits)}e${power}`}`;
}

export const silentWords = (share: number) => `nearly silent: ${shareWords(share)} of the layer's range`;

export const SILENT_WHY =
  "Its values span less than a thousandth of what those of the layer's widest map span, however vivid its own colours are";

export interface StatusWords {
  tone: "calm" | "warn" | "danger";
  icon: IconName;
  text: string;
}

const OFFLINE = {
  restarted: "Keras not connected, the kernel was restarted: run the cell again",
  dead: "Keras not connected, the kernel has stopped: start it and run the cell again",
};

/**
 * The state of Keras and of the connection: the most serious one.
 *
 * @param previews Whether the browser previews edits of this layer while Keras does not answer.
 */
export function statusWords(
  { keras, detail }: Status,
  link: Link,
  gone: Gone = null,
  saved = false,
  previews = true,
): StatusWords {
  if (saved) return { tone: "calm", icon: "check", text: "saved page" };
  const until = previews ? "showing previews" : "maps wait for it";
  if (link === "offline") {
    const text = gone ? OFFLINE[gone] : `Keras not connected: ${previews ? until : "edits change no map"}`;
    return { tone: "warn", icon: "unlink", text };
  }
  if (link === "disconnected")
    return {
      tone: "warn",
      icon: "unlink",
      text: `connection lost: ${previews ? `${until}, ` : ""}edits wait`,
    };
  if (keras === "failed")
    return { tone: "danger", icon: "warn", text: `Keras failed to load. ${detail}`.trim() };
  if (keras === "loading") return { tone: "warn", icon: "clock", text: `loading Keras: ${until}` };
  if (link === "busy") return { tone: "warn", icon: "clock", text: `kernel busy: ${until}` };
  return { tone: "calm", icon: "check", text: detail || "Keras ready" };
}

/** "4–7", or "4" alone. */
export function span(first: number, last: number): string {
  const minus = (n: number) => String(n).replace("-", "−");
  return first === last ? minus(first) : `${minus(first)} to ${minus(last)}`;
}

export function times(rows: number, cols: number): string {
  return `${rows} × ${cols}`;
}

type Ranked = Pick<Geometry, "rank">;

/** "row 2, col 3"; for a signal "step 3". */
export function placeWords({ rank }: Ranked, row: number, col: number, column = "col"): string {
  return rank === 1 ? `step ${col}` : `row ${row}, ${column} ${col}`;
}

/** "Image", or another word for it; "Signal" where it is one. */
export function thingWord({ rank }: Ranked, image = "Image"): string {
  return rank === 1 ? "Signal" : image;
}

/** "0 to 1.5": what the height of a drawn curve spans. */
export function endsWords(range: readonly number[]): string {
  return range.map((value) => formatNumber(Math.fround(value), 5)).join(" to ");
}

/** "3 rows, 4 columns"; for a signal "4 steps". */
export function sizeWords({ rank }: Ranked, rows: number, cols: number): string {
  return rank === 1 ? `${cols} steps` : `${rows} rows, ${cols} columns`;
}

/** "3 × 4"; for a signal "4 steps". */
export function shortSize({ rank }: Ranked, rows: number, cols: number): string {
  return rank === 1 ? `${cols} steps` : times(rows, cols);
}

/** "rows 1 to 2, cols 4 to 5"; for a signal "steps 4 to 5". */
export function spanWords(
  { rank }: Ranked,
  rows: readonly [number, number],
  cols: readonly [number, number],
): string {
  return rank === 1 ? `steps ${span(...cols)}` : `rows ${span(...rows)}, cols ${span(...cols)}`;
}
