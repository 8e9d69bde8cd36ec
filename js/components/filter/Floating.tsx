/** A panel of a filter in the top layer, below the button that opened it: nothing moves, and no narrow card cuts it off. */
import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { openBelow } from "../ui/openBelow.ts";

export interface FloatingProps {
  anchor: RefObject<HTMLElement | null>;
  children: ComponentChildren;
}

export function Floating({ anchor, children }: FloatingProps) {
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const [element, control] = [panel.current, anchor.current];
    if (!element || !control) return;
    let stop = () => {};
    const place = () => {
      stop();
      stop = openBelow(element, control, "end", place);
    };
    place();
    element.querySelector<HTMLElement>("input, .cl-preset")?.focus();
    return () => stop();
  }, [anchor]);
  return (
    <div ref={panel} class="cl-floating" popover="manual">
      {children}
    </div>
  );
}
