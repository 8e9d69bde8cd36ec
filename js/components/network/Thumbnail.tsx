/** One map, small: its pixels and nothing else. */
import { effect } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { type Palette, paintFloats, paintLevels } from "../../lens/colors.ts";
import type { FilterView, LensModel } from "../../model/lens.ts";
import { bufferedPaint } from "../picture/paint.ts";

/** Pixels along the longer side: twice what is seen, for sharp screens. */
const MOST = 160;

interface ThumbnailProps {
  lens: LensModel;
  filter: FilterView;
  palette: Palette;
}

/** Painted by an effect: a map that comes does not render the gallery again. */
export function Thumbnail({ lens, filter, palette }: ThumbnailProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const draw = useMemo(bufferedPaint, []);
  useLayoutEffect(() => {
    const element = canvas.current;
    // Filled from here, never drawn on: in the processor's memory, where making and filling many is cheapest.
    const context = element?.getContext("2d", { willReadFrequently: true });
    if (!element || !context) return;
    return effect(() => {
      const map = filter.map.value;
      const { rows, cols, keras, preview, provenance } = map;
      element.dataset.provenance = provenance;
      const display = lens.displayRange(filter.uid);
      const thin = Math.min(1, MOST / Math.max(rows, cols));
      const [width, height] = [cols, rows].map((side) => Math.max(1, Math.round(side * thin)));
      if (element.width !== width) element.width = width as number;
      if (element.height !== height) element.height = height as number;
      element.style.imageRendering = Math.max(rows, cols) < MOST / 2 ? "pixelated" : "auto";
      const window = { x: 0, y: 0, width: cols, height: rows };
      draw(context, (target) => {
        if (preview) paintFloats(target, window, preview, map, display, palette);
        else if (keras) paintLevels(target, window, keras, map, display, palette);
        else target.pixels.fill(0);
      });
    });
  }, [lens, filter, palette]);
  return <canvas ref={canvas} class="cl-thumb" width={1} height={1} />;
}
