/** The picture as numbers: planes for drawing and for the linear update, values for the pointer. */

import type { Picture, Planar } from "../paint/drawable.ts";
import { imageValues } from "../protocol/image-values.ts";
import type { ImageRecord } from "../protocol/records.ts";

/** Read an image record; it throws where the bytes do not fit the shape. */
export function readPicture(record: ImageRecord): Picture {
  const [rows, cols, channels] = record.shape;
  const values = imageValues(record, record.data);
  const [high, wide] = record.reduced?.shape ?? [rows, cols];
  if (values.length !== high * wide * channels) {
    throw new RangeError(`a picture of shape (${record.shape.join(", ")}) came with ${values.length} values`);
  }
  const planes: Float32Array[] = [];
  const plane = (channel: number): Float32Array => {
    if (channels === 1) return values;
    let made = planes[channel];
    if (!made) {
      made = new Float32Array(high * wide);
      for (let i = 0, from = channel; i < made.length; i++, from += channels)
        made[i] = values[from] as number;
      planes[channel] = made;
    }
    return made;
  };
  const drawn = { rows: high, cols: wide, plane };
  return pictureOf(record, drawn, record.reduced ? null : drawn);
}

/** The same picture, now that all its pixels are here. */
export function withWhole(picture: Picture, whole: Planar): Picture {
  return pictureOf(picture.record, picture.drawn, whole);
}

function pictureOf(record: ImageRecord, drawn: Planar, whole: Planar | null): Picture {
  const [rows, cols, channels] = record.shape;
  const at = (row: number, col: number) =>
    whole && Array.from({ length: channels }, (_, i) => whole.plane(i)[row * cols + col] as number);
  return { rows, cols, channels, drawn, whole, at, record };
}
