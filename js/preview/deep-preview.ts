/**
 * One filter's preview where the browser does not have the layer's input, only what it was sent of it: Keras's own
 * pre-activation for some weights, and the input planes that are being edited. Where other planes changed there is none.
 */
import type { Activation } from "../maths/activations.ts";
import { planeMagnitude } from "../maths/linear-update.ts";
import { type Survey, survey } from "../maths/map-survey.ts";
import type { Geometry, Stage } from "../protocol/records.ts";
import {
  changedTaps,
  MOST_UPDATES,
  moveTo,
  type Preview,
  sameWeights,
  type Weights,
} from "./full-preview.ts";

/** What Keras computed, and where the planes are. */
export interface DeepBase {
  pre: Float32Array;
  weights: Weights;
  /** Input plane that plane `k` of the kernel reads, once it is here. */
  plane(k: number): Float32Array | undefined;
}

export class DeepPreview implements Preview {
  readonly building = false;
  readonly pre: Float32Array;
  met = 0;
  #at: Weights;
  #updates = 0;
  #survey: { stage: Stage; result: Survey } | null = null;

  constructor(
    private readonly geometry: Geometry,
    private readonly activation: Activation,
    private readonly base: DeepBase,
  ) {
    this.pre = base.pre.slice();
    this.#at = base.weights;
  }

  isAt(weights: Weights): boolean {
    return sameWeights(this.#at, weights);
  }

  get bytes(): number {
    return this.pre.byteLength;
  }

  get retired(): boolean {
    return this.#updates > MOST_UPDATES;
  }

  /** Infinite where a plane that changed is not here. */
  magnitude({ kernel, bias }: Weights): number {
    const { pre, weights } = this.base;
    let bound = planeMagnitude(pre) + Math.abs(bias - weights.bias);
    const planes = new Map<number, number>();
    for (const tap of changedTaps(weights.kernel, kernel)) {
      const k = tap % this.geometry.kernel_channels;
      const plane = this.base.plane(k);
      const size = planes.get(k) ?? (plane ? planeMagnitude(plane) : Infinity);
      planes.set(k, size);
      bound += Math.abs((kernel[tap] as number) - (weights.kernel[tap] as number)) * size;
    }
    return bound;
  }

  show(weights: Weights, stage: Stage): Survey | null {
    // Also for NaN, from which no difference leads back to a number.
    const magnitude = this.magnitude(weights);
    if (!(magnitude < Infinity)) return null;
    this.met = Math.max(this.met, magnitude);
    const { geometry, activation, pre } = this;
    if (!this.isAt(weights)) {
      const { result, updates } = moveTo(
        geometry,
        activation,
        this.base.plane,
        pre,
        this.#at,
        weights,
        stage,
      );
      this.#at = weights;
      this.#updates += updates;
      this.#survey = result && { stage, result };
    }
    if (this.#survey?.stage !== stage) {
      this.#survey = { stage, result: survey(pre, activation, stage, true) };
    }
    return this.#survey.result;
  }
}
