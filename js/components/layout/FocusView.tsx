/** One filter large: image and map at one scale, the kernel between or above them, the pinned pixel's sum right below. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { LensView } from "../../state/lens-view.ts";
import { FilterCard } from "../filter/FilterCard.tsx";
import { FilterStrip } from "../network/Gallery.tsx";
import { Predictions } from "../network/Predictions.tsx";
import { InputImage } from "../picture/InputImage.tsx";
import type { Placed } from "../ui/arrangement.ts";
import { CellSide } from "../ui/cellSize.ts";
import { consume } from "../ui/consume.ts";
import { selectedFilter } from "../ui/selectedFilter.ts";
import { FocusSum } from "./FocusSum.tsx";

export function FocusView({ lens, at }: { lens: LensView; at: Placed & { view: "focus" } }) {
  const root = useRef<HTMLDivElement>(null);
  const chosen = selectedFilter(lens);

  // The focus moves here from the card that had it, and from the card of the filter before, so that keys keep working.
  const stepped = useRef(true);
  useLayoutEffect(() => {
    if (stepped.current)
      root.current?.querySelector<HTMLElement>(".cl-map .cl-frame")?.focus({ preventScroll: true });
    stepped.current = false;
  }, [chosen?.filter]);

  const step = (by: number) => {
    stepped.current = true;
    const count = lens.filters.peek().length;
    lens.select((lens.selected.peek() + by + count) % count);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    if ((event.target as Element).closest("input, select, textarea, [role=grid], [role=listbox]")) return;
    if (event.key === "Escape") lens.set("view", "grid");
    else if (event.key === "PageDown") step(1);
    else if (event.key === "PageUp") step(-1);
    else return;
    consume(event);
  };

  if (!chosen) return null;
  const { filter, index } = chosen;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: handles Escape from any element in it that has the focus.
    <div ref={root} class="cl-focus" data-kernel={at.kernel} onKeyDown={onKeyDown}>
      {lens.filters.value.length > 1 && <FilterStrip lens={lens} />}
      <InputImage lens={lens} />
      <FilterCard key={filter.uid} lens={lens} filter={filter} index={index} />
      <CellSide.Provider value={at.sumCell}>
        <FocusSum lens={lens} filter={filter} />
      </CellSide.Provider>
      <Predictions lens={lens} />
    </div>
  );
}
