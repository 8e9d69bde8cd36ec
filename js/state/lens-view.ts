/**
 * What every component sees: the lens's state as signals and the things a person can do to it as methods.
 * Components read signals and call methods; they know neither the host's model nor the wire.
 */
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Activation } from "../lens/activations.ts";
import type { Patch } from "../lens/explain.ts";
import type { Gone } from "./connection.ts";
import type { DiagnosticsRecord, Edit, FactorEdit, PictureRecord } from "./messages.ts";
import type {
  Geometry,
  History,
  ImageRecord,
  LayerRecord,
  MapRecord,
  PresetRecord,
  Problem,
  Stage,
  Status,
  TrainingRecord,
  Uid,
  ValueRange,
} from "./types.ts";

/** Bytes of a picture as numbers, ready for drawing and for the linear update. */
export interface Picture {
  rows: number;
  cols: number;
  channels: number;
  /** One float32 plane a channel, row-major; made when first asked for. */
  plane(channel: number): Float32Array;
  /** Values at one pixel, one a channel. */
  at(row: number, col: number): number[];
  record: ImageRecord;
}

/** Where a map's numbers come from at this moment. */
export type Provenance =
  /** Keras's own answer to the kernel that is shown. */
  | "keras"
  /** Predicted by the linear update; Keras's answer is on its way, or there is no kernel. */
  | "preview"
  /** Keras's answer to an older kernel, shown because nothing newer can be (no preview for this layer, or an error). */
  | "stale"
  /** Nothing to draw yet. */
  | "waiting";

/** A predicted map, ready for `paintFloats`: what is not on screen is never activated. */
export interface PreviewMap {
  /** Float32 pre-activations, row-major. */
  values: Float32Array;
  /** Applied to what is drawn; null where the pre-activation itself is drawn. */
  activation: Activation | null;
  /** Least and greatest of all that may be drawn, null where some of it is NaN or infinite, or where they are not known. */
  ends: readonly [low: number, high: number] | null;
  /** Least pre-activation, −Infinity where it is not known. */
  least: number;
}

/** What an activation map draws: either Keras's 8-bit levels or the preview's float32 values, never a mixture. */
export interface MapView {
  provenance: Provenance;
  rows: number;
  cols: number;
  /** Present when provenance is "keras" or "stale". */
  keras: MapRecord | null;
  /** Present when provenance is "preview". Shared, updated in place: redraw on `version`. */
  preview: PreviewMap | null;
  /** Least and greatest finite value. */
  range: [number, number];
  counts: MapRecord["counts"];
  /** Grows with every change of the pixels. */
  version: number;
}

export interface FilterView {
  uid: Uid;
  /** Kernel in C order (row, column, channel); a new array after each change, empty until the kernel has sent the filter. */
  kernel: ReadonlySignal<Float32Array>;
  bias: ReadonlySignal<number>;
  /** Input channel of the kernel's first plane. */
  firstChannel: number;
  map: ReadonlySignal<MapView>;
}

/** The model's output before and after the edits. */
export interface Predictions {
  /** (classes,) each; null before there is an answer, and where the output is not one vector. */
  before: Float32Array | null;
  after: Float32Array | null;
  /** "settled" once they belong to the weights that are shown. */
  state: "waiting" | "asked" | "settled";
  error: string | null;
}

/** What a separable layer's filter is made of (FactorsRecord), with the edits that Keras has not answered. */
export interface FactorsView {
  rev: number;
  multiplier: number;
  depthwise: Float32Array;
  pointwise: Float32Array;
  contribution: Float32Array;
  /** Whether an edit is not answered yet. */
  pending: boolean;
}

/** One number a filter, in list order, to sort a gallery by. */
export type Stats = Record<"energy" | "dead" | "norm", Float32Array>;

/** The user's model around the layer. */
export interface NetworkModel {
  /** Its convolution layers in the order in which it calls them; empty without a model. */
  layers: ReadonlySignal<readonly LayerRecord[]>;
  /** Path of the layer that is open. */
  path: ReadonlySignal<string>;
  /** What its classes are called; empty where nobody said. */
  labels: ReadonlySignal<readonly string[]>;
  training: ReadonlySignal<TrainingRecord | null>;
  /** Kept up to date while it is read. */
  predictions: ReadonlySignal<Predictions>;
  /** Open another layer. */
  open(path: string): void;
  /** Show the kernels of a snapshot of the training. */
  scrub(index: number): void;
  stats(): Promise<Stats>;
  /** Filters that come on screen next, the nearest first: they are asked for along with those that are on screen. */
  expect(uids: readonly Uid[]): void;
  /** See to it that edits of these planes of a kernel are previewed, where that takes the kernel's help. */
  prepare(uid: Uid, planes: readonly number[]): void;
  /** A bound on what each plane of a kernel adds to the map, once it is prepared; null where it is not known. */
  contribution(uid: Uid): Float32Array | null;
  /** A separable layer's filter, once it is prepared. */
  factors(uid: Uid): FactorsView | null;
  /** Change taps of one part of a separable layer's filter; Keras computes the maps. */
  editFactor(uid: Uid, edit: FactorEdit): void;
}

