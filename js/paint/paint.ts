/** Painting through one reused pixel buffer, sized as the canvas is. */
import { type Palette, paintFloats, paintLevels, type SourceWindow, type Target } from "../../lens/colors.ts";
import type { Range } from "../../lens/ranges.ts";
import type { MapView } from "../../model/lens.ts";

/** Returns what fills a canvas by `fill`, keeping the buffer between frames. */
export function bufferedPaint(): (context: CanvasRenderingContext2D, fill: (target: Target) => void) => void {
  let image: ImageData | null = null;
  return (context, fill) => {
    const { width, height } = context.canvas;
    if (image?.width !== width || image.height !== height) image = context.createImageData(width, height);
    fill({ pixels: new Uint32Array(image.data.buffer), width, height });
    context.putImageData(image, 0, 0);
  };
}

/** Paint an activation map, Keras's or the preview; transparent where there is none yet. */
export function paintMap(
  target: Target,
  window: SourceWindow,
  map: MapView,
  display: Readonly<Range>,
  palette: Palette,
): void {
  if (map.preview) paintFloats(target, window, map.preview, map, display, palette);
  else if (map.keras) paintLevels(target, window, map.keras, map, display, palette);
  else target.pixels.fill(0);
}
