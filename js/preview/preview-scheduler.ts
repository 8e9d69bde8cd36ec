/** Draws filters: Keras's map where it belongs to what is shown, else a preview, else what there is. */
import { batch } from "@preact/signals";
import { type Activation, activationOf } from "../maths/activations.ts";
import { isLarge } from "../paint/grid.ts";
import type { Geometry, MapRecord, Stage, Uid } from "../protocol/records.ts";
import { disagreement } from "./agreement.ts";
import { DeepPreview } from "./deep-preview.ts";
import { OncePerFrame, type Schedule } from "./frames.ts";
import { FullPreview, type Planes, type Preview } from "./full-preview.ts";
import { LargePreview } from "./large-preview.ts";
import type { PreviewedFilter } from "./previewed-filter.ts";

/** What is drawn, and what the drawing depends on. */
export interface PreviewScene<Filter extends PreviewedFilter> {
  readonly filters: readonly Filter[];
  readonly geometry: Geometry;
  readonly stage: Stage;
  readonly comparing: boolean;
  /** Null where the browser does not have the layer's input. */
  readonly planes: Planes | null;
}

/** Time for a map that is begun in an event; what does not fit goes on in the frames after it. */
const EVENT_MS = 50;
const FRAME_MS = 10;
/** Pre-activations that are kept, in bytes: the rest is computed again when it is needed. */
const MEMORY = 96 * 2 ** 20;
/** After the last edit of a large map. */
const REST_MS = 80;
const NO_VALUES = new Float32Array(0);

export class PreviewScheduler<Filter extends PreviewedFilter> {
  #dirty = new Set<Filter>();
  #toPrepare = new Set<Filter>();
  readonly #resting = new Set<Filter>();
  #cancelRest = () => {};
  #idling = false;
  #events = true;
  readonly #frames: OncePerFrame;

  constructor(
    private readonly scene: PreviewScene<Filter>,
    private readonly schedule: Schedule,
    private readonly onDisagreement: (filter: Filter, what: string) => void,
  ) {
    this.#frames = new OncePerFrame(schedule, () => this.#flush());
  }