/** State of the wire as a person would put it. */
export type Link =
  /** All is answered. */
  | "idle"
  /** A message is on its way and not yet late. */
  | "sending"
  /** The kernel has not answered for a while: it runs a cell. */
  | "busy"
  /** The connection to the kernel broke; what is edited waits for it to be back. */
  | "disconnected"
  /** There is no kernel: a saved page, or it was stopped. */
  | "offline";

export interface LensModel {
  // -- state ---------------------------------------------------------------------------------------
  geometry: ReadonlySignal<Geometry>;
  picture: ReadonlySignal<Picture>;
  imageIsInput: ReadonlySignal<boolean>;
  /** In list order. The objects are stable by uid. */
  filters: ReadonlySignal<readonly FilterView[]>;
  names: ReadonlySignal<readonly string[]>;
  selected: ReadonlySignal<number>;
  pixel: ReadonlySignal<[number, number] | null>;
  cmap: ReadonlySignal<string>;
  /** 256 × RGB, by name; the current map's table is always there. */
  cmapTables: ReadonlySignal<ReadonlyMap<string, Uint8Array>>;
  valueRange: ReadonlySignal<ValueRange>;
  stage: ReadonlySignal<Stage>;
  /** The range each map is drawn over under the current mode, by uid; recomputed with the maps. */
  displayRange(uid: Uid): [number, number];
  presets: ReadonlySignal<readonly PresetRecord[]>;
  history: ReadonlySignal<History>;
  status: ReadonlySignal<Status>;
  link: ReadonlySignal<Link>;
  /** Why there is no kernel, where the host says so. */
  gone: ReadonlySignal<Gone>;
  problem: ReadonlySignal<Problem | null>;
  /** True while the compare button is held: maps and kernels show what they were before the last gesture. */
  comparing: Signal<boolean>;
  /** Pixel under the pointer, in output coordinates of the maps (shared by all), or null. Never crosses to Python. */
  hover: Signal<{ row: number; col: number } | null>;
  /** Pixel under the pointer in the input image, or null. */
  hoverInput: Signal<{ row: number; col: number } | null>;
  /** Whether the kernel slides over the image: the maps veil what comes after the pinned pixel. Never crosses to Python. */
  sliding: Signal<boolean>;
  /** Zoom and pan shared by the image and every map: centre in unit coordinates of the picture, and magnification ≥ 1. */
  viewport: Signal<{ x: number; y: number; zoom: number }>;
  /**
   * The layer's value at an output pixel: `exact` once Keras itself has said it, else the preview's float32 number, else null.
   * Reading asks Keras for it in the background; the signal inside changes when the answer comes.
   */
  valueAt(
    uid: Uid,
    row: number,
    col: number,
  ): { activation: number; pre_activation: number; exact: boolean } | null;

  /**
   * What the layer is fed under a filter's kernel at an output pixel; where the browser does not have it, the kernel is
   * asked: null until it answers, an error with a sentence where it cannot.
   */
  patchAt(uid: Uid, row: number, col: number): Patch | Error | null;
  /** One channel of what a layer inside a model is fed, to look at; null and errors as with `patchAt`. */
  inputPlane(channel: number): PictureRecord | Error | null;

  network: NetworkModel;

  /** Python's diagnostics of one kernel and one of its planes; rejects with a sentence where Python cannot answer. */
  diagnose(uid: Uid, channel: number): Promise<DiagnosticsRecord>;
  /** A program that computes what is shown; rejects as `diagnose` does. */
  code(framework: "keras" | "numpy"): Promise<string>;

  // -- what a person does --------------------------------------------------------------------------
  /** Begin a gesture: all edits until the next call make one undo step. Returns nothing; edits outside a gesture are a step each. */
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
  setCmap(name: string): void;
  setValueRange(range: ValueRange): void;
  setStage(stage: Stage): void;
  /** Layer settings under Keras's own names; for a built-in layer only. */
  configure(settings: Record<string, unknown>): void;
  /** A picture that was dropped or pasted, decoded: float values as bytes 0..255, channels 1, 3 or 4. */
  setImage(shape: [number, number, number], data: Uint8Array): void;
  dismissProblem(): void;
  /** Show an error that the browser found itself, in the same place as Python's. */
  report(title: string, text: string): void;
}
