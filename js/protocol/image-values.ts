/** The numbers of an image, or of a part of it, from the bytes in which they are sent. */
import { type Bytes, bytesOf, floatsOf } from "./bytes.ts";
import type { ImageRecord } from "./records.ts";

export function imageValues({ dtype, scale }: ImageRecord, data: Bytes): Float32Array {
  return dtype === "uint8" ? scaled(bytesOf(data), scale) : floatsOf(data);
}

/** byte × scale in double precision, then rounded to float32, as Python does: 26 × (1 / 255) is not 26 × fround(1 / 255). */
function scaled(bytes: Uint8Array, scale: number): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, byte) => byte * scale);
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = table[bytes[i] as number] as number;
  return out;
}
