/** What a map of a played lens must hold, by the slow correlation of reference.ts. */
import { expect } from "vitest";
import { bytesOf } from "../protocol/bytes.ts";
import type { FilterView } from "../state/lens-view.ts";
import type { Played } from "./play.ts";
import { activateSlowly, correlateSlowly } from "./reference.ts";

export function first({ lens }: Played): FilterView {
  const [filter] = lens.filters.value;
  if (!filter) throw new Error("a lens has filters");
  return filter;
}

/** What the map must hold: the slow correlation of what the browser shows. */
export function expected({ lens, model }: Played, filter: FilterView): Float32Array {
  const { scale, data } = model.get("_image");
  const image = Float32Array.from(bytesOf(data), (b) => Math.fround(b * scale));
  const { geometry } = lens;
  return correlateSlowly(geometry.value, image, filter.kernel.value, filter.bias.value, filter.firstChannel);
}

export function expectPreview(play: Played, filter: FilterView): void {
  const { preview, provenance, range } = filter.map.value;
  expect(provenance).toBe("preview");
  const pre = expected(play, filter);
  preview?.values.forEach((v, i) => void expect(v).toBeCloseTo(pre[i] as number, 5));
  const drawn = activateSlowly(pre, play.lens.geometry.value.activation);
  expect(range[0]).toBeCloseTo(Math.min(...drawn), 5);
  expect(range[1]).toBeCloseTo(Math.max(...drawn), 5);
}
