/** Arrow keys, Home, End and first letters among the items of a menu or a set of buttons. */
import { arrowStep } from "./arrows.ts";

/** Move the focus as the key requires; false for a key that does not move the focus. */
export function moveFocus(container: Element, selector: string, key: string): boolean {
  const items = [...container.querySelectorAll<HTMLElement>(selector)];
  const now = items.indexOf((container.getRootNode() as Document | ShadowRoot).activeElement as HTMLElement);
  const step = arrowStep(key);
  const begins = (item: HTMLElement | undefined) =>
    item?.textContent?.toLowerCase().startsWith(key.toLowerCase());
  let next: number | undefined;
  if (step) next = now + step;
  else if (key === "Home") next = 0;
  else if (key === "End") next = -1;
  else if (key.length === 1 && key !== " ") {
    next = items.map((_, i) => now + 1 + i).find((i) => begins(items[i % items.length]));
  }
  if (next === undefined) return false;
  items.at(next % items.length)?.focus();
  return true;
}
