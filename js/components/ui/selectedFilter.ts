import type { FilterView, LensView } from "../../state/lens-view.ts";

export interface Chosen {
  filter: FilterView;
  index: number;
  name: string;
}

/** The filter in focus; null for the moment in which a list has none. */
export function selectedFilter(lens: LensView): Chosen | null {
  const filters = lens.filters.value;
  const index = Math.min(Math.max(lens.selected.value, 0), filters.length - 1);
  const filter = filters[index];
  return filter ? { filter, index, name: lens.names.value[index] ?? `Filter ${index + 1}` } : null;
}
