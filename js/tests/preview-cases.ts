/** The real preview on cases that Python wrote: run by run-preview.mjs, compared with Keras in tests/unit. */
import { activationOf } from "../lens/activations.ts";
import { planeMagnitude } from "../lens/preview.ts";
import { readPicture } from "../model/image.ts";
import { Prediction, type Weights } from "../model/prediction.ts";
import type { Geometry } from "../model/types.ts";

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
  /** Least and greatest activation, as the legend would say. */
  range: [number, number];
  zeros: number;
}

/** The map computed from nothing, and the map that the linear update ends at. */
export function predict({ geometry, image, firstChannel, kernel, bias, steps }: Case): [Outcome, Outcome] {
  const activation = activationOf(geometry.activation, geometry.activation_params);
  if (!activation) throw new Error(`the browser does not know ${geometry.activation}`);
  const picture = readPicture({
    version: 1,
    shape: geometry.input_shape,
    dtype: "float32",
    scale: 1,
    data: new Float32Array(image).buffer,
    notes: [],
  });
  const planes = {
    plane: (channel: number) => picture.plane(channel),
    magnitude: (channel: number) => planeMagnitude(picture.plane(channel)),
  };
  const prediction = new Prediction(geometry, activation, planes, firstChannel);
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
