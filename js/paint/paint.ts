/** Painting through one reused pixel buffer, sized as the canvas is. */

import { type Palette, paintFloats, paintLevels, type Target } from "./colors.ts";
import type { CloseUp, MapView } from "./drawable.ts";
import { type Grid, gather, type SourceWindow, sampledMeans, wholeGrid, within } from "./grid.ts";
import type { Range } from "./ranges.ts";

/** Returns a function that fills a canvas by `fill`, keeping the buffer between frames. */
export function bufferedPaint(): (context: CanvasRenderingContext2D, fill: (target: Target) => void) => void {
  let image: ImageData | null = null;
  return (context, fill) => {
    const { width, height } = context.canvas;
    if (image?.width !== width || image.height !== height) image = context.createImageData(width, height);
    fill({ pixels: new Uint32Array(image.data.buffer), width, height });
    context.putImageData(image, 0, 0);
  };
}

/**
 * Paint an activation map, Keras's or the preview; transparent where there is none yet. With a grid, which a large map has,
 * a preview is averaged to it.
 */
export function paintMap(
  target: Target,
  window: SourceWindow,
  map: MapView,
  display: Readonly<Range>,
  palette: Palette,
  grid: Grid | null = null,
  closeUp: CloseUp | null = null,
): void {
  const { preview } = map;
  const keras = closeUp?.map ?? map.keras;
  if (preview && grid) {
    const apply = preview.activation?.apply;
    const values =
      preview.large?.means(grid, apply) ??
      sampledMeans(gather(preview.values, map.cols, grid), grid.shape, apply);
    const size = { rows: grid.shape[0], cols: grid.shape[1] };
    const source = { ...preview, values, activation: null };
    paintFloats(target, within(window, grid), source, size, display, palette);
  } else if (preview) paintFloats(target, window, preview, map, display, palette);
  else if (keras) {
    const over = within(window, closeUp?.grid ?? wholeGrid(map, keras.shape));
    const [rows, cols] = keras.shape;
    paintLevels(target, over, keras, { rows, cols }, display, palette);
  } else target.pixels.fill(0);
}
