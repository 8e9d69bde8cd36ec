/** What the browser asks of the kernel, and what it is told; mirrors src/convlens/requests.py, inquiries.py and courier.py. */
import type { Bytes, FilterRecord, History, Num, Uid } from "./types.ts";

/** One changed kernel: some taps, or a whole new kernel, and perhaps a bias. */
export interface Edit {
  uid: Uid;
  /** Flat C-order indices into (row, column, channel) and their new values. */
  taps?: { index: number[]; value: Num[] };
  bias?: Num;
}

/** Taps of one part of a separable filter, as flat indices: of all depthwise kernels, or of its own pointwise weights. */
export interface FactorEdit {
  part: "depthwise" | "pointwise";
  index: number[];
  value: Num[];
}

/**
 * How the picture that an output shows without a widget gets into the notebook: the front end puts it there (`outputs`
 * messages), the host takes `update_display_data` without drawing the widget anew, or neither.
 */
export type PictureWay = "keep" | "update" | "none";

export type Request =
  /**
   * What the browser holds; rev −1 stands for a filter whose kernel is here, but not Keras's map of it as it is drawn now. `again`: messages were
   * missed, and the small traits are to be sent as well; the picture, if another version than `image` is the present one.
   */
  | {
      type: "hello";
      generation: number;
      revs: [Uid, number][];
      image: number;
      again: boolean;
      picture: PictureWay;
    }
  /** One undo step for all edits of one gesture (a drag, a paste). */
  | { type: "edit"; edits: Edit[]; gesture: string }
  /** A whole new kernel, of another size perhaps when `all` are replaced. kernels: float32 (n, kh, kw, channels). */
  | { type: "replace"; uids: Uid[]; shape: [number, number, number]; kernels: Uint8Array; gesture: string }
  | { type: "add"; kernel: Uint8Array; bias?: Num; name: string | null; at: number }
  | { type: "remove"; uid: Uid }
  | { type: "move"; uid: Uid; to: number }
  | { type: "rename"; uid: Uid; name: string }
  | { type: "undo" | "redo" | "reset" }
  | {
      type: "set";
      /** `layer_path`: another layer opens, with new uids, a new generation and a history of its own. */
      name: "cmap" | "value_range" | "stage" | "selected" | "pixel" | "layer_path" | "_problem";
      value: unknown;
    }
  /** Layer settings, built-in layer only: any of Keras's own argument names. */
  | { type: "configure"; settings: Record<string, unknown> }
  /** Kernels and maps of filters, those last that are on screen: before them stand some that come next. */
  | { type: "need"; uids: Uid[] }
  /** Keras's own float values at one output pixel. */
  | { type: "probe"; row: number; col: number; uids: Uid[] }
  | { type: "image"; shape: [number, number, number]; data: Uint8Array }
  /** What a kernel does, in numbers; `channel` (0 unless given) is the plane that is looked at closely. */
  | { type: "diagnose"; uid: Uid; channel?: number }
  /** A program that computes what is shown. */
  | { type: "code"; framework: "keras" | "numpy" }
  /**
   * The model's output with the original and with the present weights. Answered at once with nothing, so that no edit
   * waits: the model runs in a thread of its own, and a `predictions` message follows. Ask when edits have settled; of
   * requests that pile up while the model runs only the newest is carried out, with the weights of that moment.
   */
  | { type: "predict" }
  /** One number a filter, to sort a gallery by; has Keras compute the maps that are missing (one call of the layer). */
  | { type: "stats" }
  /**
   * What the linear update takes for a filter inside a model: its pre-activation, and input planes by their number in the
   * layer's input (kernel plane c reads input channel first_channel + c). Ask for the planes that are being edited, not
   * for all. `channels` may be empty.
   */
  | { type: "deep"; uid: Uid; channels: number[] }
  /** What the layer is fed under a filter's kernel at one output pixel, where the browser does not have it. */
  | { type: "patch"; uid: Uid; row: number; col: number }
  /** One channel of the layer's input, to look at. */
  | { type: "plane"; channel: number }
  /** What a separable layer's filter is made of, after an edit of one part where one is given. */
  | { type: "factors"; uid: Uid; edit?: FactorEdit; gesture?: string }
  /** Show the kernels of a snapshot (an index into `_training.snapshots`). Scrubbing in a row is one undo step. */
  | { type: "scrub"; index: number };

/** What convlens.diagnostics finds out about one kernel; null where values that are not finite forbid an answer. */
export interface DiagnosticsRecord {
  uid: Uid;
  /** The kernel's rev that these numbers belong to. */
  rev: number;
  /** Of all taps: the gain at zero frequency, and the Euclidean norm. */
  sum: Num;
  norm: Num;
  /** Under a turn by 180°. A kernel of zeros counts as symmetric. */
  symmetry: "symmetric" | "antisymmetric" | "neither" | null;
  left_right: boolean | null;
  up_down: boolean | null;
  /** Rank of each (kh, kw) plane. */
  ranks: (number | null)[];
  /** A sentence on why something could not be told, or "". */
  note: string;
  plane: PlaneDiagnosticsRecord;
}

