/** The real explanation on cases that Python wrote: run by run-explain.mjs, compared with Keras in tests/unit. */
import { agrees, explain, insideOf, type Patch, readPatch } from "../maths/explanation.ts";
import type { FieldRecord } from "../protocol/messages.ts";
import type { Geometry } from "../protocol/records.ts";
import { pictureOf } from "./picture-of.ts";

interface Case {
  geometry: Geometry;
  /** C order: row, column, channel; null for a layer inside a model, whose patches come from the kernel. */
  image: number[] | null;
  firstChannel: number;
  kernel: number[];
  bias: number;
  /** Pixels to explain, and Keras's pre-activations there. */
  pixels: {
    row: number;
    col: number;
    keras: number;
    patch?: { rows: number[]; cols: number[]; values: number[]; field: FieldRecord };
  }[];
}

export interface Outcome {
  total: number;
  /** Sum of the magnitudes that were added up. */
  scale: number;
  agrees: boolean;
  /** Kernel cells that lie in the padding. */
  padding: number;
}

export function explained({ geometry, image, firstChannel, kernel, bias, pixels }: Case): Outcome[] {
  const picture = image && pictureOf(geometry, image);
  const planes = Array.from(
    { length: geometry.kernel_channels },
    (_, i) => picture?.drawn.plane(firstChannel + i) ?? new Float32Array(),
  );
  return pixels.map(({ row, col, keras, patch }) => {
    const read: Patch = patch
      ? {
          ...patch,
          inside: insideOf(geometry, patch.rows, patch.cols),
          values: new Float32Array(patch.values),
        }
      : readPatch(geometry, planes, row, col);
    const found = explain(read, new Float32Array(kernel), bias);
    const padding = found.inside.filter((reads) => !reads).length;
    return { total: found.total, scale: found.scale, agrees: agrees(found, keras), padding };
  });
}
