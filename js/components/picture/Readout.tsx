/** The value at the pixel under the pointer, or at the pinned one. */
import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { formatNumber } from "../../lens/numbers.ts";
import type { LensModel } from "../../model/lens.ts";
import type { MapProbe } from "./probe.ts";

/** "row 12, col 40: 0.732"; "≈" before a value that Keras has not said itself. */
export function mapReadout({ pixel, value, exact }: MapProbe): string {
  const where = `row ${pixel.row}, col ${pixel.col}`;
  return value === null ? `${where}: …` : `${where}: ${exact ? "" : "≈ "}${formatNumber(value, 8)}`;
}

export function MapReadout({ probe }: { probe: ReadonlySignal<MapProbe | null> }) {
  const at = probe.value;
  return <Readout pinned={at?.pinned ?? false}>{at && mapReadout(at)}</Readout>;
}

/** Keeps its line when there is nothing to say. Only a pinned pixel is announced: a moving pointer would never stop. */
export function Readout({ pinned, children }: { pinned: boolean; children: ComponentChildren }) {
  return (
    <output class="cl-readout cl-number" data-pinned={pinned || undefined} aria-live="off">
      {children}
    </output>
  );
}

/** Milliseconds without a step before a moved pin is read aloud. */
const SETTLED = 500;

/** Says where the pin came to rest and what the selected filter's map holds there. */
export function PinAnnouncer({ lens }: { lens: LensModel }) {
  const said = useSignal("");
  useSignalEffect(() => {
    const pixel = lens.pixel.value;
    if (!pixel) {
      said.value = "";
      return;
    }
    const timer = setTimeout(() => {
      const filter = lens.filters.peek()[lens.selected.peek()];
      const [row, col] = pixel;
      const values = filter && lens.valueAt(filter.uid, row, col);
      const value = values ? values[lens.stage.peek()] : null;
      said.value = `Pinned ${mapReadout({ pixel: { row, col }, pinned: true, value, exact: values?.exact ?? false })}`;
    }, SETTLED);
    return () => clearTimeout(timer);
  });
  return (
    <p class="cl-hidden" role="status">
      {said}
    </p>
  );
}
