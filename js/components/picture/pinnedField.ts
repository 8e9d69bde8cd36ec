/** What part of the input image the pinned pixel of a layer inside a model depends on, and how that is said. */
import type { Size } from "../../lens/colors.ts";
import type { LensModel } from "../../model/lens.ts";
import type { FieldRecord } from "../../model/messages.ts";
import { selectedFilter } from "../explain/selectedFilter.ts";
import { span } from "../wording.ts";

/** Null without a pinned pixel, while Python is asked, and where the layer's own window in the image says it. */
export function pinnedField(lens: LensModel): FieldRecord | null {
  const pinned = lens.pixel.value;
  const chosen = selectedFilter(lens);
  const [rows, cols] = lens.geometry.value.output_shape;
  if (lens.imageIsInput.value || !pinned || !chosen || pinned[0] >= rows || pinned[1] >= cols) return null;
  const patch = lens.patchAt(chosen.filter.uid, pinned[0], pinned[1]);
  return patch && !(patch instanceof Error) ? patch.field : null;
}

const WHOLE = "the whole image";

/** "rows −2 to 9, cols 4 to 15", or null where that is not known. */
export function fieldWords({ rows, cols, inside }: FieldRecord, image: Size): string | null {
  if (!rows || !cols) return null;
  const covers = (read: number[] | undefined, count: number) => read?.[0] === 0 && read.at(-1) === count - 1;
  if (covers(inside?.[0], image.rows) && covers(inside?.[1], image.cols)) return WHOLE;
  return `rows ${span(...rows)}, cols ${span(...cols)}`;
}

/** The same as a sentence, with what lies in the padding and what there is to say about it. */
export function fieldSentence(field: FieldRecord, image: Size): string {
  const { rows, cols, inside, note } = field;
  const words = fieldWords(field, image);
  if (!words || !rows || !cols || !inside) return note;
  const size = `${rows[1] - rows[0] + 1} × ${cols[1] - cols[0] + 1} pixels`;
  const past = rows[0] < 0 || cols[0] < 0 || rows[1] >= image.rows || cols[1] >= image.cols;
  const where = past ? `${size}, of which those outside the image are padding` : size;
  const from = words === WHOLE ? WHOLE : `${words} of the image`;
  return `Through the layers before this one, the pixel depends on ${from}: ${where}. ${note}`.trim();
}
