/** How little of the layer's range a filter's map takes: a component that reads it is rendered again only when it changes. */
import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { FilterView, LensView } from "../../state/lens-view.ts";

/** Null where the map is not nearly silent. */
export function useSilence(lens: LensView, { uid }: FilterView): number | null {
  return useMemo(() => computed(() => lens.silence(uid)), [lens, uid]).value;
}
