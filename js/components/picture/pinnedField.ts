/** What part of the input image the pinned pixel of a layer inside a model depends on, and the words for it. */
import type { Picture } from "../../paint/drawable.ts";
import type { Size } from "../../paint/grid.ts";
import type { FieldRecord } from "../../protocol/messages.ts";
import type { LensView } from "../../state/lens-view.ts";
import { selectedFilter } from "../ui/selectedFilter.ts";
import { spanWords } from "../ui/wording.ts";

/** Null without a pinned pixel, while Python is asked, and where the layer's own window in the image says it. */
export function pinnedField(lens: LensView): FieldRecord | null {
  const pinned = lens.pixel.value;
  const chosen = selectedFilter(lens);
  const [rows, cols] = lens.geometry.value.output_shape;
  if (lens.imageIsInput.value || !pinned || !chosen || pinned[0] >= rows || pinned[1] >= cols) return null;
  const patch = lens.patchAt(chosen.filter.uid, pinned[0], pinned[1]);
  return patch && !(patch instanceof Error) ? patch.field : null;
}

/** "rows −2 to 9, cols 4 to 15", or null where that is not known; `ranked` is 1 for a signal. */
export function fieldWords(
  { rows, cols, inside }: FieldRecord,
  image: Size,
  ranked: { rank: 1 | 2 } = { rank: 2 },
): string | null {
  if (!rows || !cols) return null;
  const covers = (read: number[] | undefined, count: number) => read?.[0] === 0 && read.at(-1) === count - 1;
  if (covers(inside?.[0], image.rows) && covers(inside?.[1], image.cols))
    return ranked.rank === 1 ? "the whole signal" : "the whole image";
  return spanWords(ranked, rows, cols);
}

/** The same as a sentence, with what lies in the padding and any note on it. */
export function fieldSentence(field: FieldRecord, image: Size & { record?: Picture["record"] }): string {
  const { rows, cols, inside, note } = field;
  const ranked = { rank: image.record?.signal ? 1 : 2 } as const;
  const words = fieldWords(field, image, ranked);
  if (!words || !rows || !cols || !inside) return note;
  const long = cols[1] - cols[0] + 1;
  const size = ranked.rank === 1 ? `${long} steps` : `${rows[1] - rows[0] + 1} × ${long} pixels`;
  const thing = ranked.rank === 1 ? "signal" : "image";
  const past = rows[0] < 0 || cols[0] < 0 || rows[1] >= image.rows || cols[1] >= image.cols;
  const where = past ? `${size}, of which those outside the ${thing} are padding` : size;
  const from = words.startsWith("the whole") ? words : `${words} of the ${thing}`;
  return `Through the layers before this one, the ${ranked.rank === 1 ? "step" : "pixel"} depends on ${from}: ${where}. ${note}`.trim();
}
