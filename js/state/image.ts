/** The picture as numbers: planes for the linear update, values for the pointer. */
import type { Picture } from "./lens.ts";
import type { ImageRecord } from "./types.ts";
import { bytesOf, floatsOf } from "./wire.ts";

/** Read an image record; it throws where the bytes do not fit the shape. */
export function readPicture(record: ImageRecord): Picture {
  const [rows, cols, channels] = record.shape;
  const values =
    record.dtype === "uint8" ? scaled(bytesOf(record.data), record.scale) : floatsOf(record.data);
  if (values.length !== rows * cols * channels) {
    throw new RangeError(`a picture of shape (${record.shape.join(", ")}) came with ${values.length} values`);
  }
  const planes: Float32Array[] = [];
  const plane = (channel: number): Float32Array => {
    if (channels === 1) return values;
    let made = planes[channel];
    if (!made) {
      made = new Float32Array(rows * cols);
      for (let i = 0, from = channel; i < made.length; i++, from += channels)
        made[i] = values[from] as number;
      planes[channel] = made;
    }
    return made;
  };
  const at = (row: number, col: number): number[] => {
    const from = (row * cols + col) * channels;
    return [...values.subarray(from, from + channels)];
  };
  return { rows, cols, channels, plane, at, record };
}

/** byte × scale in double precision, then rounded to float32, as Python does: 26 × (1 / 255) is not 26 × fround(1 / 255). */
function scaled(bytes: Uint8Array, scale: number): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, byte) => byte * scale);
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = table[bytes[i] as number] as number;
  return out;
}
