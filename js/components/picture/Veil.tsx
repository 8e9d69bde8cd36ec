import { rectOf, type View } from "../../paint/viewport.ts";
import type { LensView } from "../../state/lens-view.ts";
import { useUniqueId } from "../ui/useUniqueId.ts";

/** Over a map: the pixels that the slide has not reached, hatched unlike any value. */
export function Veil({ lens, view }: { lens: LensView; view: View }) {
  const id = useUniqueId();
  const pinned = lens.pixel.value;
  if (!lens.sliding.value || !pinned) return null;
  const [row, col] = pinned;
  const fill = `url(#${id})`;
  return (
    <svg class="cl-veil" aria-hidden="true">
      <pattern id={id} width="10" height="10" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="10" height="10" class="cl-veil-ground" />
        <rect width="3" height="10" class="cl-veil-line" />
      </pattern>
      <rect fill={fill} {...rectOf(view, row, col + 1, 1, Math.max(0, view.cols - col - 1))} />
      <rect fill={fill} {...rectOf(view, row + 1, 0, Math.max(0, view.rows - row - 1), view.cols)} />
    </svg>
  );
}
