/** What a layer does not let a person change, as sentences that say why. */
import { kindOf } from "../../maths/kinds.ts";
import type { Geometry } from "../../protocol/records.ts";

/** Why filters cannot be added, removed or put in another order; null where they can. */
export function whyFixedList(geometry: Geometry): string | null {
  if (geometry.path !== "") {
    return "This layer is part of a model that expects its channels as they are. A filter can be zeroed instead.";
  }
  if (kindOf(geometry).tiedToInput || geometry.groups > 1) {
    return `The number of filters of this ${geometry.class_name} is tied to its input channels. A filter can be zeroed instead.`;
  }
  return null;
}

/** Why kernels cannot take another size; null where they can. */
export function whyFixedSize(geometry: Geometry): string | null {
  return geometry.path === "" ? null : "This layer is part of a model, and its kernels keep their size.";
}

/** Why a filter's kernel cannot be replaced as a whole; null where it can. */
export function whyNotWhole(geometry: Geometry): string | null {
  if (!kindOf(geometry).editedByParts) return null;
  return "This filter is made of a depthwise and a pointwise kernel: edit these, or switch it off.";
}

/** Whether the layer takes a preset's own size: it has one kernel, and the layer is not part of a model. */
export const followsPreset = (geometry: Geometry): boolean =>
  geometry.filters === 1 && whyFixedSize(geometry) === null;
