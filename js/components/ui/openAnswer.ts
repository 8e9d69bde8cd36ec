/** Where the lens answers a question: a tab that explains it, and a pixel that shows it. */
import { notablePixel } from "../../paint/notable-pixel.ts";
import type { Explained, LensView } from "../../state/lens-view.ts";

/**
 * Open a tab and bring it into sight.
 *
 * `pixel` pins one of the selected filter's map: the least one or a given one in any case, the greatest only where none
 * is pinned.
 */
export function openAnswer(
  lens: LensView,
  within: Element | null,
  tab: Explained,
  pixel?: "greatest" | "least" | [number, number],
): void {
  const filter = lens.filters.peek()[lens.selected.peek()];
  if (filter && pixel && (pixel !== "greatest" || !lens.pixel.peek())) {
    const found = typeof pixel === "string" ? notablePixel(filter.map.peek(), pixel) : pixel;
    if (found) lens.pin(found);
  }
  lens.explained.value = tab;
  const strip = within?.closest(".convlens")?.querySelector(".cl-strip");
  strip?.scrollIntoView({ block: "nearest" });
  strip?.querySelector<HTMLElement>(`[data-tab=${tab}]`)?.focus({ preventScroll: true });
}
