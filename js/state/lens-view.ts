/**
 * What every component sees: the lens's state as signals and the things a person can do to it as methods.
 * Components read signals and call methods; they know neither the host's model nor the messages.
 */
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Link } from "../connection/channel.ts";
import type { Gone } from "../connection/jupyter-kernel.ts";
import type { Patch } from "../maths/explanation.ts";
import type { CloseUp, MapView, Picture } from "../paint/drawable.ts";
import type { Grid } from "../paint/grid.ts";
import type { Weights } from "../preview/full-preview.ts";
import type { DiagnosticsRecord, ExcitationRecord, PictureRecord, RunRecord } from "../protocol/messages.ts";
import type {
  Geometry,
  History,
  LayerRecord,
  PresetRecord,
  Problem,
  SharedName,
  SharedValues,
  Status,
  SurveyRecord,
  TrainingRecord,
  Uid,
} from "../protocol/records.ts";
import type { Edit, PartEdit, RunQuestion } from "../protocol/requests.ts";
import type { Stats } from "../queries/ask.ts";
import type { Excited } from "../queries/excitations.ts";
import type { OutputMaps } from "../queries/output-maps.ts";
import type { FactorsView } from "../queries/separable-parts.ts";

export interface FilterView {
  uid: Uid;
  /** Kernel in C order (row, column, channel); a new array after each change, empty until Python has sent the filter. */
  kernel: ReadonlySignal<Float32Array>;
  bias: ReadonlySignal<number>;
  /** Input channel of the kernel's first plane. */
  firstChannel: number;
  map: ReadonlySignal<MapView>;
  /** Whether the map, as it was drawn last, is 0 everywhere. */
  dead: ReadonlySignal<boolean>;
}

/** The model's output before and after the edits. */
export interface Predictions {
  /** (classes,) each; null before there is an answer, and where the output is not one vector. */
  before: Float32Array | null;
  after: Float32Array | null;
  /** Counts answers of the model, 0 before the first. */
  version: number;
  /** "settled" once they belong to the weights that are shown; of a page's own, "saved" where they do, else "outdated". */
  state: "waiting" | "asked" | "settled" | "saved" | "outdated";
  error: string | null;
  /** What the output is, and where it can be read, where it is neither one vector nor a picture. */
  note?: string | undefined;
}

/** The user's model around the layer. */
export interface NetworkView {
  /** Its convolution layers in the order in which it calls them; empty without a model. */
  layers: ReadonlySignal<readonly LayerRecord[]>;
  /** Path of the layer that is open. */
  path: ReadonlySignal<string>;
  /** What its classes are called; empty where they are not known. */
  labels: ReadonlySignal<readonly string[]>;
  training: ReadonlySignal<TrainingRecord | null>;
  /** Kept up to date while it is read. */
  predictions: ReadonlySignal<Predictions>;
  /** Rows, columns and channels of the model's output where it is a picture, else null. */
  output: ReadonlySignal<readonly [rows: number, cols: number, channels: number] | null>;
  /** The channel of it that is drawn. Never sent to Python. */
  outputChannel: Signal<number>;
  outputMaps: Pick<OutputMaps, "shown" | "want" | "valuesAt">;
  /** The latent vector that the model is fed, with the edits that Python has not answered; null where it is fed an image. */
  vector: ReadonlySignal<Float32Array | null>;
  setVector(values: Float32Array): void;
  /** Open another layer. */
  open(path: string): void;
  /** Show the kernels of a snapshot of the training. */
  scrub(index: number): void;
  /** Includes the values at the pinned pixel, where one is pinned. */
  stats(): Promise<Stats>;
  /** What the score of the model's first class loses without each of some filters. */
  losses(start: number, count: number): Promise<{ values: Float32Array; target: number }>;
  /** Filters that come on screen next, the nearest first: they are requested along with those that are on screen. */
  expect(uids: readonly Uid[]): void;
  /** Ask Python for what previews of edits of these planes need. */
  prepare(uid: Uid, planes: readonly number[]): void;
  /** A bound on what each plane of a kernel adds to the map, once it is prepared; null where it is not known. */
  contribution(uid: Uid): Float32Array | null;
  /** A separable layer's filter, once it is prepared. */
  factors(uid: Uid): FactorsView | null;
  /** Change taps of one part of a separable layer's filter; Keras computes the maps. */
  editFactor(uid: Uid, edit: PartEdit): void;
}

