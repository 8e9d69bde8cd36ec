/** One filter's predicted map: a pre-activation and the kernel that it belongs to, moved from kernel to kernel. */
import type { Activation } from "../lens/activations.ts";
import { addTap, correlate, magnitude, type Survey, survey, update } from "../lens/preview.ts";
import type { Geometry, Stage } from "./types.ts";

/** The layer's input, one plane a channel, and the largest magnitude in each. */
export interface Planes {
  plane(channel: number): Float32Array;
  magnitude(channel: number): number;
}

export interface Weights {
  kernel: Float32Array;
  bias: number;
}

/** Differences add up rounding errors: 2e-6 of the maximum after so many. Then the map is computed from nothing again. */
const MOST_UPDATES = 1000;
/** Multiply-adds between two looks at the clock; about a millisecond. */
const SLICE = 2_000_000;

/** NaN equals NaN, and 0 equals −0: what gives the same map. */
function sameNumber(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

export function sameWeights(a: Weights, b: Weights): boolean {
  if (!sameNumber(a.bias, b.bias)) return false;
  return (
    a.kernel === b.kernel ||
    (a.kernel.length === b.kernel.length && changedTaps(a.kernel, b.kernel).length === 0)
  );
}

function changedTaps(a: Float32Array, b: Float32Array): number[] {
  const taps: number[] = [];
  for (let tap = 0; tap < b.length; tap++)
    if (!sameNumber(a[tap] as number, b[tap] as number)) taps.push(tap);
  return taps;
}

export class Prediction {
  readonly pre: Float32Array;
  readonly #planes: readonly Float32Array[];
  readonly #magnitudes: readonly number[];
  #at: Weights | null = null;
  /** Rows of `pre` that belong to `#at`. */
  #rows = 0;
  #updates = 0;
  #survey: { stage: Stage; result: Survey } | null = null;

  constructor(
    private readonly geometry: Geometry,
    private readonly activation: Activation,
    planes: Planes,
    firstChannel: number,
  ) {
    const [rows, cols] = geometry.output_shape;
    this.pre = new Float32Array(rows * cols);
    const channels = Array.from({ length: geometry.kernel_channels }, (_, i) => firstChannel + i);
    this.#planes = channels.map((channel) => planes.plane(channel));
    this.#magnitudes = channels.map((channel) => planes.magnitude(channel));
  }

  /** Whether the pre-activation is complete and belongs to these weights. */
  isAt(weights: Weights): boolean {
    return this.#complete && this.#at !== null && sameWeights(this.#at, weights);
  }

  /** Whether rounding errors call for `refresh` when there is time. */
  get worn(): boolean {
    return this.#updates > MOST_UPDATES;
  }

  /** Make the next `show` compute from nothing. */
  refresh(): void {
    this.#at = null;
  }

  /** A bound on every number that computing this filter's map meets. */
  magnitude({ kernel, bias }: Weights): number {
    return magnitude(kernel, bias, this.#magnitudes);
  }

  /**
   * Move to these weights and look the map over. Null when `enough` said so before the map was complete; another call
   * goes on where this one stopped.
   */
  show(weights: Weights, stage: Stage, enough: () => boolean = () => false): Survey | null {
    if (!this.#complete || !this.#at) {
      if (!this.#at || this.#far(this.#at, weights)) this.#begin(weights);
      if (!this.#build(enough)) return null;
    }
    const at = this.#at as Weights;
    const taps = changedTaps(at.kernel, weights.kernel);
    const biased = !sameNumber(at.bias, weights.bias);
    if (taps.length > 0 || biased) {
      if (this.#far(at, weights)) {
        this.#begin(weights);
        if (!this.#build(enough)) return null;
      } else this.#move(at, weights, taps, stage);
    }
    if (this.#survey?.stage !== stage) {
      const finite = this.magnitude(weights) < Number.POSITIVE_INFINITY;
      this.#survey = { stage, result: survey(this.pre, this.activation, stage, finite) };
    }
    return this.#survey.result;
  }

  get #complete(): boolean {
    return this.#rows === this.geometry.output_shape[0];
  }

  /** Whether differences would cost more than starting over, or cannot be had. */
  #far(a: Weights, b: Weights): boolean {
    const finite = this.magnitude(a) + this.magnitude(b) < Number.POSITIVE_INFINITY;
    return !finite || (changedTaps(a.kernel, b.kernel).length > b.kernel.length / 2 && b.kernel.length > 2);
  }

  #begin(weights: Weights): void {
    this.#at = weights;
    this.#rows = 0;
    this.#updates = 0;
    this.#survey = null;
  }

  /** Go on from the row reached; false when `enough` cut it short. */
  #build(enough: () => boolean): boolean {
    const { kernel, bias } = this.#at as Weights;
    const [rows, cols] = this.geometry.output_shape;
    const finite = this.magnitude({ kernel, bias }) < Number.POSITIVE_INFINITY;
    const step = Math.max(1, Math.floor(SLICE / (cols * kernel.length)));
    while (this.#rows < rows) {
      const to = Math.min(rows, this.#rows + step);
      correlate(this.geometry, this.#planes, kernel, bias, this.pre, finite, this.#rows, to);
      this.#rows = to;
      if (to < rows && enough()) return false;
    }
    return true;
  }

  /** The linear update; the last tap's pass looks the map over as well. */
  #move(at: Weights, weights: Weights, taps: readonly number[], stage: Stage): void {
    const { geometry, pre, activation } = this;
    const step = weights.bias - at.bias;
    if (step !== 0) for (let i = 0; i < pre.length; i++) pre[i] = (pre[i] as number) + step;
    this.#survey = null;
    taps.forEach((tap, i) => {
      const plane = this.#planes[tap % geometry.kernel_channels] as Float32Array;
      const delta = (weights.kernel[tap] as number) - (at.kernel[tap] as number);
      if (i < taps.length - 1 || !activation.monotone) addTap(geometry, plane, tap, delta, pre);
      else this.#survey = { stage, result: update(geometry, plane, tap, delta, pre, activation, stage) };
    });
    this.#updates += taps.length + Number(step !== 0);
    this.#at = weights;
  }
}
