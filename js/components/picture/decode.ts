/** A file that was dropped, pasted or chosen, as bytes that the lens can read. */

/** Longer side of what is sent; a phone's photograph has four times this, and the difference is not visible. */
export const LONGEST = 2048;

export interface Decoded {
  shape: [rows: number, cols: number, channels: number];
  data: Uint8Array;
  /** What was done to the picture, or null. */
  note: string | null;
}

/** Rows and columns with the longer side at most `LONGEST`. */
export function sensibleSize(rows: number, cols: number): [rows: number, cols: number] {
  const shrink = Math.min(1, LONGEST / Math.max(rows, cols));
  return [Math.max(1, Math.round(rows * shrink)), Math.max(1, Math.round(cols * shrink))];
}

/** RGBA bytes without redundant channels: grey where all three agree, no alpha where it is opaque. */
export function fewestChannels(rgba: Uint8ClampedArray): { channels: 1 | 3 | 4; data: Uint8Array } {
  let [gray, opaque] = [true, true];
  for (let i = 0; i < rgba.length && (gray || opaque); i += 4) {
    if (rgba[i + 3] !== 255) opaque = false;
    if (rgba[i] !== rgba[i + 1] || rgba[i] !== rgba[i + 2]) gray = false;
  }
  if (!opaque) return { channels: 4, data: Uint8Array.from(rgba) };
  const channels = gray ? 1 : 3;
  const data = new Uint8Array((rgba.length / 4) * channels);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    for (let channel = 0; channel < channels; channel++) data[to++] = rgba[from + channel] as number;
  }
  return { channels, data };
}

/** Decode an image file; throws an error that says what was given and what works. */
export async function decodeImage(file: Blob): Promise<Decoded> {
  const bitmap = await createImageBitmap(file).catch(() => {
    const name = file instanceof File ? `“${file.name}”` : "What was given";
    const type = file.type || "no known type";
    throw new Error(
      `${name} (${type}) is not an image that this browser reads. Use PNG, JPEG, WebP, GIF or BMP.`,
    );
  });
  const [rows, cols] = sensibleSize(bitmap.height, bitmap.width);
  const canvas = document.createElement("canvas");
  canvas.width = cols;
  canvas.height = rows;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser provides no canvas to decode the image.");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, cols, rows);
  const { channels, data } = fewestChannels(context.getImageData(0, 0, cols, rows).data);
  const note =
    rows === bitmap.height && cols === bitmap.width
      ? null
      : `Scaled from ${bitmap.height} × ${bitmap.width} to ${rows} × ${cols}: the longer side is kept to ${LONGEST} pixels.`;
  bitmap.close();
  return { shape: [rows, cols, channels], data, note };
}

/** The first image file that was dropped or pasted, or else the first file, whose error then says what it is. */
export function imageFile(transfer: DataTransfer | null): File | null {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}
