/** What the colours of one map mean: bar, range and its mode, and whatever is not a number within it. */
import type { ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { formatNumber } from "../../maths/numbers.ts";
import { Flag, type Palette } from "../../paint/colors.ts";
import type { MapView } from "../../paint/drawable.ts";
import { bufferedPaint } from "../../paint/paint.ts";
import type { ValueRange } from "../../protocol/records.ts";
import { ColorBar } from "../ui/ColorBar.tsx";
import { rangeWords } from "../ui/wording.ts";
import type { MapProbe } from "./probe.ts";

export interface LegendProps {
  map: Pick<MapView, "provenance" | "sampled" | "range" | "counts">;
  mode: ValueRange;
  display: readonly [number, number];
  table: Uint8Array | undefined;
  palette: Palette;
  probe: ReadonlySignal<MapProbe | null>;
}

export function Legend({ map, mode, display, table, palette, probe }: LegendProps) {
  const [low, high] = display;
  const waiting = map.provenance === "waiting";
  const about = map.sampled ? "≈" : "";
  const limit = (value: number) => (waiting ? "–" : about + formatNumber(value, value < 0 ? 7 : 6));
  const why = map.sampled
    ? `From a sample of the pixels: the exact range is being computed. ${RANGE_WHY}`
    : RANGE_WHY;
  const exact = waiting ? why : `${low} to ${high}. ${why}`;
  const [least, most] = waiting ? display : map.range;
  const { nan, posinf, neginf } = map.counts;
  const odd: [shown: boolean, flag: Flag, text: string][] = [
    [nan > 0, Flag.nan, `${nan} NaN`],
    [posinf > 0, Flag.posinf, `${posinf} at +∞`],
    [neginf > 0, Flag.neginf, `${neginf} at −∞`],
    [least < low, Flag.below, `clipped below ${formatNumber(low)}`],
    [most > high, Flag.above, `clipped above ${formatNumber(high)}`],
  ];
  const shown = odd.filter(([is]) => is);
  return (
    <div class="cl-legend">
      <ColorBar table={table}>
        {!waiting && <Zero display={display} />}
        {!waiting && <Tick probe={probe} display={display} />}
      </ColorBar>
      <div class="cl-legend-range">
        <span class="cl-number">{limit(low)}</span>
        <span class="cl-muted cl-rangewords" data-short={rangeShort(mode)} title={exact}>
          {low === high && !waiting ? `constant, ${rangeWords(mode)}` : rangeWords(mode)}
        </span>
        <span class="cl-number">{limit(high)}</span>
      </div>
      {shown.length > 0 && (
        <ul class="cl-odd">
          {shown.map(([, flag, text]) => (
            <li key={flag}>
              <Swatch flag={flag} palette={palette} />
              {text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const RANGE_WHY =
  "What the first and the last colour stand for: this map's own least and greatest value, those of all maps, as much below 0 as above, or limits of your own.";

/** The same where a card is too narrow for the words. */
function rangeShort(mode: ValueRange): string {
  if (typeof mode !== "string") return "fixed";
  return { per_map: "this map", shared: "all maps", symmetric: "±" }[mode];
}

/** Where zero lies among colours that stand for numbers on both sides of it. */
function Zero({ display: [low, high] }: Pick<LegendProps, "display">) {
  if (!(low < 0 && high > 0)) return null;
  return <span class="cl-bar-zero" style={{ insetInlineStart: `${(100 * -low) / (high - low)}%` }} />;
}

/** Where the value that is read out is on the bar. */
function Tick({ probe, display: [low, high] }: Pick<LegendProps, "probe" | "display">) {
  const value = probe.value?.value ?? Number.NaN;
  if (!(low < high && value >= low && value <= high)) return null;
  return (
    <span class="cl-bar-tick" style={{ insetInlineStart: `${(100 * (value - low)) / (high - low)}%` }} />
  );
}

const SWATCH = 12;

/** How a value that is not a number within the range looks in the map. */
export function Swatch({ flag, palette }: { flag: Flag; palette: Palette }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    bufferedPaint()(context, ({ pixels, width }) => {
      for (let i = 0; i < pixels.length; i++)
        pixels[i] = palette.special(flag, i % width, Math.floor(i / width));
    });
  }, [flag, palette]);
  return (
    <span class="cl-swatch" aria-hidden="true">
      <canvas ref={canvas} width={SWATCH} height={SWATCH} />
    </span>
  );
}
