/** What the colours of one map mean: bar, range and its mode, and whatever is no number within it. */
import type { ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Flag, type Palette } from "../../lens/colors.ts";
import { formatNumber } from "../../lens/numbers.ts";
import type { MapView } from "../../model/lens.ts";
import type { ValueRange } from "../../model/types.ts";
import { rangeWords } from "../wording.ts";
import { ColorBar } from "./ColorBar.tsx";
import { bufferedPaint } from "./paint.ts";
import type { MapProbe } from "./probe.ts";

export interface LegendProps {
  map: MapView;
  mode: ValueRange;
  display: readonly [number, number];
  table: Uint8Array | undefined;
  palette: Palette;
  probe: ReadonlySignal<MapProbe | null>;
}

export function Legend({ map, mode, display, table, palette, probe }: LegendProps) {
  const [low, high] = display;
  const waiting = map.provenance === "waiting";
  // The minus sign is no digit: both ends get as many.
  const limit = (value: number) => (waiting ? "–" : formatNumber(value, value < 0 ? 8 : 7));
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
      <ColorBar table={table}>{!waiting && <Tick probe={probe} display={display} />}</ColorBar>
      <div class="cl-legend-range">
        <span class="cl-number">{limit(low)}</span>
        <span class="cl-muted">
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

/** Where the value that is read out stands on the bar. */
function Tick({ probe, display: [low, high] }: Pick<LegendProps, "probe" | "display">) {
  const value = probe.value?.value ?? Number.NaN;
  if (!(low < high && value >= low && value <= high)) return null;
  return (
    <span class="cl-bar-tick" style={{ insetInlineStart: `${(100 * (value - low)) / (high - low)}%` }} />
  );
}

const SWATCH = 12;

/** How a value that is no number within the range looks in the map. */
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
