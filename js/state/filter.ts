/** One filter as the browser holds it: its weights with every edit, what Python confirmed last, and what is drawn. */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { MapView } from "../paint/drawable.ts";
import type { Grid } from "../paint/grid.ts";
import type { Range } from "../paint/ranges.ts";
import type { DeepBase } from "../preview/deep-preview.ts";
import { type Preview, sameWeights, type Weights } from "../preview/full-preview.ts";
import type { PreviewedFilter } from "../preview/previewed-filter.ts";
import { bytesOf, exactBuffer, floatsOf, unpackNumber } from "../protocol/bytes.ts";
import type { CheckedRecord, Geometry, MapRecord, Stage, Uid } from "../protocol/records.ts";
import type { Edit } from "../protocol/requests.ts";
import type { FilterView } from "./lens-view.ts";

/** A map that Keras computed, and the weights for which it was computed. */
interface KerasMap {
  map: MapRecord;
  weights: Weights;
}

/** Canvases that show one map: its card, the focus view, and one that is about to be removed. */
const MOST_GRIDS = 3;
const NO_COUNTS = { nan: 0, posinf: 0, neginf: 0, zeros: 0 };
const NO_KERNEL = new Float32Array(0);
const NO_WEIGHTS: Weights = { kernel: NO_KERNEL, bias: 0 };

export class FilterState implements FilterView, PreviewedFilter {
  /** Empty until Python has sent the filter. */
  readonly kernel: ReadonlySignal<Float32Array>;
  readonly bias: ReadonlySignal<number>;
  readonly map: ReadonlySignal<MapView>;
  /** Range of the drawn map, null while there is none; apart from `map`, since a shared range reads those of all filters. */
  readonly range = signal<Readonly<Range> | null>(null);
  /** Apart from `map` as well: to read that is to draw it. */
  readonly dead = signal(false);
  firstChannel = 0;
  /** Of the last record; −1 before there is one. */
  rev = -1;
  /** The weights that Python confirmed last. */
  confirmed: Weights = NO_WEIGHTS;
  preview: Preview | null = null;
  /** Being made in idle time to take the place of a retired `preview`. */
  spare: Preview | null = null;
  /** What predictions start from where the browser does not have the layer's input. */
  base: DeepBase | null = null;
  /** What canvases show of a large map, the newest last. */
  grids: readonly Grid[] = [];
  /** False once Keras contradicted a preview. */
  trusted = true;
  /** How often the copy here turned out to be out of date. */
  expiries = 0;
  #expired = false;
  /** The gesture at which `before` was taken. */
  gesture: string | null = null;

  #keras: KerasMap | null = null;
  /** What "compare" shows. It takes the memory of one 8-bit map, for filters that the last gesture changed. */
  readonly #before: Signal<{ weights: Weights; keras: KerasMap | null } | null> = signal(null);
  readonly #now: Signal<Weights> = signal(NO_WEIGHTS);
  readonly #map: Signal<MapView>;
  #version = 0;

