/**
 * One filter's predicted map where the browser does not have the layer's input, only what it was sent of it: Keras's own
 * pre-activation for some weights, and the input planes that are being edited. Where other planes changed there is none.
 */
import type { Activation } from "../lens/activations.ts";
import { planeMagnitude, type Survey, survey } from "../lens/preview.ts";
import { changedTaps, type Forecast, MOST_UPDATES, moveTo, sameWeights, type Weights } from "./prediction.ts";
import type { Geometry, Stage } from "./types.ts";

/** What Keras computed, and where the planes are. */
export interface Base {
  pre: Float32Array;
  weights: Weights;
  /** Input plane that plane `k` of the kernel reads, once it is here. */
  plane(k: number): Float32Array | undefined;
}

export class BasedPrediction implements Forecast {
  readonly building = false;
  readonly pre: Float32Array;
  #at: Weights;
  #updates = 0;
  #survey: { stage: Stage; result: Survey } | null = null;

  constructor(
    private readonly geometry: Geometry,
    private readonly activation: Activation,
    private readonly base: Base,
  ) {
    this.pre = base.pre.slice();
    this.#at = base.weights;
  }

  isAt(weights: Weights): boolean {
    return sameWeights(this.#at, weights);
  }

  get worn(): boolean {
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
    // Also for NaN, from which no difference leads back.
    if (!(this.magnitude(weights) < Infinity)) return null;
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