  /** Draw these filters' maps in this frame, if it is within the budget. */
  redraw(filters: Iterable<Filter>): void {
    for (const filter of filters) this.#dirty.add(filter);
    batch(() => this.#frames.request());
  }

  /** Make these filters' previews when there is time, so that the first edit finds its base ready. */
  prepare(filters: Iterable<Filter>): void {
    for (const filter of filters) this.#toPrepare.add(filter);
    this.#idle();
  }

  /** Compare the preview with what Keras answered for the same weights. */
  check(filter: Filter, map: MapRecord): void {
    const { preview, trusted } = filter;
    const { geometry, stage } = this.scene;
    const activation = this.#activation(geometry);
    if (!preview?.isAt(filter.now) || !trusted || !activation || map.stage !== stage) return;
    const survey = preview.show(filter.now, stage);
    if (!survey) return;
    const what = disagreement(preview.pre, geometry.output_shape, activation, survey, map, preview.met);
    if (what === null) return;
    filter.trusted = false;
    filter.preview = null;
    this.onDisagreement(filter, what);
  }

  forget(uids: ReadonlySet<Uid>): void {
    for (const set of [this.#dirty, this.#toPrepare, this.#resting]) {
      for (const filter of set) if (!uids.has(filter.uid)) set.delete(filter);
    }
  }

  #activation(geometry: Geometry): Activation | null {
    return geometry.previewable ? activationOf(geometry.activation, geometry.activation_params) : null;
  }

  #flush(): void {
    const end = this.schedule.now() + (this.#events ? EVENT_MS : FRAME_MS);
    this.#events = true;
    const left: Filter[] = [];
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
  #draw(filter: Filter, enough: () => boolean): boolean {
    const { geometry, stage, comparing } = this.scene;
    if (!filter.known) return true;
    const { weights, keras } = filter.shown(comparing, stage);
    if (keras) {
      filter.drawKeras(keras, geometry);
      this.prepare([filter]);
      return true;
    }
    const preview = this.#preview(filter);
    const sampled = preview instanceof LargePreview ? preview.sample(weights, stage, filter.grids) : null;
    if (sampled) this.#completeAtRest(filter);
    const survey = sampled ?? preview?.show(weights, stage, enough);
    if (!preview || !survey) {
      filter.drawOld(geometry);
      return !preview?.building;
    }
    const activation =
      stage === "activation" && geometry.activation !== "linear" ? this.#activation(geometry) : null;
    const { range, least, counts } = survey;
    const ends = counts.nan + counts.posinf + counts.neginf > 0 ? null : range;
    const large = preview instanceof LargePreview ? preview : undefined;
    const drawn = { large, values: large ? NO_VALUES : preview.pre, activation, ends, least };
    filter.drawPreview(geometry, { preview: drawn, range, counts, sampled: sampled !== null });
    if (preview.retired) this.prepare([filter]);
    return true;
  }

  /** Complete a large map's preview once no edit has come for a moment. */
  #completeAtRest(filter: Filter): void {
    this.#resting.add(filter);
    this.#cancelRest();
    this.#cancelRest = this.schedule.after(REST_MS, () => {
      this.prepare(this.#resting);
      this.#resting.clear();
    });
  }

  #preview(filter: Filter): Preview | null {
    if (!filter.preview) {
      filter.preview = this.#make(filter);
      if (filter.preview) this.#evict(filter);
    }
    return filter.preview;
  }

  /** Null where the browser cannot preview this filter. */
  #make(filter: Filter): Preview | null {
    const { geometry, planes } = this.scene;
    const activation = this.#activation(geometry);
    if (!activation || !filter.trusted || !filter.known) return null;
    if (planes && isLarge({ rows: geometry.output_shape[0], cols: geometry.output_shape[1] }))
      return new LargePreview(geometry, activation, planes, filter.firstChannel);
    if (planes) return new FullPreview(geometry, activation, planes, filter.firstChannel);
    return filter.base && new DeepPreview(geometry, activation, filter.base);
  }

  /** Release other filters' pre-activations above the limit, those first that are not being drawn from. */
  #evict(newest: Filter): void {
    const holders = this.scene.filters.filter((filter) => filter.preview && filter !== newest);
    holders.sort((a, b) => Number(drawn(a)) - Number(drawn(b)));
    let bytes = [...holders, newest].reduce((sum, { preview }) => sum + (preview?.bytes ?? 0), 0);
    for (const filter of holders) {
      if (bytes <= MEMORY || drawn(filter)) return;
      bytes -= filter.preview?.bytes ?? 0;
      filter.preview = filter.base = null;
    }
  }

  #idle(): void {
    if (this.#idling || this.#toPrepare.size === 0) return;
    this.#idling = true;
    this.schedule.idle((left) => {
      this.#idling = false;
      for (const filter of this.#toPrepare) {
        if (left() <= 0) break;
        if (this.#prepareOne(filter, () => left() <= 0)) this.#toPrepare.delete(filter);
      }
      this.#idle();
    });
  }

  /** True when there is nothing left to do for this filter. */
  #prepareOne(filter: Filter, enough: () => boolean): boolean {
    const { stage, comparing } = this.scene;
    if (!filter.preview && !this.#room()) return true;
    const preview = this.#preview(filter);
    if (!preview) return true;
    const { weights, keras } = filter.shown(comparing, stage);
    if (preview instanceof LargePreview) {
      if (!preview.show(weights, stage, enough)) return false;
      this.#evict(filter);
      if (keras) this.check(filter, keras);
      else this.redraw([filter]);
      return true;
    }
    if (!preview.retired) return preview.show(weights, stage, enough) !== null || !preview.building;
    // A new one is made beside it, since the retired one is still drawn and edited meanwhile.
    filter.spare ??= this.#make(filter);
    if (!filter.spare?.show(weights, stage, enough)) return !filter.spare?.building;
    filter.preview = filter.spare;
    filter.spare = null;
    this.redraw([filter]);
    return true;
  }

  /** Whether one more small pre-activation fits; if not, a filter makes its own when it is edited. */
  #room(): boolean {
    const [rows, cols] = this.scene.geometry.output_shape;
    const held = this.scene.filters.filter(({ preview }) => preview).length;
    if (isLarge({ rows, cols })) return false;
    return (held + 1) * rows * cols * Float32Array.BYTES_PER_ELEMENT <= MEMORY;
  }
}

function drawn(filter: PreviewedFilter): boolean {
  return filter.map.peek().provenance === "preview";
}
