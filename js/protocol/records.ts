/**
 * What Python keeps in traits and sends as records, declared once on this side; messages.ts has messages and answers.
 * The other side is src/convlens/protocol/record_types.py; docs/architecture.md has the table of messages.
 * Names with underscores are those of the messages and are the same in Python.
 */

import type { Bytes, Num } from "./bytes.ts";
import {
  bytes,
  type Check,
  type Checked,
  either,
  fields,
  nullable,
  number,
  oneOf,
  optional,
  pair,
  text,
  whole,
} from "./check.ts";

/** A filter's identity for as long as the lens lives: indices move, uids do not. */
export type Uid = number;

/** All filters, or one large. */
const viewMode = oneOf("grid", "focus");
export type ViewMode = Checked<typeof viewMode>;
const stage = oneOf("activation", "pre_activation");
export type Stage = Checked<typeof stage>;
const rangeMode = oneOf("per_map", "shared", "symmetric");
export type RangeMode = Checked<typeof rangeMode>;
export type ValueRange = RangeMode | [low: number, high: number];

/** How the layer reads its input; everything the preview needs to know of it. */
export interface Geometry {
  /** Which row of maths/kinds.ts describes the layer. */
  kind: string;
  /** Axes that it convolves along: 1 for a signal, which is a picture of one row. */
  rank: 1 | 2;
  /** Keras's class name, the layer's name, its path in the model ("" for a layer on its own). */
  class_name: string;
  name: string;
  path: string;
  /** True when the lens made the layer itself, so that its settings may be changed here. */
  builtin: boolean;
  /** (rows, cols, channels) of what the layer is fed. */
  input_shape: [number, number, number];
  /** (rows, cols) of one activation map. */
  output_shape: [number, number];
  filters: number;
  kernel_size: [number, number];
  /**
   * Depth of one kernel: input channels / groups; 1 for depthwise. A separable layer's filters are sent as their
   * effective kernels, which read all channels; it is the depthwise and pointwise parts that are edited (`factors`).
   */
  kernel_channels: number;
  strides: [number, number];
  dilation_rate: [number, number];
  padding: "valid" | "same" | "causal";
  /** Rows and columns of zeros that padding adds: top, bottom, left, right. */
  pads: [number, number, number, number];
  groups: number;
  use_bias: boolean;
  activation: string;
  /** Constants of the activation function, e.g. {negative_slope: 0.2}. */
  activation_params: Record<string, number>;
  data_format: "channels_last" | "channels_first";
  /** Shape of the Keras kernel variable, e.g. (kh, kw, in_channels, filters). */
  weight_shape: number[];
  /** False where the browser must wait for Keras (an activation it does not know, a kind it cannot do). */
  previewable: boolean;
  /** False where the settings do not tell which part of the input a pixel is computed from; `note` says why. */
  explainable: boolean;
  /** What the lens cannot show of this layer or do with it, in sentences; "" where there is nothing. */
  note: string;
}

/** Trait `_state`: small, replaced whole. `generation` grows whenever geometry, image or order change. */
export interface LensState {
  generation: number;
  geometry: Geometry;
  /** The user's layer itself, where the lens computes with a copy of it of other settings, or another number or size of kernels. */
  own?: Geometry | null;
  /** uids in list order; index i is filter i. */
  order: Uid[];
  /** The `version` of the image that this state belongs to. */
  image_version: number;
  /** Whether the image is the layer's input itself (no model before the layer). */
  image_is_input: boolean;
  /** Rows, columns and channels of the model's output where it is a picture; a state of an older version lacks it. */
  output?: [number, number, number] | null;
}

/** Trait `_image`: the picture that is shown, and the layer's input when `image_is_input`. */
export interface ImageRecord {
  version: number;
  shape: [number, number, number];
  /** "uint8" where every value is byte × scale in double precision, rounded to float32; else "float32" with scale 1. */
  dtype: "uint8" | "float32";
  scale: number;
  /** C order: row, column, channel. */
  data: Bytes;
  /**
   * What a large image was reduced to: `data` has the rows and columns of `reduced.shape`, the rest describes the whole
   * image.
   */
  reduced: { shape: [number, number]; range: [number, number]; not_finite: number } | null;
  /** Sentences about what was done to the user's picture (luminance, resizing...). */
  notes: string[];
  /** Whether it is a signal, (1, steps, channels), and drawn as curves. */
  signal: boolean;
  /** Whether it is a latent vector, (1, numbers, 1), and shown as a strip of cells. */
  latent?: boolean;
  /** Names of the filters whose maps it went through, in their order, where it is a map of the lens's own. */
  through?: string[];
}

/** One activation map as Keras returned it, in 8 bits. Range and counts are those of all its values. */
export const mapRecord = fields({
  stage,
  /** Least and greatest finite value that the levels span. */
  range: pair(number),
  /** Rows and columns of the levels; where the map, or the part of it, has more, each is the level of a mean. */
  shape: pair(whole),
  /** uint8, C order. level = min(255, floor((v − low) / (high − low) × 256)), as Matplotlib indexes its tables. */
  levels: bytes,
  /** uint8 per pixel, or null when all are 0: 0 number, 1 NaN, 2 +∞, 3 −∞, 4 below and 5 above a fixed range. */
  flags: nullable(bytes),
  counts: fields({
    nan: whole,
    posinf: whole,
    neginf: whole,
    /** Exact zeros after the activation. */
    zeros: whole,
  }),
});
export type MapRecord = Checked<typeof mapRecord>;

/**
 * A separable layer's filter applies depthwise kernel × pointwise weight to the input, added up over depthwise
 * channels.
 */
