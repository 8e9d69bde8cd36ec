/**
 * What the kernel keeps in traits and sends as records, declared once on this side; messages.ts has what is asked and answered.
 * The other side is src/convlens/wire.py; docs/architecture.md has the table of messages.
 * Names with underscores are the wire's own and are the same in Python.
 */

/** A filter's identity for as long as the lens lives: indices move, uids do not. */
export type Uid = number;

/** A number that JSON cannot carry crosses as the word that Number() reads. */
export type Num = number | "NaN" | "Infinity" | "-Infinity";

export type Stage = "activation" | "pre_activation";
export type RangeMode = "per_map" | "shared" | "symmetric";
export type ValueRange = RangeMode | [low: number, high: number];

/** Anything a host may hand over where bytes are meant (docs/hosts.md). */
export type Bytes = DataView | Uint8Array | ArrayBuffer;

/** How the layer reads its input; everything the preview needs to know of it. */
export interface Geometry {
  kind: "conv" | "depthwise" | "separable" | "transpose";
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
   * Depth of one kernel: input channels / groups; 1 for depthwise. A separable layer's filters cross as the kernels that
   * their depthwise and pointwise parts amount to, which read all channels; what is edited are these parts (`factors`).
   */
  kernel_channels: number;
  strides: [number, number];
  dilation_rate: [number, number];
  padding: "valid" | "same";
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
}

/** Trait `_state`: small, replaced whole. `generation` grows whenever geometry, image or order change. */
export interface LensState {
  generation: number;
  geometry: Geometry;
  /** uids in list order; index i is filter i. */
  order: Uid[];
  /** The `version` of the image that this state belongs to. */
  image_version: number;
  /** Whether the image is the layer's input itself (no model before the layer). */
  image_is_input: boolean;
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
  /** Sentences about what was done to the user's picture (luminance, resizing...). */
  notes: string[];
}

/** One activation map as Keras returned it, in 8 bits. */
export interface MapRecord {
  stage: Stage;
  /** Least and greatest finite value that the levels span. */
  range: [number, number];
  /** uint8, C order. level = min(255, floor((v − low) / (high − low) × 256)), as Matplotlib indexes its tables. */
  levels: Bytes;
  /** uint8 per pixel, or null when all are 0: 0 number, 1 NaN, 2 +∞, 3 −∞, 4 below and 5 above a fixed range. */
  flags: Bytes | null;
  counts: {
    nan: number;
    posinf: number;
    neginf: number /** exact zeros after the activation */;
    zeros: number;
  };
}

export interface FilterRecord {
  uid: Uid;
  /** Grows with every change of this filter's kernel or bias. */
  rev: number;
  /** float32, C order: row, column, channel. */
  kernel: Bytes;
  bias: Num;
  /** Input channel that the kernel's first plane reads (groups, depthwise). */
  first_channel: number;
  /** Null until Keras has answered for this rev. */
  map: MapRecord | null;
}

/** Trait `_filters`: written by the kernel when the state is asked for, kept current here for saving. */
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
  id: number;
  title: string;
  text: string;
}

export interface History {
  undo: number;
  redo: number;
}

/** The widget's traits as the AFM model holds them. */
export interface Traits {
  cmap: string;
  value_range: ValueRange;
  stage: Stage;
  selected: number;
  pixel: [row: number, col: number] | null;
  names: string[];
  _state: LensState;
  _image: ImageRecord;
  _filters: FilterTable;
  /** Matplotlib's tables, 256 × RGB uint8, by name. Always holds the current one. */
  _cmaps: Record<string, Bytes>;
  _presets: PresetRecord[];
  _status: Status;
  _problem: Problem | null;
  /** Path of the layer that is open ("" without a model), one of `_layers`. Set by {type: "set", name: "layer_path"}. */
  layer_path: string;
  /** What the model's classes are called, in the order of its output; empty where the user gave none. */
  labels: string[];
  _layers: LayerRecord[];
  _training: TrainingRecord | null;
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
  filters: number;
}

/**
 * Trait `_training`: what a training callback kept of the layer that is open; null before there was any. The list is thinned
 * when it grows long (every second snapshot is left out), so that an index is good for this value of the trait alone.
 */
export interface TrainingRecord {
  /** True while `fit` runs: the kernel answers no request then, and what is shown follows the training. */
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
}

export interface PresetRecord {
  name: string;
  shape: [number, number];
  /** Row-major. */
  values: number[];
}
