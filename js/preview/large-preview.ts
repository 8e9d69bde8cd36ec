/**
 * One filter's preview where its map has more pixels than a screen. While a hand moves, 2 × 2 values of each pixel on screen
 * follow it; the whole map follows in slices when the hand rests, and is averaged over each of those pixels then.
 */
import type { Activation } from "../maths/activations.ts";
import { addTap, addTapAt, correlate, magnitude } from "../maths/linear-update.ts";
import { type Survey, SurveyPass, survey } from "../maths/map-survey.ts";
import type { LargeMap } from "../paint/drawable.ts";
import { type Apply, blockMeans, type Grid, gather, sampledMeans, samplesOf } from "../paint/grid.ts";
import type { Geometry, Stage } from "../protocol/records.ts";
import {
  changedTaps,
  isFar,
  MOST_UPDATES,
  type Planes,
  type Preview,
  sameWeights,
  type Weights,
} from "./full-preview.ts";

/** Values that are worked on between two looks at the clock; a few milliseconds with all taps of a small kernel. */
const SLICE = 250_000;

/** What one canvas shows: its samples, and the means of all values once they are there. */
interface View {
  grid: Grid;
  rows: Int32Array;
  cols: Int32Array;
  samples: Float32Array;
  at: Weights | null;
  updates: number;
  means: { of: Weights; stage: Stage; values: Float32Array; rows: number } | null;
}

/** The whole map on its way to other weights. */
interface Move {
  to: Weights;
  anew: boolean;
  rows: number;
}

export class LargePreview implements Preview, LargeMap {
  readonly retired = false;
  met = 0;
  #whole: Float32Array | null = null;
  #at: Weights | null = null;
  #move: Move | null = null;
  #updates = 0;
  #looking: { pass: SurveyPass; rows: number } | null = null;
  #survey: { stage: Stage; found: Survey } | null = null;
  /** What is drawn: weights and stage of the last `sample` or `show`. */
  #drawn: { weights: Weights; stage: Stage } | null = null;
  #views = new Map<string, View>();
  readonly #planes: readonly Float32Array[];
  readonly #magnitudes: readonly number[];

  constructor(
    private readonly geometry: Geometry,
    private readonly activation: Activation,
    planes: Planes,
    firstChannel: number,
  ) {
    const channels = Array.from({ length: geometry.kernel_channels }, (_, i) => firstChannel + i);
    this.#planes = channels.map((channel) => planes.plane(channel));
    this.#magnitudes = channels.map((channel) => planes.magnitude(channel));
  }

  get pre(): Float32Array {
    const [rows, cols] = this.geometry.output_shape;
    this.#whole ??= new Float32Array(rows * cols);
    return this.#whole;
  }

  get bytes(): number {
    return this.#whole?.byteLength ?? 0;
  }

  get building(): boolean {
    return this.#move !== null;
  }

  isAt(weights: Weights): boolean {
    return !this.#move && this.#at !== null && sameWeights(this.#at, weights);
  }

