/** The pixel that is read out: the one under the pointer, else the pinned one. */
import { computed, type ReadonlySignal } from "@preact/signals";
import type { Pixel } from "../../lens/viewport.ts";
import type { LensModel } from "../../model/lens.ts";
import type { Uid } from "../../model/types.ts";

export interface Probe {
  pixel: Pixel;
  pinned: boolean;
}

export interface MapProbe extends Probe {
  /** Of the stage that is drawn; null while nobody knows it. */
  value: number | null;
  /** Whether Keras itself has said so. */
  exact: boolean;
}

export function probeOf(lens: LensModel): Probe | null {
  const hover = lens.hover.value;
  if (hover) return { pixel: hover, pinned: false };
  const pinned = lens.pixel.value;
  return pinned && { pixel: { row: pinned[0], col: pinned[1] }, pinned: true };
}

export function mapProbe(lens: LensModel, uid: Uid): ReadonlySignal<MapProbe | null> {
  return computed(() => {
    const probe = probeOf(lens);
    if (!probe) return null;
    const values = lens.valueAt(uid, probe.pixel.row, probe.pixel.col);
    return { ...probe, value: values ? values[lens.stage.value] : null, exact: values?.exact ?? false };
  });
}
