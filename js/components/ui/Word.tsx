/** A word that a newcomer may not know, with one sentence about it while it is pointed at or has the focus. */
import type { ComponentChildren } from "preact";
import { useUniqueId } from "./useUniqueId.ts";

export function Word({ why, children }: { why: string; children: ComponentChildren }) {
  const id = useUniqueId();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what is said on pointing at it must be reached by keys.
    <span class="cl-word" tabIndex={0} aria-describedby={id}>
      {children}
      <span role="tooltip" class="cl-wordwhy" id={id}>
        {why}
      </span>
    </span>
  );
}
