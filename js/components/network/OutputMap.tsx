/** One map of the model's output: before the edits, after them, or what they change. */
import { type ReadonlySignal, type Signal, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { paintMapCurve } from "../../paint/curve.ts";
import { type Grid, gridOf, isLarge, type Size, type SourceWindow } from "../../paint/grid.ts";
import { outputRange, paintOutput, type Side } from "../../paint/output.ts";
import { bufferedPaint } from "../../paint/paint.ts";
import { paletteOf } from "../../paint/palette.ts";
import type { Range } from "../../paint/ranges.ts";
import { type Pixel, placeOver } from "../../paint/viewport.ts";
import { SAVED, type ShownOutput } from "../../queries/output-maps.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Legend } from "../picture/Legend.tsx";
import { PixelMark } from "../picture/marks.tsx";
import { aspect, PictureFrame } from "../picture/PictureFrame.tsx";
import type { MapProbe } from "../picture/probe.ts";
import { MapReadout } from "../picture/Readout.tsx";
import type { Resolution } from "../picture/useCanvas.ts";
import { placeWords, sizeWords } from "../ui/wording.ts";

/** Colours in which a difference looks unlike a value: blue below 0, red above. */
const DIVERGING = "RdBu_r";
const NONE = { range: [0, 0] as Range, counts: { nan: 0, posinf: 0, neginf: 0, zeros: 0 } };

export interface OutputMapProps {
  lens: LensView;
  side: Side;
  size: Size;
  /** What the channel is called. */
  name: string;
  shown: ReadonlySignal<ShownOutput | null>;
  /** The pixel under the pointer in any of the maps, and the pinned one. */
  over: Signal<Pixel | null>;
  pinned: Signal<[number, number] | null>;
  /** Requests a part; for one of the maps only, since all three come together. */
  want: ((grid: Grid) => void) | null;
}

export function OutputMap({ lens, side, size, name, shown, over, pinned, want }: OutputMapProps) {
  const draw = useMemo(bufferedPaint, []);
  const ranked = { rank: size.curve ? 1 : 2 } as const;
  const table = useComputed(() => {
    const tables = lens.cmapTables.value;
    return (side === "difference" && tables.get(DIVERGING)) || tables.get(lens.cmap.value);
  });
  const palette = useComputed(() => paletteOf(table.value ?? new Uint8Array(768)));
  const display = useComputed((): Range => (shown.value ? outputRange(shown.value.maps, side) : [0, 0]));
  const probe = useComputed((): MapProbe | null => {
    const at = over.value ?? (pinned.value && { row: pinned.value[0], col: pinned.value[1] });
    if (!at || !shown.value) return null;
    const found = lens.network.outputMaps.valuesAt(shown.value, at.row, at.col);
    if (!found && shown.value.version === SAVED) return null;
    const [before, after] = found ?? [null, null];
    const change = before === null || after === null ? null : Math.fround(after - before);
    const value = { before, after, difference: change }[side];
    return {
      pixel: at,
      pinned: !over.value,
      where: placeWords(ranked, at.row, at.col),
      value,
      exact: true,
    };
  });

  const paint = (context: CanvasRenderingContext2D, window: SourceWindow, device: Resolution) => {
    const now = shown.peek();
    const map = now?.maps[side];
    const grid = gridOf(window, device, size);
    if (grid) want?.(grid);
    if (map && size.curve) {
      paintMapCurve(context, window, { keras: map, preview: null, ...size }, display.peek());
      return;
    }
    draw(context, (target) => {
      if (now) paintOutput(target, window, now, side, palette.peek());
      else target.pixels.fill(0);
    });
  };

  const { range, counts } = shown.value?.maps[side] ?? NONE;
  const provenance = shown.value ? "keras" : "waiting";
  return (
    <figure
      class="cl-figure cl-output"
      data-side={side}
      data-channel={shown.value?.channel}
      data-drawn={shown.value?.maps[side].shape.join()}
      data-curve={size.curve || undefined}
      style={aspect(size)}
    >
      <figcaption class="cl-caption">{side === "difference" ? "after − before" : side}</figcaption>
      <PictureFrame
        lens={lens}
        where={() => ({ size, place: placeOver(size) })}
        label={`Output ${side === "difference" ? "after minus before" : side} the edits, ${name}, ${sizeWords(ranked, size.rows, size.cols)}`}
        watch={() => {
          shown.value;
          palette.value;
          lens.network.predictions.value;
        }}
        drawn={() => (size.curve || isLarge(size) ? null : size)}
        paint={paint}
        hover={(pixel) => {
          over.value = pixel;
        }}
        cursor={pinned}
        pick={({ row, col }) => {
          const at = pinned.peek();
          pinned.value = at?.[0] === row && at[1] === col ? null : [row, col];
        }}
        locate={(pixel) => pixel}
        marks={(view) => (
          <>
            {pinned.value && (
              <PixelMark view={view} pixel={{ row: pinned.value[0], col: pinned.value[1] }} kind="pin" />
            )}
            {over.value && <PixelMark view={view} pixel={over.value} kind="hover" />}
          </>
        )}
      >
        <MapReadout probe={probe} />
      </PictureFrame>
      <Legend
        map={{ provenance, sampled: false, range, counts }}
        mode={side === "difference" ? "symmetric" : "shared"}
        display={display.value}
        table={table.value}
        palette={palette.value}
        probe={probe}
      />
    </figure>
  );
}
