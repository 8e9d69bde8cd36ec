import { expect, test } from "vitest";
import { reshaped } from "../maths/geometry.ts";
import { placeOutput, throughPlacement } from "../paint/viewport.ts";
import type { Geometry } from "../protocol/records.ts";
import { fixture } from "./fake-host.ts";

const geometry = (changes: Partial<Geometry>): Geometry =>
  reshaped(fixture({ rows: 20, cols: 30 }).python.geometry, changes);

/** The middle of output pixel (row, col), in the image below the map. */
function below(layer: Geometry, row: number, col: number): [number, number] {
  const image = { rows: layer.input_shape[0], cols: layer.input_shape[1] };
  const at = throughPlacement(placeOutput(layer), { x: col + 0.5, y: row + 0.5, width: 0, height: 0 }, image);
  return [at.y, at.x];
}

test("an output pixel lies over the middle of the window that it reads", () => {
  // Rows 7 to 10, cols 3 to 6: their middle, in coordinates in which pixel 0 reaches from 0 to 1.
  expect(below(geometry({}), 7, 3)).toEqual([9, 5]);
  // Stride 2: rows 14 to 17.
  const strided = below(geometry({ strides: [2, 2] }), 7, 3);
  expect(strided[0]).toBeCloseTo(16, 12);
  expect(strided[1]).toBeCloseTo(8, 12);
  // "same" with a kernel of 3: the pixel itself.
  const same = below(geometry({ kernel_size: [3, 3], padding: "same" }), 7, 3);
  expect(same[0]).toBeCloseTo(7.5, 12);
  expect(same[1]).toBeCloseTo(3.5, 12);
  // Dilated by 2, a kernel of 4 spans rows 7 to 13.
  expect(below(geometry({ dilation_rate: [2, 2] }), 7, 3)[0]).toBeCloseTo(10.5, 12);
});