/** One (kh, kw) plane of a kernel. */
export interface PlaneDiagnosticsRecord {
  channel: number;
  sum: Num;
  norm: Num;
  rank: number | null;
  separable: boolean | null;
  /** vertical (kh) ⊗ horizontal (kw) is the nearest product of two 1-D filters; exact when separable. */
  vertical: number[] | null;
  horizontal: number[] | null;
  /** Share of the squared norm that this product misses, 0 to 1. */
  remaining: number | null;
  response: {
    /** Sides of the picture: rows fy, columns fx, from −1/2 cycle per pixel on, zero frequency at [rows / 2, cols / 2]. */
    shape: [number, number];
    /** Greatest magnitude |H|; levels span 0 to max, as MapRecord's do. */
    max: number;
    levels: Bytes;
  } | null;
}

/**
 * Every request gets exactly one answer, to the client that asked, by number. A request that is sent again, with its number,
 * is carried out once and answered each time.
 */
export interface Answer {
  type: "answer";
  client: string;
  seq: number;
  ok: boolean;
  /** When not ok: what came, what was expected, how to mend it. */
  error?: { title: string; text: string };
  /** Hello: the widget's id, by which a kernel that was restarted unseen can be told from the one that has this lens. */
  model?: string;
  /** Probe: (activation, pre_activation) by uid, at the pixel asked for, and the weights' rev they belong to. */
  values?: { uid: Uid; rev: number; activation: Num; pre_activation: Num }[];
  /** Diagnose. */
  diagnostics?: DiagnosticsRecord;
  /** Code: the program's source. */
  code?: string;
  /** Stats. */
  stats?: StatsRecord;
  /** Deep. */
  deep?: DeepRecord;
  /** Patch. */
  patch?: PatchRecord;
  /** Plane. */
  plane?: PictureRecord;
  /** Factors. */
  factors?: FactorsRecord;
}

/** What part of the input image an output pixel may depend on, through all layers of the model before its own. */
export interface FieldRecord {
  /** First and last row and column, in pixels of the image and beyond it, in the padding; null where that is not known. */
  rows: [first: number, last: number] | null;
  cols: [first: number, last: number] | null;
  /** Rows and columns of the image among them that are read, in order; null where there are none. */
  inside: [rows: number[], cols: number[]] | null;
  /** A sentence: why it is not known, or what it relies on; else empty. */
  note: string;
}

export interface PatchRecord {
  /** Input rows and columns that the kernel's rows and columns read; those outside the input lie in the padding. */
  rows: number[];
  cols: number[];
  /** float32, C order (row, column, channel) as the kernel, 0 in the padding. */
  values: Bytes;
  field: FieldRecord;
}

/** One plane in 8 bits, as a map's; range, levels and flags are a `MapRecord`'s. */
export interface PictureRecord {
  shape: [rows: number, cols: number];
  range: [number, number];
  levels: Bytes;
  flags: Bytes | null;
}

/** Each a float32 a filter, in list order; NaN where the maps are. */
export interface StatsRecord {
  /** Mean square of the activation map. */
  energy: Bytes;
  /** Share of exact zeros in the activation map, 0 to 1. */
  dead: Bytes;
  /** Euclidean norm of the kernel. */
  norm: Bytes;
}

export interface DeepRecord {
  uid: Uid;
  /** The weights' rev that all of this belongs to. */
  rev: number;
  /** float32, rows × cols of the map, row-major, as Keras computed it. */
  pre_activation: Bytes;
  /** float32, rows × cols of the layer's input, row-major, each. */
  planes: { channel: number; data: Bytes }[];
  /**
   * float32, one a kernel plane: ‖kernel plane‖ × root mean square of the input plane that it reads. It bounds what the
   * plane adds to the pre-activation, and orders the planes.
   */
  contribution: Bytes;
}

/** A separable layer's filter lays depthwise kernel × pointwise weight on the input, added up over depthwise channels. */
export interface FactorsRecord {
  uid: Uid;
  rev: number;
  /** Depthwise kernels an input channel: depthwise channel k reads input channel ⌊k / multiplier⌋. */
  multiplier: number;
  /** float32, C order: row, column, depthwise channel. All filters share them. */
  depthwise: Bytes;
  /** float32, one a depthwise channel: this filter's own weights. */
  pointwise: Bytes;
  /** float32, one a depthwise channel: as in DeepRecord, what it adds to this filter's pre-activation at the most. */
  contribution: Bytes;
}

/** To every client, when the model has run after a `predict`. */
export interface PredictionsMessage {
  type: "predictions";
  /** The request that set it going: what was edited since is not in it. */
  client: string;
  seq: number;
  /** float32 (classes,) each; null where the model's output is not one vector, and on an error. */
  predictions: { before: Bytes; after: Bytes } | null;
  error?: { title: string; text: string };
}

/** To front ends that said `keep`: the MIME bundle that the lens's outputs have now. */
export interface OutputsMessage {
  type: "outputs";
  data: Record<string, unknown>;
}

/** What the kernel sends; records ride along with an answer or come alone after a change made in Python. */
export type Message = (Answer | PredictionsMessage | OutputsMessage | { type: "filters" }) & {
  generation: number;
  history: History;
  filters: FilterRecord[];
  /** Filters that changed and were not sent, because they are not on screen: what is here of them is out of date. */
  outdated?: Uid[];
  /** Counts a lens's messages from 1: what comes after a gap was preceded by something that is lost. */
  serial: number;
};
