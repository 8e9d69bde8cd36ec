/** Draws filters: Keras's map where it belongs to what is shown, else a predicted one, else what there is. */
import { batch } from "@preact/signals";
import { type Activation, activationOf } from "../lens/activations.ts";
import { BasedPrediction } from "./based-prediction.ts";
import type { FilterState } from "./filter-state.ts";
import { type Forecast, type Planes, Prediction } from "./prediction.ts";
import { OncePerFrame, type Schedule } from "./schedule.ts";
import type { Geometry, MapRecord, Stage, Uid } from "./types.ts";
import { disagreement } from "./verify.ts";

/** What the drawing depends on besides the filters themselves. */
export interface Scene {
  geometry: Geometry;
  stage: Stage;
  comparing: boolean;
  /** Null where the browser does not have the layer's input. */
  planes: Planes | null;
}

/** Work on a map that is begun in an event; what does not fit goes on in the frames after it. */
const EVENT_MS = 50;
const FRAME_MS = 10;
/** Pre-activations that are kept, in bytes: the rest is computed again when it is needed. */
const MEMORY = 256 * 2 ** 20;

export class Predictor {
  #dirty = new Set<FilterState>();
  #cold = new Set<FilterState>();
  #idling = false;
  #events = true;
  readonly #frames: OncePerFrame;

  constructor(
    private readonly scene: () => Scene,
    private readonly filters: () => readonly FilterState[],
    private readonly schedule: Schedule,
    private readonly onDisagreement: (filter: FilterState, what: string) => void,
  ) {
    this.#frames = new OncePerFrame(schedule, () => this.#flush());
  }

  /** Show these filters' numbers now and their maps in this frame, if it is within the budget. */
  redraw(filters: Iterable<FilterState>): void {
    const { comparing, stage } = this.scene();
    batch(() => {
      for (const filter of filters) {
        this.#dirty.add(filter);
        filter.showWeights(filter.shown(comparing, stage).weights);
      }
      this.#frames.request();
    });
  }

  /** Predict these filters' maps when there is time, so that the first edit finds its base there. */
  warm(filters: Iterable<FilterState>): void {
    for (const filter of filters) this.#cold.add(filter);
    this.#idle();
  }

  /** Compare what was predicted with what Keras answered for the same weights. */
  check(filter: FilterState, map: MapRecord): void {
    const { prediction, trusted } = filter;
    const { geometry, stage } = this.scene();
    const activation = this.#activation(geometry);
    if (!prediction?.isAt(filter.now) || !trusted || !activation || map.stage !== stage) return;
    const survey = prediction.show(filter.now, stage);
    if (!survey) return;
    const what = disagreement(prediction.pre, activation, survey, map, prediction.magnitude(filter.now));
    if (what === null) return;
    filter.trusted = false;
    filter.prediction = null;
    this.onDisagreement(filter, what);
  }

  forget(uids: ReadonlySet<Uid>): void {
    for (const set of [this.#dirty, this.#cold]) {
      for (const filter of set) if (!uids.has(filter.uid)) set.delete(filter);
    }
  }

  #activation(geometry: Geometry): Activation | null {
    return geometry.previewable ? activationOf(geometry.activation, geometry.activation_params) : null;
  }

  #flush(): void {
    const end = this.schedule.now() + (this.#events ? EVENT_MS : FRAME_MS);
    this.#events = true;
    const left: FilterState[] = [];
    batch(() => {
      for (const filter of this.#dirty)
        if (!this.#draw(filter, () => this.schedule.now() > end)) left.push(filter);
    });
    this.#dirty = new Set(left);
    if (left.length === 0) return;
    this.#events = false;
    this.#frames.later();
  }

  /** False where the map is not complete yet. */
  #draw(filter: FilterState, enough: () => boolean): boolean {
    const { geometry, stage, comparing } = this.scene();
    if (!filter.known) return true;
    const { weights, keras } = filter.shown(comparing, stage);
    if (keras) {
      filter.drawKeras(keras, geometry);
      this.warm([filter]);
      return true;
    }
    const prediction = this.#prediction(filter);
    const survey = prediction?.show(weights, stage, enough);
    if (!prediction || !survey) {
      filter.drawOld(geometry);
      return !prediction?.building;
    }
    const activation =
      stage === "activation" && geometry.activation !== "linear" ? this.#activation(geometry) : null;
    const { range, least, counts } = survey;
    const ends = counts.nan + counts.posinf + counts.neginf > 0 ? null : range;
    const preview = { values: prediction.pre, activation, ends, least };
    filter.drawPreview(geometry, { preview, range, counts });
    if (prediction.worn) this.warm([filter]);
    return true;
  }

  #prediction(filter: FilterState): Forecast | null {
    if (!filter.prediction) {
      filter.prediction = this.#make(filter);
      if (filter.prediction) this.#evict(filter);
    }
    return filter.prediction;
  }

  /** Null where the browser cannot predict this filter. */
  #make(filter: FilterState): Forecast | null {
    const { geometry, planes } = this.scene();
    const activation = this.#activation(geometry);
    if (!activation || !filter.trusted || !filter.known) return null;
    if (planes) return new Prediction(geometry, activation, planes, filter.firstChannel);
    return filter.base && new BasedPrediction(geometry, activation, filter.base);
  }

  /** Let go of other filters' pre-activations above the limit, those first that are not being drawn from. */
  #evict(newest: FilterState): void {
    const holders = this.filters().filter((filter) => filter.prediction && filter !== newest);
    holders.sort((a, b) => Number(drawn(a)) - Number(drawn(b)));
    let bytes = [...holders, newest].reduce(
      (sum, { prediction }) => sum + (prediction?.pre.byteLength ?? 0),
      0,
    );
    for (const filter of holders) {
      if (bytes <= MEMORY || drawn(filter)) return;
      bytes -= filter.prediction?.pre.byteLength ?? 0;
      filter.prediction = filter.base = null;
    }
  }

  #idle(): void {
    if (this.#idling || this.#cold.size === 0) return;
    this.#idling = true;
    this.schedule.idle((left) => {
      this.#idling = false;
      for (const filter of this.#cold) {
        if (left() <= 0) break;
        if (this.#warmUp(filter, () => left() <= 0)) this.#cold.delete(filter);
      }
      this.#idle();
    });
  }

  /** True when there is nothing left to do for this filter. */
  #warmUp(filter: FilterState, enough: () => boolean): boolean {
    const { stage, comparing } = this.scene();
    if (!filter.prediction && !this.#room()) return true;
    const prediction = this.#prediction(filter);
    if (!prediction) return true;
    const { weights } = filter.shown(comparing, stage);
    if (!prediction.worn) return prediction.show(weights, stage, enough) !== null || !prediction.building;
    // A new one is made beside it, since the worn one goes on being drawn and edited meanwhile.
    filter.spare ??= this.#make(filter);
    if (!filter.spare?.show(weights, stage, enough)) return !filter.spare?.building;
    filter.prediction = filter.spare;
    filter.spare = null;
    this.redraw([filter]);
    return true;
  }

  /** Whether one more pre-activation fits; where not, a filter that is edited makes its own. */
  #room(): boolean {
    const [rows, cols] = this.scene().geometry.output_shape;
    const held = this.filters().filter(({ prediction }) => prediction).length;
    return (held + 1) * rows * cols * Float32Array.BYTES_PER_ELEMENT <= MEMORY;
  }
}

function drawn(filter: FilterState): boolean {
  return filter.map.peek().provenance === "preview";
}
