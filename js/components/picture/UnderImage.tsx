/** The input image below a map, where the map's pixels lie over it: by stride, padding and the middle of their windows. */
import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Size, SourceWindow } from "../../paint/grid.ts";
import { bufferedPaint } from "../../paint/paint.ts";
import { GRAY, paletteOf } from "../../paint/palette.ts";
import { paintPicture, shownAs } from "../../paint/picture.ts";
import { type Pane, type Placement, throughPlacement, viewOf, windowOf } from "../../paint/viewport.ts";
import type { LensView } from "../../state/lens-view.ts";
import { useCanvas } from "./useCanvas.ts";

export interface UnderImageProps {
  lens: LensView;
  /** Of the map above it. */
  where(): { size: Size; place: Placement };
}

export function UnderImage({ lens, where }: UnderImageProps) {
  const palette = useMemo(() => paletteOf(GRAY), []);
  const draw = useMemo(bufferedPaint, []);
  const shown = useComputed(() => shownAs(lens.picture.value));
  const { canvas, box } = useCanvas(
    (context) => {
      const picture = lens.picture.peek();
      const pane: Pane = { ...where(), box: box.peek() };
      const over = windowOf(viewOf(pane, lens.viewport.peek()), box.peek());
      const window: SourceWindow = throughPlacement(pane.place, over, picture);
      draw(context, (target) => paintPicture(target, window, picture, shown.peek(), palette));
    },
    () => {
      lens.viewport.value;
      lens.picture.value;
      shown.value;
      where();
    },
    (device) => device,
  );
  return <canvas ref={canvas} class="cl-under" />;
}
