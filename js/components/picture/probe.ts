/** The pixel that is read out: the one under the pointer, else the pinned one. */
import { computed, type ReadonlySignal } from "@preact/signals";
import type { Pixel } from "../../paint/viewport.ts";
import type { Uid } from "../../protocol/records.ts";
import type { LensView } from "../../state/lens-view.ts";
import { placeWords } from "../ui/wording.ts";

export interface Probe {
  pixel: Pixel;
  pinned: boolean;
  /** "row 12, col 40", or "step 40". */
  where: string;
}

export interface MapProbe extends Probe {
  /** Of the stage that is drawn; null while it is not known. */
  value: number | null;
  /** Whether it is Keras's own value. */
  exact: boolean;
}

export function probeOf(lens: LensView): Probe | null {
  const hover = lens.hover.value;
  const where = (row: number, col: number) => placeWords(lens.geometry.value, row, col);
  if (hover) return { pixel: hover, pinned: false, where: where(hover.row, hover.col) };
  const pinned = lens.pixel.value;
  return pinned && { pixel: { row: pinned[0], col: pinned[1] }, pinned: true, where: where(...pinned) };
}

export function mapProbe(lens: LensView, uid: Uid): ReadonlySignal<MapProbe | null> {
  return computed(() => {
    const probe = probeOf(lens);
    if (!probe) return null;
    const values = lens.valueAt(uid, probe.pixel.row, probe.pixel.col);
    return {
      ...probe,
      value: values ? values[lens.shared.stage.value] : null,
      exact: values?.exact ?? false,
    };
  });
}
