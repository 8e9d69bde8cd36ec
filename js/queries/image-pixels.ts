/**
 * The pixels of an image that was sent reduced: single ones when they are read, and all of them, in pieces, for
 * previews.
 */
import type { Picture, Planar } from "../paint/drawable.ts";
import { imageValues } from "../protocol/image-values.ts";
import type { Part } from "../protocol/requests.ts";
import type { Asker } from "./ask.ts";
import { AskedCache } from "./asked-cache.ts";

/** Bytes of one piece: an edit waits for one of them at most. */
const PIECE_BYTES = 240 * 1024;
/** Float32 bytes of the largest input that is kept here: beyond it the page would take more memory than a tab should. */
export const INPUT_BYTES = 128 * 2 ** 20;
const MOST_PIXELS = 1024;

export class ImagePixels {
  readonly #values = new AskedCache<string, number[]>(MOST_PIXELS);
  #following: Picture | null = null;

  constructor(private readonly queries: Asker) {}

  /** Values of one pixel, one per channel; null while Python is asked. */
  at(picture: Picture, row: number, col: number): number[] | null {
    const key = `${picture.record.version}/${row}/${col}`;
    const known = this.#values.read(key);
    if (known) return known;
    const slot = this.#values.ask(key);
    if (slot) {
      this.#ask(picture, [row, row + 1, col, col + 1])
        .then((values) => slot.keep([...values]))
        .catch(() => slot.release());
    }
    return null;
  }

  /** Fetch all pixels piece by piece, each requested when the one before is here, so that edits come between. */
  async follow(picture: Picture, done: (whole: Planar) => void): Promise<void> {
    const { rows, cols, channels, record } = picture;
    if (picture.whole || this.#following === picture || !fitsPage(picture)) return;
    this.#following = picture;
    const pixel = channels * (record.dtype === "uint8" ? 1 : Float32Array.BYTES_PER_ELEMENT);
    const step = Math.max(1, Math.floor(PIECE_BYTES / (cols * pixel)));
    const planes = Array.from({ length: channels }, () => new Float32Array(rows * cols));
    try {
      for (let top = 0; top < rows; top += step) {
        const bottom = Math.min(rows, top + step);
        const values = await this.#ask(picture, [top, bottom, 0, cols]);
        if (this.#following !== picture) return;
        planes.forEach((plane, channel) => {
          for (let i = top * cols, from = channel; from < values.length; i++, from += channels)
            plane[i] = values[from] as number;
        });
      }
      done({ rows, cols, plane: (channel) => planes[channel] as Float32Array });
    } catch {
      // Edits go on waiting for Keras; a restored connection begins again.
    } finally {
      if (this.#following === picture) this.#following = null;
    }
  }

  /** The image has changed. */
  forget(): void {
    this.#following = null;
    this.#values.forget();
  }

  async #ask({ record, channels }: Picture, window: Part): Promise<Float32Array> {
    const { pixels } = await this.queries.ask({ type: "pixels", window });
    const [top, bottom, left, right] = window;
    const values = pixels && imageValues(record, pixels);
    if (values?.length !== (bottom - top) * (right - left) * channels) throw new Error("no such pixels");
    return values;
  }
}

/** Whether all pixels of an image are kept here. */
export function fitsPage({ rows, cols, channels }: Picture): boolean {
  return rows * cols * channels * Float32Array.BYTES_PER_ELEMENT <= INPUT_BYTES;
}
