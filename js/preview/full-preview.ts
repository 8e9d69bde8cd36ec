/** One filter's preview: a pre-activation and the kernel that it belongs to, moved from kernel to kernel. */
import type { Activation } from "../maths/activations.ts";
import { addTap, correlate, magnitude, update } from "../maths/linear-update.ts";
import { type Survey, survey } from "../maths/map-survey.ts";
import type { Geometry, Stage } from "../protocol/records.ts";

/** The layer's input, one plane a channel, and the largest magnitude in each. */
export interface Planes {
  plane(channel: number): Float32Array;
  magnitude(channel: number): number;
}

export interface Weights {
  kernel: Float32Array;
  bias: number;
}

/** Differences accumulate rounding errors: 2e-6 of the maximum after this many. */
export const MOST_UPDATES = 1000;
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

export function changedTaps(a: Float32Array, b: Float32Array): number[] {
  const taps: number[] = [];
  for (let tap = 0; tap < b.length; tap++)
    if (!sameNumber(a[tap] as number, b[tap] as number)) taps.push(tap);
  return taps;
}

/**
 * Whether differences would cost more than starting over, or are not possible; `magnitude` bounds the numbers in them.
 */
export function isFar(a: Weights, b: Weights, magnitude: number): boolean {
  const taps = changedTaps(a.kernel, b.kernel).length;
  return !(magnitude < Infinity) || (taps > b.kernel.length / 2 && b.kernel.length > 2);
}

/** A preview that moves from kernel to kernel. */
export interface Preview {
  /** Float32 pre-activations, row-major; updated in place. */
  readonly pre: Float32Array;
  /** Whether `show` stopped before the map was complete, and goes on when it is called again. */
  readonly building: boolean;
  /** Bytes that it holds. */
  readonly bytes: number;
  /** Whether rounding errors have added up so that another one should be made when there is time. */
  readonly retired: boolean;
  /** Whether the pre-activation is complete and belongs to these weights. */
  isAt(weights: Weights): boolean;
  /** A bound on every number met in computing this filter's map. */
  magnitude(weights: Weights): number;
  /** The largest such bound since `pre` was last computed as a whole: rounding errors of that size may be left in it. */
  readonly met: number;
  /** Move to these weights and survey the map. Null when `enough` returned true first, or where the browser cannot. */
  show(weights: Weights, stage: Stage, enough?: () => boolean): Survey | null;
}

/**
 * The linear update of `pre` from one set of weights to another; the last tap's pass surveys the map as well, where the
 * activation allows it. `plane` gives the input plane that plane k of the kernel reads.
 */
export function moveTo(
  geometry: Geometry,
  activation: Activation,
  plane: (k: number) => Float32Array | undefined,
  pre: Float32Array,
  at: Weights,
  to: Weights,
  stage: Stage,
): { result: Survey | null; updates: number } {
  // Nothing is left of what was summed.
  if (to.kernel.every((value) => value === 0)) {
    pre.fill(to.bias);
    return { result: null, updates: 0 };
  }
  const taps = changedTaps(at.kernel, to.kernel);
  const step = sameNumber(to.bias, at.bias) ? 0 : to.bias - at.bias;
  if (step !== 0) for (let i = 0; i < pre.length; i++) pre[i] = (pre[i] as number) + step;
  let result: Survey | null = null;
  taps.forEach((tap, i) => {
    const input = plane(tap % geometry.kernel_channels) as Float32Array;
    const delta = (to.kernel[tap] as number) - (at.kernel[tap] as number);
    if (i < taps.length - 1 || !activation.monotone) addTap(geometry, input, tap, delta, pre);
    else result = update(geometry, input, tap, delta, pre, activation, stage);
  });
  return { result, updates: taps.length + Number(step !== 0) };
}

export class FullPreview implements Preview {
  readonly pre: Float32Array;
  readonly #planes: readonly Float32Array[];
  readonly #magnitudes: readonly number[];
  met = 0;
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

  isAt(weights: Weights): boolean {
    return this.#complete && this.#at !== null && sameWeights(this.#at, weights);
  }

  get bytes(): number {
    return this.pre.byteLength;
  }

  get retired(): boolean {
    return this.#updates > MOST_UPDATES;
  }

  get building(): boolean {
    return !this.#complete;
  }

  magnitude({ kernel, bias }: Weights): number {
    return magnitude(kernel, bias, this.#magnitudes);
  }

  show(weights: Weights, stage: Stage, enough: () => boolean = () => false): Survey | null {
    if (!this.#complete || !this.#at) {
      if (!this.#at || this.#far(this.#at, weights)) this.#begin(weights);
      if (!this.#build(enough)) return null;
    }
    const at = this.#at as Weights;
    if (!sameWeights(at, weights)) {
      if (this.#far(at, weights)) {
        this.#begin(weights);
        if (!this.#build(enough)) return null;
      } else {
        const { geometry, activation, pre } = this;
        const plane = (k: number) => this.#planes[k];
        const { result, updates } = moveTo(geometry, activation, plane, pre, at, weights, stage);
        this.#survey = result && { stage, result };
        this.#updates += updates;
        this.#at = weights;
      }
      this.met = Math.max(this.met, this.magnitude(weights));
    }
    if (this.#survey?.stage !== stage) {
      const finite = this.magnitude(weights) < Infinity;
      this.#survey = { stage, result: survey(this.pre, this.activation, stage, finite) };
    }
    return this.#survey.result;
  }

  get #complete(): boolean {
    return this.#rows === this.geometry.output_shape[0];
  }

  #far(a: Weights, b: Weights): boolean {
    return isFar(a, b, this.magnitude(a) + this.magnitude(b));
  }

  #begin(weights: Weights): void {
    this.#at = weights;
    this.met = this.magnitude(weights);
    this.#rows = 0;
    this.#updates = 0;
    this.#survey = null;
  }

  /** Go on from the row reached; false when `enough` cut it short. */
  #build(enough: () => boolean): boolean {
    const { kernel, bias } = this.#at as Weights;
    const [rows, cols] = this.geometry.output_shape;
    const finite = this.magnitude({ kernel, bias }) < Infinity;
    const step = Math.max(1, Math.floor(SLICE / (cols * kernel.length)));
    while (this.#rows < rows) {
      const to = Math.min(rows, this.#rows + step);
      correlate(this.geometry, this.#planes, kernel, bias, this.pre, finite, this.#rows, to);
      this.#rows = to;
      if (to < rows && enough()) return false;
    }
    return true;
  }
}
