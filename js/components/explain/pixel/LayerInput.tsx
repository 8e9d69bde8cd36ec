/** One channel of what a layer inside a model is fed, with the window that the pinned pixel reads. */
import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo } from "preact/hooks";
import type { Explanation } from "../../../maths/explanation.ts";
import { drawnWindow } from "../../../maths/geometry.ts";
import { formatNumber } from "../../../maths/numbers.ts";
import { paintLevels } from "../../../paint/colors.ts";
import { paintMapCurve } from "../../../paint/curve.ts";
import type { SourceWindow } from "../../../paint/grid.ts";
import { bufferedPaint } from "../../../paint/paint.ts";
import { GRAY, paletteOf } from "../../../paint/palette.ts";
import { outputAt, type Pixel, placeOutput, placeOver, type View } from "../../../paint/viewport.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { PixelMark, WindowMark } from "../../picture/marks.tsx";
import { aspect, PictureFrame } from "../../picture/PictureFrame.tsx";
import { ColorBar } from "../../ui/ColorBar.tsx";
import type { Tap } from "../../ui/Heat.tsx";
import { shortSize, sizeWords } from "../../ui/wording.ts";

export interface LayerInputProps {
  lens: LensView;
  channel: number;
  explanation: Explanation;
  /** The tap of the kernel that is pointed at. */
  over: Signal<Tap | null>;
}

export function LayerInput({ lens, channel, explanation: e, over }: LayerInputProps) {
  const palette = useMemo(() => paletteOf(GRAY), []);
  const draw = useMemo(bufferedPaint, []);
  const drawn = useSignal(channel);
  useLayoutEffect(() => {
    drawn.value = channel;
  }, [drawn, channel]);
  const geometry = lens.geometry.value;
  const [rows, cols] = geometry.input_shape;
  const curve = geometry.rank === 1;
  const plane = useComputed(() => {
    const found = lens.inputPlane(drawn.value);
    const { input_shape } = lens.geometry.value;
    return found instanceof Error || String(found?.shape) === String(input_shape.slice(0, 2)) ? found : null;
  });
  if (plane.value instanceof Error) return <p class="cl-muted">{plane.value.message}</p>;
  const known = plane.value;

  const where = () => {
    const { input_shape, rank } = lens.geometry.value;
    const [rows, cols] = input_shape;
    return { size: { rows, cols, curve: rank === 1 }, place: placeOver({ rows, cols }) };
  };
  const paint = (context: CanvasRenderingContext2D, window: SourceWindow) => {
    const known = plane.peek();
    if (curve) {
      if (known && !(known instanceof Error))
        paintMapCurve(context, window, { keras: known, preview: null, rows, cols }, known.range);
      return;
    }
    draw(context, (target) => {
      const shown = plane.peek();
      if (shown && !(shown instanceof Error))
        paintLevels(target, window, shown, where().size, shown.range, palette);
      else target.pixels.fill(0);
    });
  };
  const outputOf = (pixel: Pixel) => outputAt(geometry, placeOutput(geometry), pixel);
  const marks = (view: View) => {
    const hover = lens.hover.value;
    const pinned = lens.pixel.value;
    const tap = over.value;
    const [row, col] = tap ? [e.rows[tap[0]] ?? -1, e.cols[tap[1]] ?? -1] : [-1, -1];
    return (
      <>
        {pinned && <WindowMark view={view} {...drawnWindow(geometry, pinned[0], pinned[1])} kind="pin" />}
        {hover && <WindowMark view={view} {...drawnWindow(geometry, hover.row, hover.col)} kind="hover" />}
        {row >= 0 && col >= 0 && row < rows && col < cols && (
          <PixelMark view={view} pixel={{ row, col }} kind="hover" />
        )}
      </>
    );
  };
  return (
    <figure
      class="cl-figure cl-layerinput"
      data-curve={curve || undefined}
      style={aspect({ rows, cols, curve })}
    >
      <figcaption class="cl-caption">
        <span>
          the layer's input <span class="cl-number cl-muted">{shortSize(geometry, rows, cols)}</span>{" "}
          <span class="cl-muted">
            channel {channel} of {geometry.input_shape[2]}
          </span>
        </span>
      </figcaption>
      <PictureFrame
        lens={lens}
        where={where}
        label={`Input of the layer, channel ${channel}, ${sizeWords(geometry, rows, cols)}`}
        watch={() => {
          plane.value;
        }}
        paint={paint}
        hover={(pixel) => {
          lens.hover.value = pixel && outputOf(pixel);
        }}
        pick={(pixel) => {
          const output = outputOf(pixel);
          if (output) lens.pin([output.row, output.col]);
        }}
        locate={({ row, col }) => {
          const window = drawnWindow(geometry, row, col);
          const middle = (along: number[]) => along[Math.floor(along.length / 2)] ?? 0;
          return { row: middle(window.rows), col: middle(window.cols) };
        }}
        marks={marks}
      />
      {known && (
        <div class="cl-legend">
          <ColorBar table={GRAY} />
          <div class="cl-legend-range">
            <span class="cl-number">{formatNumber(known.range[0])}</span>
            <span class="cl-muted">{curve ? "this channel's range" : "grey, this channel's range"}</span>
            <span class="cl-number">{formatNumber(known.range[1])}</span>
          </div>
        </div>
      )}
      <p class="cl-muted">
        What the layers before make of the {lens.network.vector.value ? "vector" : curve ? "signal" : "image"}
        . The outline is the part that the pinned {curve ? "step" : "pixel"} reads.
      </p>
    </figure>
  );
}