/** A run for a filter, or for the model as a whole: its progress, and the weights with which it began. */
export interface RunView {
  record: RunRecord;
  weights: Weights | null;
}

/** What excites the filters, and what the model's output rests on; both are found by Python. */
export interface InterpretationView {
  survey: ReadonlySignal<SurveyRecord | null>;
  /** Of a filter, requested when something reads it; an error with a sentence where Python cannot answer. */
  excited(uid: Uid): Excited | Error | null;
  /** Show a stored image with its pixel pinned; null shows what was shown before the first. */
  show(one: ExcitationRecord | null): void;
  /** Whether a stored image took the place of another. */
  replaced: ReadonlySignal<boolean>;
  /** The pixel that a stored image pins, which is not a question about that pixel. */
  pinned: ReadonlySignal<readonly number[] | null>;
  begin(question: RunQuestion): void;
  stop(what: RunQuestion["what"]): void;
  run(what: RunQuestion["what"], uid?: Uid): RunView | null;
  /** The class whose attribution lies over the image, and by which method; null for none. */
  attributed: Signal<{ target: number; method: string } | null>;
  /** Whether it is that of the model before or after the edits. */
  side: Signal<"before" | "after">;
}

/** What is explained below the maps: one tab each. */
export type Explained = "pixel" | "shapes" | "layer" | "kernel" | "excites" | "export";

export type SharedSignals = { readonly [K in SharedName]: ReadonlySignal<SharedValues[K]> };

export interface LensView {
  // -- state ---------------------------------------------------------------------------------------
  geometry: ReadonlySignal<Geometry>;
  /** The user's layer itself, where `geometry` is that of a copy of it which differs; else null. */
  own: ReadonlySignal<Geometry | null>;
  picture: ReadonlySignal<Picture>;
  /** Whether the image is what the layer reads, and it is known where a pixel of a map lies over it. */
  imageIsInput: ReadonlySignal<boolean>;
  /** In list order. The objects are stable by uid. */
  filters: ReadonlySignal<readonly FilterView[]>;
  names: ReadonlySignal<readonly string[]>;
  selected: ReadonlySignal<number>;
  pixel: ReadonlySignal<[number, number] | null>;
  cmap: ReadonlySignal<string>;
  /** 256 × RGB, by name; the current map's table is always there. */
  cmapTables: ReadonlySignal<ReadonlyMap<string, Uint8Array>>;
  /** The small traits that both sides set, as chosen here or in Python; `protocol/records.ts` says what each means. */
  shared: SharedSignals;
  /** The range each map is drawn over under the current mode, by uid; recomputed with the maps. */
  displayRange(uid: Uid): [number, number];
  /** The share of the layer's widest range that a map's range is, where it is nearly silent but not dead; else null. */
  silence(uid: Uid): number | null;
  presets: ReadonlySignal<readonly PresetRecord[]>;
  history: ReadonlySignal<History>;
  status: ReadonlySignal<Status>;
  link: ReadonlySignal<Link>;
  /** Why Python is gone, where the host says so. */
  gone: ReadonlySignal<Gone>;
  /** Whether this is a saved page, in which nothing but the browser is at work. */
  saved: boolean;
  /** Sentences on what a saved page holds for its previews, and on what it does not, or "". */
  leftOut: string;
  problem: ReadonlySignal<Problem | null>;
  /** True while the compare button is pressed: maps and kernels show what they were before the last gesture. */
  comparing: Signal<boolean>;
  /** Pixel under the pointer, in output coordinates of the maps (shared by all), or null. Never sent to Python. */
  hover: Signal<{ row: number; col: number } | null>;
  /** Pixel under the pointer in the input image, or null. */
  hoverInput: Signal<{ row: number; col: number } | null>;
  /** The tab that is open. Never sent to Python. */
  explained: Signal<Explained>;
  /**
   * Whether the kernel slides over the image: the maps veil what comes after the pinned pixel. Never sent to Python.
   */
  sliding: Signal<boolean>;
  /** Zoom and pan shared by the image and every map: centre in unit coordinates of the picture, and magnification ≥ 1. */
  viewport: Signal<{ x: number; y: number; zoom: number }>;
  /**
   * The layer's value at an output pixel: `exact` once it is Keras's own, else the preview's float32 number, else null.
   * Reading asks Keras for it in the background; the signal inside changes when the answer comes.
   */
  valueAt(
    uid: Uid,
    row: number,
    col: number,
  ): { activation: number; pre_activation: number; exact: boolean } | null;

