/** Where a map's numbers come from. All the marks keep their place, so that nothing moves while one follows another. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Provenance as From } from "../../paint/drawable.ts";
import { Icon } from "../ui/icons.tsx";
import { PROVENANCE } from "../ui/wording.ts";

const ALL = Object.keys(PROVENANCE) as From[];
/** While a cell is dragged, Keras's answers come between the predictions: the mark changes only when the drag ends. */
const REST_MS = 200;

export function Provenance({ from }: { from: From }) {
  const mark = useRested(from);
  return (
    <span class="cl-provenance" title={PROVENANCE[mark].title}>
      {ALL.map((one) => (
        <span key={one} data-from={one} aria-hidden={one !== mark}>
          <Icon name={PROVENANCE[one].icon} size={12} />
          {PROVENANCE[one].text}
        </span>
      ))}
    </span>
  );
}

/** A preview stays marked as one until Keras's map has been there for a while. Nothing else waits. */
function useRested(from: From): From {
  const shown = useRef(from);
  const rested = useSignal(0);
  void rested.value;
  if (from !== "keras" || shown.current !== "preview") shown.current = from;
  useEffect(() => {
    if (shown.current === from) return;
    // No CSS transition, though it could wait as well: the browser renders a frame at every refresh while one runs.
    const timer = setTimeout(() => {
      shown.current = from;
      rested.value++;
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [from, rested]);
  return shown.current;
}
