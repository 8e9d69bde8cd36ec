/** One filter large: the step to the next one, and the keys of that view wherever in the lens they are pressed. */
import type { LensView } from "../../state/lens-view.ts";
import { consume } from "./consume.ts";
import type { FullScreen } from "./fullScreen.ts";

const STEPS: Record<string, number> = { PageDown: 1, ArrowRight: 1, PageUp: -1, ArrowLeft: -1 };

export function stepFilter(lens: LensView, by: number): void {
  const count = lens.filters.peek().length;
  lens.select((lens.selected.peek() + by + count) % count);
}

export function onFocusKey(event: KeyboardEvent, lens: LensView, screen: FullScreen | null): void {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  if ((event.target as Element).closest("input, select, textarea, [role=grid], [role=listbox]")) return;
  const by = STEPS[event.key];
  if (by) stepFilter(lens, by);
  else if (screen && (event.key === "f" || (event.key === "Escape" && screen.on))) screen.toggle();
  else if (event.key === "Escape") lens.set("view", "grid");
  else return;
  consume(event);
}
