/** Painting through one reused pixel buffer, sized as the canvas is. */
import type { Target } from "../../lens/colors.ts";

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
