/** One filter large: image and map at one scale, the kernel between or above them, the pinned pixel's sum right below. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { LensView } from "../../state/lens-view.ts";
import { FilterCard } from "../filter/FilterCard.tsx";
import { FilterStrip } from "../network/Gallery.tsx";
import { ModelInput } from "../network/LatentVector.tsx";
import { Predictions } from "../network/Predictions.tsx";
import type { Placed } from "../ui/arrangement.ts";
import { CellSide } from "../ui/cellSize.ts";
import { selectedFilter } from "../ui/selectedFilter.ts";
import { FocusSum } from "./FocusSum.tsx";

export function FocusView({ lens, at }: { lens: LensView; at: Placed & { view: "focus" } }) {
  const root = useRef<HTMLDivElement>(null);
  const chosen = selectedFilter(lens);

  // The focus moves here from the card that had it, and from the card of the filter before, so that keys keep working: with a
  // card that goes the document's body gets it.
  const opened = useRef(true);
  useLayoutEffect(() => {
    if (opened.current || document.activeElement === document.body)
      root.current?.querySelector<HTMLElement>(".cl-map .cl-frame")?.focus({ preventScroll: true });
    opened.current = false;
  }, [chosen?.filter]);

  if (!chosen) return null;
  const { filter, index } = chosen;
  return (
    <div ref={root} class="cl-focus" data-kernel={at.kernel}>
      {lens.filters.value.length > 1 && <FilterStrip lens={lens} />}
      <ModelInput lens={lens} />
      <FilterCard key={filter.uid} lens={lens} filter={filter} index={index} />
      <CellSide.Provider value={at.sumCell}>
        <FocusSum lens={lens} filter={filter} />
      </CellSide.Provider>
      <Predictions lens={lens} />
    </div>
  );
}
