/** One activation map: its pixels, where they come from, the value under the pointer and what the colours mean. */
import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { SourceWindow } from "../../lens/colors.ts";
import { paletteOf } from "../../lens/palette.ts";
import { placeOutput, placeOver, type View } from "../../lens/viewport.ts";
import type { FilterView, LensModel } from "../../model/lens.ts";
import { Veil } from "../explain/Slide.tsx";
import { PROVENANCE, STAGES, times, zeroWords } from "../wording.ts";
import { Legend } from "./Legend.tsx";
import { PixelMark } from "./marks.tsx";
import { aspect, PictureFrame } from "./PictureFrame.tsx";
import { Provenance } from "./Provenance.tsx";
import { bufferedPaint, paintMap } from "./paint.ts";
import { mapProbe } from "./probe.ts";
import { MapReadout } from "./Readout.tsx";

export interface ActivationMapProps {
  lens: LensModel;
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
  const stage = lens.stage.value;
  const name = lens.names.value[index] ?? `Filter ${index + 1}`;
  const { text } = PROVENANCE[map.provenance];

  const where = () => {
    const { rows, cols } = filter.map.value;
    const size = { rows, cols };
    return { size, place: lens.imageIsInput.value ? placeOutput(lens.geometry.value) : placeOver(size) };
  };

  const paint = (context: CanvasRenderingContext2D, window: SourceWindow) => {
    const display = lens.displayRange(filter.uid);
    draw(context, (target) => paintMap(target, window, filter.map.peek(), display, palette.peek()));
  };

  const watch = () => {
    filter.map.value;
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
      style={aspect(map)}
    >
      <PictureFrame
        lens={lens}
        where={where}
        label={`${name}: ${STAGES[stage]} map, ${map.rows} rows, ${map.cols} columns, ${text}`}
        watch={watch}
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
      />
      <figcaption class="cl-caption">
        <span>
          {STAGES[stage]} <span class="cl-number cl-muted">{times(map.rows, map.cols)}</span>
        </span>
        <Provenance from={map.provenance} />
      </figcaption>
      <Legend
        map={map}
        mode={lens.valueRange.value}
        display={lens.displayRange(filter.uid)}
        table={table.value}
        palette={palette.value}
        probe={probe}
      />
      <div class="cl-facts">
        <MapReadout probe={probe} />
        <span class="cl-number cl-zeros">{zeroWords(map, geometry, stage)}</span>
      </div>
    </figure>
  );
}
