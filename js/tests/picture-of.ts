/** A layer's input, as the browser reads it of an image record of float32. */
import type { Geometry } from "../protocol/records.ts";
import { readPicture } from "../state/image.ts";

export function pictureOf(geometry: Geometry, values: ArrayLike<number>) {
  return readPicture({
    version: 1,
    shape: geometry.input_shape,
    dtype: "float32",
    scale: 1,
    data: new Float32Array(values).buffer,
    reduced: null,
    notes: [],
    signal: false,
  });
}
