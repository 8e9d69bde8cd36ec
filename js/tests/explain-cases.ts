/** The real explanation on cases that Python wrote: run by run-explain.mjs, compared with Keras in tests/unit. */
import { agrees, explain } from "../lens/explain.ts";
import { readPicture } from "../model/image.ts";
import type { Geometry } from "../model/types.ts";

interface Case {
  geometry: Geometry;
  /** C order: row, column, channel. */
  image: number[];
  firstChannel: number;
  kernel: number[];
  bias: number;
  /** Pixels to explain, and Keras's pre-activations there. */
  pixels: { row: number; col: number; keras: number }[];
}

export interface Outcome {
  total: number;
  agrees: boolean;
  /** Kernel cells that lie in the padding. */
  padding: number;
}

export function explained({ geometry, image, firstChannel, kernel, bias, pixels }: Case): Outcome[] {
  const picture = readPicture({
    version: 1,
    shape: geometry.input_shape,
    dtype: "float32",
    scale: 1,
    data: new Float32Array(image).buffer,
    notes: [],
  });
  const planes = Array.from({ length: geometry.kernel_channels }, (_, i) => picture.plane(firstChannel + i));
  return pixels.map(({ row, col, keras }) => {
    const found = explain(geometry, planes, new Float32Array(kernel), bias, row, col);
    const padding = found.inside.filter((reads) => !reads).length;
    return { total: found.total, agrees: agrees(found, keras), padding };
  });
}
