/** A row of small maps. */
import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Palette } from "../../paint/colors.ts";
import { paintMapCurve } from "../../paint/curve.ts";
import { bufferedPaint, paintMap } from "../../paint/paint.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";

/** Longer side of a small map in CSS pixels, and how far from one to the next. */
const SIDE = 76;
export const STEP = 84;
/** Pixels along the longer side: twice what is seen, for sharp screens. */
const MOST = 160;
/** Opacity of a map that Keras computed for other weights. */
const STALE = 0.55;

interface MapRowProps {
  lens: LensView;
  filters: readonly FilterView[];
  palette: Palette;
  /** CSS pixels from the top. */
  y: number;
}

/**
 * One canvas for the whole row: each is a layer, and the browser visits all layers whenever the page changes.
 * Painted by effects: a new map does not render the gallery again.
 */
export function MapRow({ lens, filters, palette, y }: MapRowProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const kept = useRef(filters);
  if (filters.length !== kept.current.length || filters.some((filter, i) => filter !== kept.current[i]))
    kept.current = filters;

  useLayoutEffect(() => {
    // Filled from here: in the processor's memory, where making and filling many is cheapest.
    const context = canvas.current?.getContext("2d", { willReadFrequently: true });
    const scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    if (!context || !scratch) return;
    const scale = devicePixelRatio;
    context.canvas.width = Math.ceil(kept.current.length * STEP * scale);
    context.canvas.height = Math.ceil(SIDE * scale);
    const draw = bufferedPaint();
    const paint = (filter: FilterView, x: number) => {
      const map = filter.map.value;
      const { rows, cols, keras, preview, provenance } = map;
      const display = lens.displayRange(filter.uid);
      const side = SIDE * scale;
      context.clearRect(x, 0, STEP * scale, side);
      if (!keras && !preview) return;
      if (lens.geometry.peek().rank === 1) {
        scratch.canvas.width = side;
        scratch.canvas.height = side / 2;
        paintMapCurve(scratch, { x: 0, y: 0, width: cols, height: 1 }, map, display);
        context.globalAlpha = provenance === "stale" ? STALE : 1;
        context.drawImage(scratch.canvas, x, side / 4);
        return;
      }
      const longer = Math.max(rows, cols);
      const [width, height] = sized(cols, rows, Math.min(1, MOST / longer));
      if (scratch.canvas.width !== width) scratch.canvas.width = width;
      if (scratch.canvas.height !== height) scratch.canvas.height = height;
      const window = { x: 0, y: 0, width: cols, height: rows };
      draw(scratch, (target) => paintMap(target, window, map, display, palette));
      const [wide, high] = sized(cols, rows, side / longer);
      const [left, top] = [x + Math.round((side - wide) / 2), Math.round((side - high) / 2)];
      context.globalAlpha = provenance === "stale" ? STALE : 1;
      context.imageSmoothingEnabled = longer >= MOST / 2;
      context.drawImage(scratch.canvas, left, top, wide, high);
    };
    const stops = kept.current.map((filter, i) => effect(() => paint(filter, Math.round(i * STEP * scale))));
    return () => {
      for (const stop of stops) stop();
    };
  }, [lens, palette, kept.current]);

  const style = { width: `${filters.length * STEP}px`, height: `${SIDE}px`, transform: `translateY(${y}px)` };
  return <canvas ref={canvas} class="cl-maprow" width={1} height={1} style={style} />;
}

/** Width and height, whole and at least 1, of a picture at another scale. */
function sized(cols: number, rows: number, scale: number): [width: number, height: number] {
  return [Math.max(1, Math.round(cols * scale)), Math.max(1, Math.round(rows * scale))];
}