  magnitude({ kernel, bias }: Weights): number {
    return magnitude(kernel, bias, this.#magnitudes);
  }

  /** Range and counts of the samples of the finest canvas, moved to these weights; null where nothing is on a canvas, or all is there. */
  sample(weights: Weights, stage: Stage, grids: readonly Grid[]): Survey | null {
    this.#drawn = { weights, stage };
    // A complete map is better than samples.
    if (this.#complete(weights, stage, grids)) return null;
    const views = grids.map((grid) => this.#view(grid));
    const kept = new Map(views.map((view) => [JSON.stringify(view.grid), view]));
    this.#views = kept;
    let finest: Float32Array | null = null;
    for (const view of views) {
      this.#follow(view, weights);
      if (view.samples.length > (finest?.length ?? 0)) finest = view.samples;
    }
    return finest && survey(finest, this.activation, stage, this.magnitude(weights) < Infinity);
  }

  /** Move the whole map, and average it for each canvas, until `enough`. */
  show(weights: Weights, stage: Stage, enough: () => boolean = () => false): Survey | null {
    this.#drawn = { weights, stage };
    return this.#moveWhole(weights, enough) && this.#look(stage, enough) && this.#average(stage, enough)
      ? (this.#survey?.found ?? null)
      : null;
  }

  means(grid: Grid, apply: Apply | undefined): Float32Array {
    const view = this.#view(grid);
    const { weights, stage } = this.#drawn as { weights: Weights; stage: Stage };
    if (this.#averaged(view, weights, stage)) return (view.means as { values: Float32Array }).values;
    this.#follow(view, weights);
    return sampledMeans(view.samples, grid.shape, apply);
  }

  #complete(weights: Weights, stage: Stage, grids: readonly Grid[]): boolean {
    const whole = this.isAt(weights) && this.#survey?.stage === stage;
    return whole && grids.every((grid) => this.#averaged(this.#view(grid), weights, stage));
  }

  #averaged({ grid, means }: View, weights: Weights, stage: Stage): boolean {
    return means?.stage === stage && means.rows === grid.shape[0] && sameWeights(means.of, weights);
  }

  #view(grid: Grid): View {
    const key = JSON.stringify(grid);
    const known = this.#views.get(key);
    if (known) return known;
    const { rows, cols } = samplesOf(grid);
    const samples = new Float32Array(rows.length * cols.length);
    const view = { grid, rows, cols, samples, at: null, updates: 0, means: null };
    this.#views.set(key, view);
    return view;
  }

  #far(from: Weights | null, to: Weights, updates: number): boolean {
    if (!from || updates > MOST_UPDATES || to.kernel.every((value) => value === 0)) return true;
    return isFar(from, to, this.magnitude(from) + this.magnitude(to));
  }

  #follow(view: View, weights: Weights): void {
    if (view.at && sameWeights(view.at, weights)) return;
    const whole = this.#move ? null : this.#at;
    if (this.#far(view.at, weights, view.updates) && whole && !this.#far(whole, weights, this.#updates)) {
      view.samples.set(gather(this.pre, this.geometry.output_shape[1], view.grid));
      view.at = whole;
      view.updates = this.#updates;
    }
    const from = this.#far(view.at, weights, view.updates) ? null : view.at;
    view.updates = from ? view.updates : 0;
    const add = (plane: Float32Array, tap: number, delta: number) => {
      addTapAt(this.geometry, plane, tap, delta, view.samples, view.rows, view.cols);
      view.updates++;
    };
    if (!from) view.samples.fill(0);
    this.#differ(from, weights, view.samples, 0, view.samples.length, add);
    view.at = weights;
    this.met = Math.max(this.met, this.magnitude(weights));
  }

  /** Add to part of `pre` the difference of the weights; from zero where `from` is null. */
  #differ(
    from: Weights | null,
    { kernel, bias }: Weights,
    pre: Float32Array,
    start: number,
    end: number,
    add: (plane: Float32Array, tap: number, delta: number) => void,
  ): void {
    const step = bias - (from?.bias ?? 0);
    if (step !== 0) for (let i = start; i < end; i++) pre[i] = (pre[i] as number) + step;
    const taps = from ? changedTaps(from.kernel, kernel) : kernel.keys();
    for (const tap of taps) {
      const delta = (kernel[tap] as number) - (from?.kernel[tap] ?? 0);
      if (delta !== 0) add(this.#planes[tap % this.geometry.kernel_channels] as Float32Array, tap, delta);
    }
  }

  #moveWhole(weights: Weights, enough: () => boolean): boolean {
    const [rows, cols] = this.geometry.output_shape;
    const { pre, geometry } = this;
    while (!this.isAt(weights)) {
      if (this.#move?.anew && !sameWeights(this.#move.to, weights)) this.#move = null;
      if (!this.#move) {
        this.#move = { to: weights, anew: this.#far(this.#at, weights, this.#updates), rows: 0 };
        this.#looking = this.#survey = null;
        if (this.#move.anew) [this.#at, this.#updates, this.met] = [null, 0, this.magnitude(weights)];
      }
      const move = this.#move;
      const { kernel, bias } = move.to;
      const finite = this.magnitude(move.to) < Infinity;
      const taps = this.#at ? changedTaps(this.#at.kernel, kernel).length : kernel.length;
      const step = Math.max(1, Math.floor((8 * SLICE) / (cols * Math.max(1, taps))));
      for (; move.rows < rows; ) {
        const [from, to] = [move.rows, Math.min(rows, move.rows + step)];
        const add = (plane: Float32Array, tap: number, delta: number) =>
          addTap(geometry, plane, tap, delta, pre, from, to);
        if (move.anew) correlate(geometry, this.#planes, kernel, bias, pre, finite, from, to);
        else this.#differ(this.#at, move.to, pre, from * cols, to * cols, add);
        move.rows = to;
        if (enough()) return false;
      }
      this.#updates += move.anew ? 0 : taps + 1;
      [this.#at, this.#move] = [move.to, null];
      this.met = Math.max(this.met, this.magnitude(move.to));
    }
    return true;
  }

  #look(stage: Stage, enough: () => boolean): boolean {
    if (this.#survey?.stage === stage) return true;
    const [rows, cols] = this.geometry.output_shape;
    if (this.#looking?.pass.stage !== stage) {
      const finite = this.magnitude(this.#at as Weights) < Infinity;
      this.#looking = { pass: new SurveyPass(this.activation, stage, finite), rows: 0 };
    }
    const looking = this.#looking as { pass: SurveyPass; rows: number };
    const step = Math.ceil((4 * SLICE) / cols);
    while (looking.rows < rows) {
      const to = Math.min(rows, looking.rows + step);
      looking.pass.look(this.pre, looking.rows * cols, to * cols);
      looking.rows = to;
      if (enough()) return false;
    }
    this.#survey = { stage, found: looking.pass.found };
    this.#looking = null;
    return true;
  }

  #average(stage: Stage, enough: () => boolean): boolean {
    const [, cols] = this.geometry.output_shape;
    const of = this.#at as Weights;
    const apply = stage === "activation" ? this.activation.apply : undefined;
    for (const view of this.#views.values()) {
      const { grid } = view;
      const [high, wide] = grid.shape;
      if (this.#averaged(view, of, stage)) continue;
      if (!view.means || view.means.stage !== stage || !sameWeights(view.means.of, of))
        view.means = { of, stage, values: new Float32Array(high * wide), rows: 0 };
      const { means } = view;
      const [top, bottom, left, right] = grid.part;
      const step = Math.max(1, Math.floor((SLICE * high) / ((bottom - top) * (right - left))));
      while (means.rows < high) {
        const to = Math.min(high, means.rows + step);
        blockMeans(this.pre, cols, grid, means.values, means.rows, to, apply);
        means.rows = to;
        if (enough()) return false;
      }
    }
    return true;
  }
}
