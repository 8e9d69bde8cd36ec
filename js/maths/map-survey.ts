/** What a map holds: its range, and how many of its values are zero or not a number. */
import type { Stage } from "../protocol/records.ts";
import { type Activation, activatedRange } from "./activations.ts";

/** What one pass finds out about a map. */
export interface Survey {
  /** Least and greatest finite value of the drawn stage, [0, 0] where there is none. */
  range: [number, number];
  /** Least pre-activation, −Infinity where it was not determined. */
  least: number;
  counts: { nan: number; posinf: number; neginf: number; zeros: number };
}

/** Running result of a pass over finite values. */
export class Scan {
  low = Infinity;
  high = -Infinity;
  zeros = 0;
  constructor(
    readonly zeroFrom: number,
    readonly zeroTo: number,
  ) {}
}

/** Least, greatest and zeros of finite values from index `k` to before `end`. */
export function scan(values: Float32Array, k: number, end: number, s: Scan): void {
  const { zeroFrom, zeroTo } = s;
  let { low, high, zeros } = s;
  for (; k < end; k++) {
    const v = values[k] as number;
    if (v > high) high = v;
    if (v < low) low = v;
    zeros += Number(v <= zeroTo) & Number(v >= zeroFrom);
  }
  s.low = low;
  s.high = high;
  s.zeros = zeros;
}

/** What was found, as the drawn stage has it. */
export function finish(s: Scan, activation: Activation, stage: Stage): Survey {
  const { low, high, zeros } = s;
  const range: [number, number] = low <= high ? [low, high] : [0, 0];
  return {
    range: stage === "activation" && low <= high ? activatedRange(activation, low, high) : range,
    least: low,
    counts: { nan: 0, posinf: 0, neginf: 0, zeros },
  };
}

/** Values looked at together: small enough to stay in the processor's nearest cache. */
const CHUNK = 2048;

/** Range and counts of a map, from its pre-activation. `finite`: it holds neither NaN nor infinity. */
export function survey(pre: Float32Array, activation: Activation, stage: Stage, finite: boolean): Survey {
  const pass = new SurveyPass(activation, stage, finite);
  pass.look(pre, 0, pre.length);
  return pass.found;
}

/** The same in parts. */
export class SurveyPass {
  readonly #scan: Scan;
  readonly #quick: boolean;
  readonly #counts = { nan: 0, posinf: 0, neginf: 0, zeros: 0 };

  constructor(
    private readonly activation: Activation,
    readonly stage: Stage,
    finite: boolean,
  ) {
    this.#quick = finite && activation.monotone;
    this.#scan = new Scan(...(activation.monotone ? activation.zeros : ([0, 0] as const)));
  }

  /** Look at the values from `start` to before `end`. */
  look(pre: Float32Array, start: number, end: number): void {
    if (this.#quick) {
      scan(pre, start, end, this.#scan);
      return;
    }
    const counts = this.#counts;
    const activated = new Float32Array(CHUNK);
    let { low, high } = this.#scan;
    for (; start < end; start += CHUNK) {
      const chunk = pre.subarray(start, Math.min(end, start + CHUNK));
      activated.set(chunk);
      this.activation.apply(activated, 0, chunk.length);
      const drawn = this.stage === "activation" ? activated : chunk;
      for (let i = 0; i < chunk.length; i++) {
        if (activated[i] === 0) counts.zeros++;
        const v = drawn[i] as number;
        if (Number.isFinite(v)) {
          if (v < low) low = v;
          if (v > high) high = v;
        } else if (Number.isNaN(v)) counts.nan++;
        else if (v > 0) counts.posinf++;
        else counts.neginf++;
      }
    }
    this.#scan.low = low;
    this.#scan.high = high;
  }

  get found(): Survey {
    if (this.#quick) return finish(this.#scan, this.activation, this.stage);
    const { low, high } = this.#scan;
    return { range: low <= high ? [low, high] : [0, 0], least: -Infinity, counts: { ...this.#counts } };
  }
}
