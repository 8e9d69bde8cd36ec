import { rectOf, type View } from "../../paint/viewport.ts";
import type { LensView } from "../../state/lens-view.ts";

/** Over a map: the pixels that the slide has not reached. */
export function Veil({ lens, view }: { lens: LensView; view: View }) {
  const pinned = lens.pixel.value;
  if (!lens.sliding.value || !pinned) return null;
  const [row, col] = pinned;
  return (
    <svg class="cl-veil" aria-hidden="true">
      <rect {...rectOf(view, row, col + 1, 1, Math.max(0, view.cols - col - 1))} />
      <rect {...rectOf(view, row + 1, 0, Math.max(0, view.rows - row - 1), view.cols)} />
    </svg>
  );
}
