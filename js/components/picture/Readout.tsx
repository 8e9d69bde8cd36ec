/** The value at the pixel under the pointer, or at the pinned one. */
import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { formatNumber } from "../../maths/numbers.ts";
import type { LensView } from "../../state/lens-view.ts";
import { placeWords } from "../ui/wording.ts";
import type { MapProbe } from "./probe.ts";

const placeOf = ({ where }: MapProbe) => `${where}: `;
const numberOf = ({ value, exact }: MapProbe) =>
  value === null ? "…" : `${exact ? "" : "≈ "}${formatNumber(value, 8)}`;

/** "row 12, col 40: 0.732"; "≈" before a value that is not Keras's own. */
export const mapReadout = (probe: MapProbe): string => placeOf(probe) + numberOf(probe);

export function MapReadout({ probe }: { probe: ReadonlySignal<MapProbe | null> }) {
  const at = probe.value;
  return (
    <Readout pinned={at?.pinned ?? false}>
      {at && <span class="cl-where">{placeOf(at)}</span>}
      {at && numberOf(at)}
    </Readout>
  );
}

/** Stands over a corner of the picture, so that nothing moves when it comes and goes. Only a pinned pixel is announced: a moving pointer would never stop. */
export function Readout({ pinned, children }: { pinned: boolean; children: ComponentChildren }) {
  return (
    <output class="cl-readout cl-number" data-pinned={pinned || undefined} aria-live="off">
      {children}
    </output>
  );
}

/** Milliseconds without a step before a moved pin is read aloud. */
const SETTLED = 500;

/** Announces where the pin is and the value of the selected filter's map there. */
export function PinAnnouncer({ lens }: { lens: LensView }) {
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
      const value = values ? values[lens.shared.stage.peek()] : null;
      const where = placeWords(lens.geometry.peek(), row, col);
      const exact = values?.exact ?? false;
      said.value = `Pinned ${mapReadout({ pixel: { row, col }, pinned: true, where, value, exact })}`;
    }, SETTLED);
    return () => clearTimeout(timer);
  });
  return (
    <p class="cl-hidden" role="status">
      {said}
    </p>
  );
}
