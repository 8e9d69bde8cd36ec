/** The real preview on cases that Python wrote: run by run-preview.mjs, compared with Keras in tests/unit. */
import { activationOf } from "../maths/activations.ts";
import { planeMagnitude } from "../maths/linear-update.ts";
import { FullPreview, type Weights } from "../preview/full-preview.ts";
import type { Geometry } from "../protocol/records.ts";
import { pictureOf } from "./picture-of.ts";

interface Case {
  geometry: Geometry;
  /** C order: row, column, channel. */
  image: number[];
  firstChannel: number;
  kernel: number[];
  bias: number;
  /** Kernels and biases that the filter is taken through, one after another. */
  steps: { kernel: number[]; bias: number }[];
}

export interface Outcome {
  pre: number[];
  activation: number[];
  /** Least and greatest activation, as in the legend. */
  range: [number, number];
  zeros: number;
}

/** The map computed from zero, and the map at which the linear update ends. */
export function predict({ geometry, image, firstChannel, kernel, bias, steps }: Case): [Outcome, Outcome] {
  const activation = activationOf(geometry.activation, geometry.activation_params);
  if (!activation) throw new Error(`the browser does not know ${geometry.activation}`);
  const picture = pictureOf(geometry, image);
  const planes = {
    plane: (channel: number) => picture.drawn.plane(channel),
    magnitude: (channel: number) => planeMagnitude(picture.drawn.plane(channel)),
  };
  const prediction = new FullPreview(geometry, activation, planes, firstChannel);
  const show = (weights: Weights): Outcome => {
    const found = prediction.show(weights, "activation");
    if (!found) throw new Error("nothing cut it short");
    const drawn = prediction.pre.slice();
    activation.apply(drawn, 0, drawn.length);
    return {
      pre: [...prediction.pre],
      activation: [...drawn],
      range: found.range,
      zeros: found.counts.zeros,
    };
  };
  const before = show({ kernel: new Float32Array(kernel), bias });
  const after = steps.map((step) => show({ kernel: new Float32Array(step.kernel), bias: step.bias })).at(-1);
  return [before, after ?? before];
}
