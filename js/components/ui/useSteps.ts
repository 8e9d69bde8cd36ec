/** Something is done whenever history takes a step; an answer that changes nothing is not a step. */
import { useComputed, useSignalEffect } from "@preact/signals";
import type { LensView } from "../../state/lens-view.ts";

/** `act` is called at first as well. */
export function useSteps(lens: LensView, act: () => void): void {
  const steps = useComputed(() => `${lens.history.value.undo} ${lens.history.value.redo}`);
  useSignalEffect(() => {
    steps.value;
    act();
  });
}
