/** A pixel to look at first. */
import { mapCurve } from "./curve.ts";
import type { MapView } from "./drawable.ts";

/** The pixel of the least or the greatest value, of several, the one nearest the middle; null where there is no map. */
export function notablePixel(map: MapView, which: "least" | "greatest"): [number, number] | null {
  const values = mapCurve(map);
  const [rows, cols] = map.preview || !map.keras ? [map.rows, map.cols] : map.keras.shape;
  const sign = which === "least" ? -1 : 1;
  const off = (index: number) =>
    Math.hypot(Math.floor(index / cols) - (rows - 1) / 2, (index % cols) - (cols - 1) / 2);
  let best = -1;
  let most = -Infinity;
  values.forEach((value, index) => {
    const size = sign * value;
    if (size < most || Number.isNaN(size) || (size === most && best >= 0 && off(index) >= off(best))) return;
    most = size;
    best = index;
  });
  if (best < 0) return null;
  // A level of a large map is the mean of a block of it.
  const place = (at: number, count: number, all: number) => Math.floor(((at + 0.5) * all) / count);
  return [place(Math.floor(best / cols), rows, map.rows), place(best % cols, cols, map.cols)];
}