export const factors = fields({
  uid: whole,
  rev: whole,
  /** Depthwise kernels per input channel: depthwise channel k reads input channel ⌊k / multiplier⌋. */
  multiplier: whole,
  /** float32, C order: row, column, depthwise channel. All filters share them. */
  depthwise: bytes,
  /** float32, one per depthwise channel: this filter's own weights. */
  pointwise: bytes,
  /** float32, one per depthwise channel: as in `deep`, the most that it adds to this filter's pre-activation. */
  contribution: bytes,
});
export type FactorsRecord = Checked<typeof factors>;

export const filterRecord = fields({
  uid: whole,
  /** Grows with every change of this filter's kernel or bias. */
  rev: whole,
  /** float32, C order: row, column, channel. */
  kernel: bytes,
  bias: number,
  /** Input channel that the kernel's first plane reads (groups, depthwise). */
  first_channel: whole,
  /** Null until Keras has answered for this rev. */
  map: nullable(mapRecord),
  /** Of a separable layer, while a training is followed. */
  factors: optional(factors),
});
/** A filter's record after the check. */
export type CheckedRecord = Checked<typeof filterRecord>;
/** A filter's record as it is sent. */
export type FilterRecord = Omit<CheckedRecord, "bias"> & { bias: Num };

/** Trait `_filters`: written by Python when the state is requested, kept current here for saving. */
export interface FilterTable {
  generation: number;
  filters: FilterRecord[];
}

/** Trait `_status`. */
export interface Status {
  keras: "loading" | "ready" | "failed";
  /** "TensorFlow, Keras 3.15.1", or why it failed. */
  detail: string;
}

/** Trait `_problem`: the last thing that went wrong, or null; shown until dismissed. */
export interface Problem {
  /** A note is not an error. */
  tone?: "error" | "note";
  id: number;
  title: string;
  text: string;
}

/** Numbers of steps that can be undone and redone. */
export const history = fields({ undo: whole, redo: whole });
export type History = Checked<typeof history>;

/** A trait that both sides set: the check of its value, and what replaces one that fails it or is missing. */
function shared<T>(check: Check<T>, fallback: T): { check: Check<T>; fallback: T } {
  return { check, fallback };
}

/** The small traits that both sides set; a new one is a line here. */
export const SHARED_TRAITS = {
  cmap: shared(text, "viridis"),
  value_range: shared<ValueRange>(either(rangeMode, pair(number)), "per_map"),
  stage: shared(stage, "activation"),
  selected: shared(whole, 0),
  /** Colour map of the kernels, null for that of the maps. */
  kernel_cmap: shared(nullable(text), null),
  view: shared(viewMode, "grid"),
  /** Opacity of the maps over the image, 0 (off) to 1. */
  overlay: shared(number, 0),
  /** Output row and column that are pinned. */
  pixel: shared(nullable(pair(whole)), null),
  /** Path of the layer that is open ("" without a model), one of `_layers`. Another one has new uids, and a history of its own. */
  layer_path: shared(text, ""),
};
export type SharedName = keyof typeof SHARED_TRAITS;
export type SharedValues = { [K in SharedName]: Checked<(typeof SHARED_TRAITS)[K]["check"]> };

/** The widget's traits as the AFM model holds them. */
export interface Traits extends SharedValues {
  names: string[];
  _state: LensState;
  _image: ImageRecord;
  _filters: FilterTable;
  /** Matplotlib's tables, 256 × RGB uint8, by name. Always holds the current one. */
  _cmaps: Record<string, Bytes>;
  _presets: PresetRecord[];
  _status: Status;
  _problem: Problem | null;
  /** What the model's classes are called, in the order of its output; empty where the user gave none. */
  labels: string[];
  _layers: LayerRecord[];
  _training: TrainingRecord | null;
  _survey: SurveyRecord | null;
  /** `savedAnswers` in messages.ts; of a saved page alone. */
  _saved?: unknown;
}

/** Trait `_survey`: which layers of the model were surveyed, on how many images; `version` counts surveys, and changes of the model's weights since. */
export interface SurveyRecord {
  version: number;
  layers: string[];
  images: number;
}

/** Trait `_layers`: the model's convolution layers, in the order in which it calls them; empty without a model. */
export interface LayerRecord {
  /** Unique, "block/conv"; what trait `layer_path` is set to. */
  path: string;
  class_name: string;
  /** (rows, cols, channels). */
  input_shape: [number, number, number];
  /** (rows, cols, filters). */
  output_shape: [number, number, number];
  kernel_size: [number, number];
  /** Axes that it convolves along; missing in states that earlier versions saved. */
  rank?: 1 | 2;
  filters: number;
}

/**
 * Trait `_training`: what a training callback kept of the layer that is open; null before there was any. The list is thinned
 * when it grows long (every second snapshot is left out), so that an index is good for this value of the trait alone.
 */
export interface TrainingRecord {
  /** True while `fit` runs: Python answers no request then, and what is shown follows the training. */
  running: boolean;
  /** Oldest first. The first is from before the first step. */
  snapshots: SnapshotRecord[];
  /** Index of the snapshot whose kernels are shown; null where they were edited since. */
  shown: number | null;
}

export interface SnapshotRecord {
  /** Epochs completed, and batches in all; both 0 before training. */
  epoch: number;
  step: number;
  /** Training loss as Keras last reported it; null before that. */
  loss: Num | null;
  /** The same on the validation data, after an epoch; null without such data. */
  val_loss?: Num | null;
}

export interface PresetRecord {
  /** In Python. */
  name: string;
  /** In words, and the group that it is in; missing from pages that an older version saved. */
  title?: string;
  group?: string;
  shape: [number, number];
  /** Row-major. */
  values: number[];
}
