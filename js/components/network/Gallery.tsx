/** A layer of a model, or of many filters: all of them small, and one of them in full. */
import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { LensView } from "../../state/lens-view.ts";
import { FilterCard } from "../filter/FilterCard.tsx";
import { FilterGrid } from "./FilterGrid.tsx";
import { FilterOverview } from "./FilterOverview.tsx";

/** As many filters have a card each, but for those of a model: its layers look alike. */
export const MOST_CARDS = 6;

export function Gallery({ lens, children }: { lens: LensView; children: ComponentChildren }) {
  const card = useRef<HTMLElement>(null);
  const index = Math.min(lens.selected.value, lens.filters.value.length - 1);
  const filter = lens.filters.value[index];
  return (
    <div class="cl-gallery">
      <FilterOverview lens={lens} onOpen={() => card.current?.focus()} />
      <section ref={card} class="cl-opened" tabIndex={-1}>
        {filter && <FilterCard key={filter.uid} lens={lens} filter={filter} index={index} />}
        {children}
      </section>
    </div>
  );
}

/** All filters in one narrow column, beside the one that is large. */
export function FilterStrip({ lens }: { lens: LensView }) {
  const order = useComputed(() => [...lens.filters.value.keys()]);
  return (
    <nav class="cl-focusstrip" aria-label="Other filters">
      <FilterGrid
        lens={lens}
        order={order.value}
        by=""
        noted={() => ""}
        onOpen={() => lens.set("view", "grid")}
      />
    </nav>
  );
}
