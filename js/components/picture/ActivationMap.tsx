/** One activation map: its pixels, where they come from, the value under the pointer and what the colours mean. */
import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { paintMapCurve } from "../../paint/curve.ts";
import { gridOf, isLarge, type SourceWindow } from "../../paint/grid.ts";
import { bufferedPaint, paintMap } from "../../paint/paint.ts";
import { paletteOf } from "../../paint/palette.ts";
import { type Pixel, placeOutput, placeOver, type View } from "../../paint/viewport.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { openAnswer } from "../ui/openAnswer.ts";
import { useSilence } from "../ui/useSilence.ts";
import {
  PROVENANCE,
  SILENT_WHY,
  STAGES,
  shortSize,
  silentWords,
  sizeWords,
  zeroWords,
} from "../ui/wording.ts";
import { Legend } from "./Legend.tsx";
import { PixelMark } from "./marks.tsx";
import { aspect, PictureFrame } from "./PictureFrame.tsx";
import { Provenance } from "./Provenance.tsx";
import { mapProbe } from "./probe.ts";
import { MapReadout } from "./Readout.tsx";
import { UnderImage } from "./UnderImage.tsx";
import type { Resolution } from "./useCanvas.ts";
import { Veil } from "./Veil.tsx";

export interface ActivationMapProps {
  lens: LensView;
  filter: FilterView;
  index: number;
}

export function ActivationMap({ lens, filter, index }: ActivationMapProps) {
  const probe = useMemo(() => mapProbe(lens, filter.uid), [lens, filter]);
  const table = useComputed(() => lens.cmapTables.value.get(lens.cmap.value));
  const palette = useComputed(() => paletteOf(table.value ?? new Uint8Array(768)));
  const draw = useMemo(bufferedPaint, [filter]);

  const map = filter.map.value;
  const geometry = lens.geometry.value;
  const [rows, cols] = geometry.output_shape;
  // Before there is a map, its place has the size that the map will have.
  const curve = geometry.rank === 1;
  const { rows: high, cols: wide } =
    map.rows > 0 ? map : { rows: Math.max(rows, 1), cols: Math.max(cols, 1) };
  const size = { rows: high, cols: wide, curve };
  const stage = lens.shared.stage.value;
  const name = lens.names.value[index] ?? `Filter ${index + 1}`;
  const { text } = PROVENANCE[map.provenance];
  const share = useSilence(lens, filter);
  const silent = share === null ? "" : silentWords(share);

  // In focus a pixel of the map is as large as the pixels of the image that it steps over.
  const scale = lens.imageIsInput.value ? map.cols / placeOutput(geometry).x.step : 1;

  // A curve is not drawn over another.
  const overlay = lens.imageIsInput.value && !curve ? lens.shared.overlay.value : 0;

  const open = (pixel: Pixel | null) => {
    if (lens.selected.peek() !== index) lens.select(index);
    if (pixel) lens.pin([pixel.row, pixel.col]);
    lens.set("view", lens.shared.view.peek() === "focus" ? "grid" : "focus");
  };

  const where = () => {
    const { rows, cols } = filter.map.value;
    const size = { rows, cols, curve: lens.geometry.value.rank === 1 };
    return { size, place: lens.imageIsInput.value ? placeOutput(lens.geometry.value) : placeOver(size) };
  };

  const paint = (context: CanvasRenderingContext2D, window: SourceWindow, device: Resolution) => {
    const display = lens.displayRange(filter.uid);
    const map = filter.map.peek();
    if (lens.geometry.peek().rank === 1) return paintMapCurve(context, window, map, display);
    const grid = gridOf(window, device, map);
    const closeUp = grid && lens.closeUp(filter.uid, grid);
    draw(context, (target) => paintMap(target, window, map, display, palette.peek(), grid, closeUp));
  };

  const watch = () => {
    filter.map.value;
    lens.closeUps.value;
    palette.value;
    lens.displayRange(filter.uid);
  };

  const marks = (view: View) => {
    const pinned = lens.pixel.value;
    const hover = lens.hover.value;
    return (
      <>
        <Veil lens={lens} view={view} />
        {pinned && <PixelMark view={view} pixel={{ row: pinned[0], col: pinned[1] }} kind="pin" />}
        {hover && <PixelMark view={view} pixel={hover} kind="hover" />}
      </>
    );
  };

  return (
    <figure
      class="cl-figure cl-map"
      data-uid={filter.uid}
      data-provenance={map.provenance}
      data-version={map.version}
      data-curve={curve || undefined}
      style={{ ...aspect(size), "--cl-share": scale, "--cl-overlay": overlay || 1 }}
    >
      <PictureFrame
        lens={lens}
        where={where}
        label={`${name}: ${STAGES[stage]} map, ${sizeWords(geometry, map.rows, map.cols)}, ${text}${silent && `, ${silent}`}`}
        watch={watch}
        drawn={() => (curve || isLarge(filter.map.peek()) ? null : filter.map.peek())}
        paint={paint}
        hover={(pixel) => {
          lens.hoverInput.value = null;
          lens.hover.value = pixel;
        }}
        pick={({ row, col }) => {
          const pinned = lens.pixel.peek();
          lens.pin(pinned?.[0] === row && pinned[1] === col ? null : [row, col]);
        }}
        locate={(output) => output}
        marks={marks}
        under={overlay > 0 ? <UnderImage lens={lens} where={where} /> : null}
        open={open}
      >
        <MapReadout probe={probe} />
        {map.provenance === "waiting" && <span class="cl-nomap">no map yet</span>}
      </PictureFrame>
      <Legend
        map={map}
        mode={lens.shared.value_range.value}
        display={lens.displayRange(filter.uid)}
        table={table.value}
        palette={palette.value}
        probe={probe}
      />
      {silent && (
        <mark class="cl-silent" title={SILENT_WHY}>
          {silent}
        </mark>
      )}
      <figcaption class="cl-caption">
        <span class="cl-hidden">{STAGES[stage]} </span>
        <span class="cl-number cl-muted">{shortSize(geometry, size.rows, size.cols)}</span>
        <Zeros lens={lens} filter={filter} index={index} words={zeroWords(map, geometry, stage)} />
        <Provenance from={map.provenance} />
      </figcaption>
    </figure>
  );
}

/** How much of a map is zero; a press explains one of those pixels. */
function Zeros({ lens, filter, index, words }: ActivationMapProps & { words: string | null }) {
  if (!words?.includes("%") || filter.map.value.counts.zeros === 0) {
    return <span class="cl-number cl-zeros">{words}</span>;
  }
  return (
    <Button
      class="cl-number cl-zeros cl-link"
      title="Why is it black?"
      onClick={({ currentTarget }) => {
        lens.select(index);
        openAnswer(lens, currentTarget, "pixel", "least");
      }}
    >
      {words}
    </Button>
  );
}
