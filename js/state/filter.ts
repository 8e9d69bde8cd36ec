/** One filter as the browser holds it: what a person made of it, what Keras last said, and what is drawn. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Range } from "../lens/ranges.ts";
import type { Base } from "./based-prediction.ts";
import type { FilterView, MapView } from "./lens.ts";
import type { Edit } from "./messages.ts";
import { type Forecast, sameWeights, type Weights } from "./prediction.ts";
import type { Geometry, MapRecord, Stage, Uid } from "./types.ts";
import { bytesOf, type CheckedRecord, exactBuffer, floatsOf, unpackNumber } from "./wire.ts";

/** A map that Keras computed, and the weights that it computed it for. */
interface KerasMap {
  map: MapRecord;
  weights: Weights;
}

const NO_COUNTS = { nan: 0, posinf: 0, neginf: 0, zeros: 0 };
const NO_KERNEL = new Float32Array(0);

export class FilterState implements FilterView {
  /** Empty until the kernel has sent the filter. */
  readonly kernel: ReadonlySignal<Float32Array>;
  readonly bias: ReadonlySignal<number>;
  readonly map: ReadonlySignal<MapView>;
  /** Range of the drawn map, null while there is none; apart from `map`, since a shared range reads those of all filters. */
  readonly range = signal<Readonly<Range> | null>(null);
  firstChannel = 0;
  /** Of the last record; −1 before there is one. */
  rev = -1;
  /** What the browser shows: the kernel's truth with the edits that it has not answered yet. */
  now: Weights = { kernel: NO_KERNEL, bias: 0 };
  /** The kernel's last word. */
  confirmed: Weights = this.now;
  prediction: Forecast | null = null;
  /** Being made in idle time to take the place of a worn `prediction`. */
  spare: Forecast | null = null;
  /** What predictions start from where the browser does not have the layer's input. */
  base: Base | null = null;
  /** False once Keras contradicted a prediction. */
  trusted = true;
  /** How often what is here turned out to be out of date. */
  expiries = 0;
  #expired = false;
  /** Gesture that `before` was taken at. */
  gesture: string | null = null;

  #keras: KerasMap | null = null;
  /** What "compare" shows. It costs the 8 bits of one map, for filters that the last gesture changed. */
  #before: { weights: Weights; keras: KerasMap | null } | null = null;
  readonly #kernel: Signal<Float32Array>;
  readonly #bias: Signal<number>;
  readonly #map: Signal<MapView>;
  #version = 0;

  /** Called when something on the page begins to draw the map, and when nothing does any more. */
  constructor(
    readonly uid: Uid,
    watched: () => void,
    unwatched: () => void,
  ) {
    this.kernel = this.#kernel = signal(NO_KERNEL);
    this.bias = this.#bias = signal(0);
    this.map = this.#map = signal(this.#waiting(0, 0), { watched, unwatched });
  }

  get known(): boolean {
    return this.rev >= 0 && !this.#expired;
  }

  /** The kernel has something newer, and sends it when it is asked. */
  expire(geometry: Geometry): void {
    this.#expired = true;
    this.expiries++;
    this.prediction = this.spare = this.base = null;
    this.drawOld(geometry);
  }

  /**
   * Take the kernel's word; `rebase` puts the edits on top that it has not answered. False where the record does not fit the
   * layer. `current` says that the record was made for the present layer and image, and so its map.
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

  /** Show the kernel's word with what it has not answered on top. */
  rebase(rebase: (said: Weights) => Weights): void {
    const now = rebase(this.confirmed);
    if (!sameWeights(now, this.now)) this.now = now;
  }

  /** Take weights that the browser itself decided on. */
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
    this.prediction = this.spare = this.base = null;
  }

  /** Keras's map for the weights that are shown now, whatever its stage. */
  keras(weights: Weights = this.now): MapRecord | null {
    return this.#keras && sameWeights(this.#keras.weights, weights) ? this.#keras.map : null;
  }

  /** Layer or image are others: no map belongs to them any more, and a kernel of another size has no past. */
  forget(geometry: Geometry): void {
    this.prediction = this.spare = this.base = null;
    this.trusted = true;
    this.#keras = null;
    this.#before = null;
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
    this.#before = { weights: this.now, keras: this.#keras };
  }

  forgetBefore(): void {
    this.gesture = null;
    this.#before = null;
  }

  /** The weights to show, and Keras's map of them where there is one of this stage. */
  shown(comparing: boolean, stage: Stage): { weights: Weights; keras: MapRecord | null } {
    const before = comparing ? this.#before : null;
    const weights = before?.weights ?? this.now;
    const match = [this.#keras, before?.keras].find(
      (one) => one && one.map.stage === stage && sameWeights(one.weights, weights),
    );
    return { weights, keras: match?.map ?? null };
  }

  /** Show these weights' numbers; the map follows by one of the `draw` methods. */
  showWeights({ kernel, bias }: Weights): void {
    this.#kernel.value = kernel;
    this.#bias.value = bias;
  }

  drawKeras(map: MapRecord, geometry: Geometry, provenance: "keras" | "stale" = "keras"): void {
    const old = this.#map.peek();
    if (old.keras === map && old.provenance === provenance) return;
    this.#draw(geometry, { provenance, keras: map, preview: null, range: map.range, counts: map.counts });
  }

  drawPreview(geometry: Geometry, view: Pick<MapView, "preview" | "range" | "counts">): void {
    this.#draw(geometry, { provenance: "preview", keras: null, ...view });
  }

  /** Nothing new can be drawn: what Keras said last, or nothing. */
  drawOld(geometry: Geometry): void {
    const [rows, cols] = geometry.output_shape;
    if (this.#keras) this.drawKeras(this.#keras.map, geometry, "stale");
    else if (this.#map.peek().provenance !== "waiting" || this.#map.peek().rows !== rows) {
      this.range.value = null;
      this.#map.value = this.#waiting(rows, cols);
    }
  }

  #draw(geometry: Geometry, view: Omit<MapView, "rows" | "cols" | "version">): void {
    const [rows, cols] = geometry.output_shape;
    this.range.value = view.range;
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
      version,
    };
  }
}

export function kernelLength({ kernel_size, kernel_channels }: Geometry): number {
  return kernel_size[0] * kernel_size[1] * kernel_channels;
}

function fits(map: MapRecord, { output_shape }: Geometry): boolean {
  const pixels = output_shape[0] * output_shape[1];
  return bytesOf(map.levels).length === pixels && (!map.flags || bytesOf(map.flags).length === pixels);
}

/** The map in buffers of its own: a host's message is one buffer, which a view of a part would keep alive. */
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
