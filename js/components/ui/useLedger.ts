/** Arithmetic that never wraps: a row while that has the room, else a ledger, one term a line (styles/pixel.css). */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** For the element that is the row; style sheets find `data-ledger` on it. */
export function useLedger(): RefObject<HTMLParagraphElement | null> {
  const row = useRef<HTMLParagraphElement>(null);
  /** The widest that the row was found too long at: it does not change with every digit that comes and goes. */
  const need = useRef(0);
  const look = () => {
    const element = row.current;
    if (!element) return;
    const room = element.clientWidth;
    const ledger = () => element.toggleAttribute("data-ledger", need.current > room);
    if (ledger() || element.scrollWidth <= room) return;
    need.current = element.scrollWidth;
    ledger();
  };
  useLayoutEffect(look);
  useLayoutEffect(() => {
    const sizes = new ResizeObserver(look);
    sizes.observe(row.current as Element);
    return () => sizes.disconnect();
  }, []);
  return row;
}