  /** `watched` is called when something on the page begins to draw the map, and `unwatched` when nothing does any more. */
  constructor(
    readonly uid: Uid,
    isComparing: ReadonlySignal<boolean>,
    watched: () => void,
    unwatched: () => void,
  ) {
    const shown = () => (isComparing.value && this.#before.value?.weights) || this.#now.value;
    this.kernel = computed(() => shown().kernel);
    this.bias = computed(() => shown().bias);
    this.map = this.#map = signal(this.#waiting(0, 0), { watched, unwatched });
  }

  /** What the browser shows: what Python confirmed, with the unanswered edits. */
  get now(): Weights {
    return this.#now.peek();
  }

  set now(weights: Weights) {
    this.#now.value = weights;
  }

  get known(): boolean {
    return this.rev >= 0 && !this.#expired;
  }

  /** Python has something newer, and sends it on request. */
  expire(geometry: Geometry): void {
    this.#expired = true;
    this.expiries++;
    this.preview = this.spare = this.base = null;
    this.drawOld(geometry);
  }

  /**
   * Take a record from Python; `rebase` puts the unanswered edits on top. False where the record does not fit the
   * layer. `current`: the record was made for the present layer and image, and so its map.
   */
  adopt(
    record: CheckedRecord,
    geometry: Geometry,
    current: boolean,
    rebase: (said: Weights) => Weights,
  ): boolean {
    const kernel = floatsOf(record.kernel);
    if (kernel.length !== kernelLength(geometry)) return false;
    const said: Weights = { kernel, bias: record.bias };
    if (!this.known || !sameWeights(said, this.confirmed)) this.confirmed = said;
    this.rev = record.rev;
    this.#expired = false;
    if (record.map && current && fits(record.map, geometry)) {
      this.#keras = { map: owned(record.map), weights: this.confirmed };
    }
    this.rebase(rebase);
    return true;
  }

  /** Show what Python confirmed, with the unanswered edits on top. */
  rebase(rebase: (said: Weights) => Weights): void {
    const now = rebase(this.confirmed);
    if (!sameWeights(now, this.now)) this.now = now;
  }

  /** Take weights that the browser itself chose. */
  assign(weights: Weights): void {
    this.now = weights;
    if (!this.known) {
      this.confirmed = weights;
      this.rev = 0;
    }
  }

  /** The filter moved to a place in the list from which it reads other channels. */
  readFrom(firstChannel: number): void {
    if (this.firstChannel === firstChannel) return;
    this.firstChannel = firstChannel;
    this.preview = this.spare = this.base = null;
  }

  /** Keras's map for the weights that are shown now, whatever its stage. */
  keras(weights: Weights = this.now): MapRecord | null {
    return this.#keras && sameWeights(this.#keras.weights, weights) ? this.#keras.map : null;
  }

  /**
   * Layer or image have changed: no map belongs to them any more, and a kernel of another size has no state to compare
   * with.
   */
  forget(geometry: Geometry): void {
    this.preview = this.spare = this.base = null;
    this.trusted = true;
    this.#keras = null;
    this.#before.value = null;
    this.gesture = null;
    if (this.now.kernel.length !== kernelLength(geometry)) {
      this.now = this.confirmed = { kernel: NO_KERNEL, bias: this.now.bias };
      this.rev = -1;
    }
  }

  /** Remember the present state as the one before a gesture. */
  remember(gesture: string): void {
    if (this.gesture === gesture) return;
    this.gesture = gesture;
    this.#before.value = { weights: this.now, keras: this.#keras };
  }

  forgetBefore(): void {
    this.gesture = null;
    this.#before.value = null;
  }

  /** The weights to show, and Keras's map of them where there is one of this stage. */
  shown(comparing: boolean, stage: Stage): { weights: Weights; keras: MapRecord | null } {
    const before = comparing ? this.#before.peek() : null;
    const weights = before?.weights ?? this.now;
    const match = [this.#keras, before?.keras].find(
      (one) => one && one.map.stage === stage && sameWeights(one.weights, weights),
    );
    return { weights, keras: match?.map ?? null };
  }

  drawKeras(map: MapRecord, geometry: Geometry, provenance: "keras" | "stale" = "keras"): void {
    const old = this.#map.peek();
    if (old.keras === map && old.provenance === provenance) return;
    const { range, counts } = map;
    this.#draw(geometry, { provenance, keras: map, preview: null, range, counts, sampled: false });
  }

  drawPreview(geometry: Geometry, view: Pick<MapView, "preview" | "range" | "counts" | "sampled">): void {
    this.#draw(geometry, { provenance: "preview", keras: null, ...view });
  }

  /** A canvas shows this part of the map, at this resolution. */
  seenOn(grid: Grid): void {
    const key = JSON.stringify(grid);
    const others = this.grids.filter((one) => JSON.stringify(one) !== key);
    this.grids = [...others.slice(1 - MOST_GRIDS), grid];
  }

  /** Nothing new can be drawn: Keras's last map, or nothing. */
  drawOld(geometry: Geometry): void {
    const [rows, cols] = geometry.output_shape;
    if (this.#keras) this.drawKeras(this.#keras.map, geometry, "stale");
    else if (this.#map.peek().provenance !== "waiting" || this.#map.peek().rows !== rows) {
      this.range.value = null;
      this.dead.value = false;
      this.#map.value = this.#waiting(rows, cols);
    }
  }

  #draw(geometry: Geometry, view: Omit<MapView, "rows" | "cols" | "version">): void {
    const [rows, cols] = geometry.output_shape;
    this.range.value = view.range;
    if (!view.sampled) this.dead.value = view.counts.zeros === rows * cols;
    this.#map.value = { ...view, rows, cols, version: ++this.#version };
  }

  #waiting(rows: number, cols: number): MapView {
    const version = ++this.#version;
    return {
      provenance: "waiting",
      rows,
      cols,
      keras: null,
      preview: null,
      range: [0, 0],
      counts: NO_COUNTS,
      sampled: false,
      version,
    };
  }
}

export function kernelLength({ kernel_size, kernel_channels }: Geometry): number {
  return kernel_size[0] * kernel_size[1] * kernel_channels;
}

function fits(map: MapRecord, { output_shape }: Geometry): boolean {
  const [rows, cols] = map.shape;
  if (rows > output_shape[0] || cols > output_shape[1]) return false;
  const pixels = rows * cols;
  return bytesOf(map.levels).length === pixels && (!map.flags || bytesOf(map.flags).length === pixels);
}

/** The map in buffers of its own: a host's message is one buffer, which a view of any part of it would keep alive. */
function owned(map: MapRecord): MapRecord {
  const levels = new DataView(exactBuffer(map.levels));
  return { ...map, levels, flags: map.flags && new DataView(exactBuffer(map.flags)) };
}

/** The weights after an edit, in arrays of their own. */
export function withEdit({ kernel, bias }: Weights, edit: Edit): Weights {
  const next = kernel.slice();
  edit.taps?.index.forEach((tap, i) => {
    next[tap] = unpackNumber(edit.taps?.value[i]);
  });
  return { kernel: next, bias: edit.bias === undefined ? bias : Math.fround(unpackNumber(edit.bias)) };
}