  /**
   * What the layer is fed under a filter's kernel at an output pixel; where the browser does not have it, Python is
   * asked: null until it answers, an error with a sentence where it cannot.
   */
  patchAt(uid: Uid, row: number, col: number): Patch | Error | null;
  /** One channel of what a layer inside a model is fed, to look at; null and errors as with `patchAt`. */
  inputPlane(channel: number): PictureRecord | Error | null;

  /** Values of one pixel of the image, one per channel; null while Python is asked for them. */
  imageAt(row: number, col: number): number[] | null;
  /** What a large map is drawn from on this grid, once it is here; requested when the view rests. */
  closeUp(uid: Uid, grid: Grid): CloseUp | null;
  /** Grows when a close-up comes. */
  closeUps: ReadonlySignal<number>;

  network: NetworkView;
  interpretation: InterpretationView;

  /** Python's diagnostics of one kernel and one of its planes; rejects with a sentence where Python cannot answer. */
  diagnose(uid: Uid, channel: number): Promise<DiagnosticsRecord>;
  /** A program that computes what is shown; rejects as `diagnose` does. */
  code(framework: "keras" | "numpy"): Promise<string>;
  /** The lens as a page that needs no Python, as `save_html` writes it; rejects as `diagnose` does. */
  page(): Promise<Uint8Array>;

  // -- what a person does --------------------------------------------------------------------------
  /** Begin a gesture: all edits until the next call make one undo step. Edits outside a gesture are one step each. */
  beginGesture(): void;
  endGesture(): void;
  /** Change taps and bias; repaints at once, Keras follows. */
  edit(edits: readonly Edit[]): void;
  /** Replace whole kernels, all of one shape; another size than now is allowed when every filter is replaced. */
  replace(uids: readonly Uid[], shape: [number, number, number], kernels: readonly Float32Array[]): void;
  add(kernel: Float32Array, name: string | null, at: number, bias?: number): void;
  remove(uid: Uid): void;
  move(uid: Uid, to: number): void;
  rename(uid: Uid, name: string): void;
  undo(): void;
  redo(): void;
  reset(): void;
  select(index: number): void;
  pin(pixel: [number, number] | null): void;
  /** Choose the value of a shared trait: it is shown at once, and Python decides. */
  set<K extends SharedName>(name: K, value: SharedValues[K]): void;
  /** Layer settings under Keras's own names; a user's layer is left as it is, and a copy of it gets them. */
  configure(settings: Record<string, unknown>): void;
  /** A picture that was dropped or pasted, decoded: float values as bytes 0..255, channels 1, 3 or 4. */
  setImage(shape: [number, number, number], data: Uint8Array): void;
  /** Feed the layer the map of a filter as it is now, so that filters come one after another. */
  useMap(uid: Uid): void;
  /** Feed it again what it was fed this many maps earlier. */
  leaveMap(steps: number): void;
  dismissProblem(): void;
  /** Show an error that the browser found itself, in the same place as Python's. */
  report(title: string, text: string): void;
}
