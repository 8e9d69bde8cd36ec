/** Over the input image: what the chosen class rests on, as Python drew it. */
import type { View } from "../../paint/viewport.ts";
import { pngUrl } from "../../protocol/bytes.ts";
import type { LensView } from "../../state/lens-view.ts";

export function AttributionMark({ lens, view }: { lens: LensView; view: View }) {
  const { interpretation } = lens;
  const { attributed, side } = interpretation;
  const picture = attributed.value && interpretation.run("attribution")?.record[side.value];
  if (!picture) return null;
  const { left, top, scale, down, rows, cols } = view;
  return (
    <image
      class="cl-over"
      href={pngUrl(picture)}
      x={-left * scale}
      y={-top * down}
      width={cols * scale}
      height={rows * down}
      preserveAspectRatio="none"
    />
  );
}
