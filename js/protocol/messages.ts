/**
 * What the browser requests from Python, and what Python sends; the other side is src/convlens/protocol/requests.py,
 * queries.py and outbox.py.
 */
import { type Bytes, type Num, unpack } from "./bytes.ts";
import {
  bytes,
  type Check,
  type Checked,
  fields,
  flag,
  list,
  nullable,
  number,
  oneOf,
  optional,
  pair,
  record,
  text,
  whole,
} from "./check.ts";
import {
  factors,
  filterRecord,
  history,
  mapRecord,
  type SharedName,
  type Stage,
  type Uid,
} from "./records.ts";

/** One changed kernel: some taps, or a whole new kernel, and perhaps a bias. */
export interface Edit {
  uid: Uid;
  /** Flat C-order indices into (row, column, channel) and their new values. */
  taps?: { index: number[]; value: Num[] };
  bias?: Num;
}

/** Taps of one part of a separable filter, as flat indices: of all depthwise kernels, or of its own pointwise weights. */
export interface PartEdit {
  part: "depthwise" | "pointwise";
  index: number[];
  value: Num[];
}

/**
 * How the picture that an output shows without a widget gets into the notebook: the front end puts it there (`outputs`
 * messages), the host takes `update_display_data` without redrawing the widget, or neither.
 */
export type PictureWay = "keep" | "update" | "none";

/** The picture that excites a filter most, the stored images ranked by an edited filter, what a class's score rests on. */
export interface RunQuestion {
  what: "maximize" | "rank" | "attribution";
  uid?: Uid;
  /** Class and method of an attribution. */
  target?: number;
  method?: string;
}

/** A part of a picture: first row, row past the last, first column and column past the last. */
export type Part = [top: number, bottom: number, left: number, right: number];

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
  | { type: "rename"; uid: Uid; name: string; gesture?: string | null }
  | { type: "undo" | "redo" | "reset" }
  | {
      type: "set";
      name: SharedName | "_problem";
      value: unknown;
    }
  /** Layer settings, of the built-in layer or of a copy of the user's: any of Keras's own argument names. */
  | { type: "configure"; settings: Record<string, unknown> }
  /** Kernels and maps of filters, those on screen last: before them come some that are needed next. */
  | { type: "need"; uids: Uid[] }
  /**
   * Rows and columns of device pixels that a whole map has on screen: larger maps are sent at that size from then on.
   */
  | { type: "screen"; shape: [number, number] }
  /** A part of a map, reduced to at most `shape`. */
  | { type: "close_up"; uid: Uid; window: Part; shape: [number, number] }
  /** A part of the image at its full size. */
  | { type: "pixels"; window: Part }
  /** Keras's own float values at one output pixel. */
  | { type: "probe"; row: number; col: number; uids: Uid[] }
  | { type: "image"; shape: [number, number, number]; data: Uint8Array }
  /** Another latent vector: float32, as many numbers as the present one has. */
  | { type: "vector"; data: Uint8Array }
  /** Feed the layer the map of a filter, as it is now. */
  | { type: "use_map"; uid: Uid }
  /** Feed it again what it was fed this many maps earlier. */
  | { type: "leave_map"; steps: number }
  /** What a kernel does, in numbers; `channel` (0 unless given) is the plane that is looked at closely. */
  | { type: "diagnose"; uid: Uid; channel?: number }
  /** A program that computes what is shown. */
  | { type: "code"; framework: "keras" | "numpy" }
  /** The lens as a page that needs no Python. */
  | { type: "page" }
  /**
   * The model's output with the original and with the present weights. Answered at once with nothing, so that no edit
   * waits: the model runs in a thread of its own, and a `predictions` message follows. Ask when edits have settled; of
   * requests that pile up while the model runs only the newest is carried out, with the weights of that moment.
   */
  | { type: "predict" }
  /**
   * One channel of the model's output where it is a picture, of the prediction that was reported last: all of it, or a
   * part that is reduced to at most `shape`. Nothing comes where the weights have changed since: another `predictions`
   * message follows.
   */
  | { type: "output_maps"; channel: number; window?: Part | undefined; shape?: [number, number] | undefined }
  /** Keras's own float values of that output at one pixel. */
  | { type: "output_values"; channel: number; row: number; col: number }
  /**
   * One number per filter, to sort a gallery by; has Keras compute the maps that are missing (one call of the layer).
   * With a pixel, the maps' values there as well.
   */
  | { type: "stats"; pixel?: [number, number] | null }
  /** Least and greatest finite value of every filter's map of one stage; has Keras compute the maps that are missing. */
  | { type: "ranges"; stage: Stage }
  /** What the model's greatest score, before a last softmax, loses without the maps of some filters, one at a time. */
  | { type: "losses"; start: number; count: number }
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
  | { type: "factors"; uid: Uid; edit?: PartEdit; gesture?: string }
  /** What a survey holds of the images that excite a filter most. */
  | { type: "excited"; uid: Uid }
  /** Make a stored image the lens's own and pin its pixel; null goes back to what was shown before the first. */
  | { type: "show_excited"; filter: number | null; rank: number | null }
  /** Begin, check or stop what takes seconds, beside everything else; one of each kind runs at a time. */
  | ({ type: "run"; act: "start" | "look" | "stop" } & RunQuestion)
  /** Show the kernels of a snapshot (an index into `_training.snapshots`). Scrubbing in a row is one undo step. */
  | { type: "scrub"; index: number };

/** A request as it is sent: numbered, and named after the front end that sends it. */
export type Numbered = Request & { client: string; seq: number };

/** One (kh, kw) plane of a kernel. */
const planeDiagnostics = fields({
  channel: whole,
  sum: number,
  norm: number,
  rank: nullable(whole),
  separable: nullable(flag),
  /** vertical (kh) ⊗ horizontal (kw) is the nearest product of two 1-D filters; exact when separable. */
  vertical: nullable(list(number)),
  horizontal: nullable(list(number)),
  /** Share of the squared norm that this product misses, 0 to 1. */
  remaining: nullable(number),
  response: nullable(
    fields({
      /** Sides of the picture: rows fy, columns fx, from −1/2 cycle per pixel on, zero frequency at [rows / 2, cols / 2]. */
      shape: pair(whole),
      /** Greatest magnitude |H|; levels span 0 to max, as a map's do. */
      max: number,
      levels: bytes,
    }),
  ),
});
export type PlaneDiagnosticsRecord = Checked<typeof planeDiagnostics>;

/** What convlens.maths.diagnostics finds out about one kernel; null where values that are not finite forbid an answer. */
const diagnostics = fields({
  uid: whole,
  /** The kernel's rev that these numbers belong to. */
  rev: whole,
  /** Of all taps: the gain at zero frequency, and the Euclidean norm. */
  sum: number,
  norm: number,
  /** Under a turn by 180°. A kernel of zeros counts as symmetric. */
  symmetry: nullable(oneOf("symmetric", "antisymmetric", "neither")),
  left_right: nullable(flag),
  up_down: nullable(flag),
  /** Rank of each (kh, kw) plane. */
  ranks: list(nullable(whole)),
  /** A sentence on why something could not be found out, or "". */
  note: text,
  plane: planeDiagnostics,
});
export type DiagnosticsRecord = Checked<typeof diagnostics>;

/** What part of the input image an output pixel may depend on, through all layers of the model before its own. */
const field = fields({
  /** First and last row and column, in pixels of the image and beyond it, in the padding; null where that is not known. */
  rows: nullable(pair(whole)),
  cols: nullable(pair(whole)),
  /** Rows and columns of the image among them that are read, in order; null where there are none. */
  inside: nullable(pair(list(whole))),
  /** A sentence: why it is not known, or what it relies on; else empty. */
  note: text,
});
export type FieldRecord = Checked<typeof field>;

const patch = fields({
  /** Input rows and columns that the kernel's rows and columns read; those outside the input lie in the padding. */
  rows: list(whole),
  cols: list(whole),
  /** float32, C order (row, column, channel) as the kernel, 0 in the padding. */
  values: bytes,
  field,
});

/** One plane in 8 bits; range, levels and flags are those of a map (`mapRecord`). */
const plane = fields({
  /** Rows and columns. */
  shape: pair(whole),
  range: pair(number),
  levels: bytes,
  flags: nullable(bytes),
});
export type PictureRecord = Checked<typeof plane>;

/** One float32 per filter each, in list order; NaN where the maps are. */
const stats = fields({
  /** Mean square of the activation map. */
  energy: bytes,
  /** Share of exact zeros in the activation map, 0 to 1. */
  dead: bytes,
  /** Euclidean norm of the kernel. */
  norm: bytes,
  /** The activation map's value at the requested pixel. */
  pixel: optional(bytes),
});

/** float32, one per requested filter, and the class of the score. */
const losses = fields({ values: bytes, target: whole });

const deep = fields({
  uid: whole,
  /** The weights' rev that all of this belongs to. */
  rev: whole,
  /** float32, rows × cols of the map, row-major, as Keras computed it. */
  pre_activation: bytes,
  /** float32, rows × cols of the layer's input, row-major, each. */
  planes: list(fields({ channel: whole, data: bytes })),
  /**
   * float32, one per kernel plane: ‖kernel plane‖ × root mean square of the input plane that it reads. It bounds what
   * the plane adds to the pre-activation, and orders the planes.
   */
  contribution: bytes,
});

/** An image that a survey stored: place in the list of a filter, what it is ranked by, and what the pixel reads of it. */
const excitation = fields({
  filter: whole,
  rank: whole,
  /** Its id in the data set. */
  image: text,
  value: number,
  pixel: pair(whole),
  /** PNG. */
  picture: bytes,
  /** What the height of its curves spans, where it is a signal. */
  range: optional(pair(number)),
});
export type ExcitationRecord = Checked<typeof excitation>;

/**
 * Best first; none where the layer was not surveyed. `original` and `bias` are the model's own weights, float32;
 * `current` is whether all of the model's weights are those that ranked the images.
 */
const excited = fields({ uid: whole, original: bytes, bias: number, current: flag, best: list(excitation) });
export type ExcitedRecord = Checked<typeof excited>;

/** How far a run is. */
const run = fields({
  running: flag,
  error: optional(text),
  /** Maximize: steps done and in all, the activation, the picture so far as PNG. */
  step: optional(whole),
  steps: optional(whole),
  activation: optional(number),
  picture: optional(bytes),
  /** What the height of its curves spans, where it is a signal. */
  range: optional(pair(number)),
  /** Rank. */
  best: optional(list(excitation)),
  /** Attribution: the greatest value of both maps, which begin at 0, and the maps as PNG with opacity. */
  most: optional(number),
  before: optional(bytes),
  after: optional(bytes),
});
export type RunRecord = Checked<typeof run>;

/** `rev` is that of the weights; no map as long as Keras has none. */
const closeUp = fields({ rev: whole, map: nullable(mapRecord) });

/** One channel of an output of `size` rows and columns, before and after the edits, and after minus before. */
const outputMaps = fields({
  channel: whole,
  size: pair(whole),
  before: mapRecord,
  after: mapRecord,
  difference: mapRecord,
  /** Of a saved page: all of before, then of after, as float32, where the output is small. */
  values: optional(bytes),
});
export type OutputMapsRecord = Checked<typeof outputMaps>;

/** What was given, what was expected, how to mend it. */
const error = optional(fields({ title: text, text }));

/**
 * Every request gets exactly one answer, to the client that asked, by number. A request that is sent again, with its number,
 * is carried out once and answered each time. What it requested is in the field of its name.
 */
const answer = fields({
  client: text,
  seq: whole,
  ok: flag,
  /** When not ok. */
  error,
  /** Hello: the widget's id, which a Python restarted in between does not know. */
  model: optional(text),
  /** Probe: both stages by uid, at the requested pixel, and the weights' rev they belong to. */
  values: optional(list(fields({ uid: whole, rev: whole, activation: number, pre_activation: number }))),
  /** Diagnose. */
  diagnostics: optional(diagnostics),
  /** Code: the program's source. */
  code: optional(text),
  /** Page: a file of HTML. */
  page: optional(bytes),
  stats: optional(stats),
  /** float32, two per filter, in list order; [0, 0] where a map holds nothing finite. */
  ranges: optional(bytes),
  losses: optional(losses),
  deep: optional(deep),
  patch: optional(patch),
  plane: optional(plane),
  close_up: optional(closeUp),
  output_maps: optional(outputMaps),
  /** Before and after. */
  output_values: optional(pair(number)),
  /** In the dtype of the image's record. */
  pixels: optional(bytes),
  factors: optional(factors),
  excited: optional(excited),
  run: optional(run),
  /** Show_excited: whether there is an image to go back to. */
  replaced: optional(flag),
});

/**
 * float32 (classes,) each; null where the model's output is not one vector, and where the model was not run. One that
 * is a picture is requested by `output_maps`.
 */
const outputVectors = nullable(fields({ before: bytes, after: bytes }));

/** Trait `_saved`, of a page without Python alone: answers to what it cannot ask. */
export const savedAnswers = fields({
  /** What a layer inside a model is fed, where there was room: float32 (channels, rows, cols). */
  input: nullable(bytes),
  predictions: outputVectors,
  /** Channels of an output that is a picture, from the first on. */
  outputs: list(outputMaps),
  /** In the order of `_training.snapshots`; float32 (filters, kh, kw, channels) and (filters,), in list order. */
  snapshots: list(fields({ kernels: bytes, bias: bytes })),
  excited: list(excited),
  /** Sentences on what the page holds for previews, and on what there was no room for, or "". */
  held: text,
  left_out: text,
});
export type SavedAnswersRecord = Checked<typeof savedAnswers>;

/** To every client, when the model has run after a `predict`. */
const predictions = fields({
  /** The request that started it: later edits are not in it. */
  client: text,
  seq: whole,
  predictions: outputVectors,
  /** What the output is, where it is neither one vector nor a picture. */
  note: optional(text),
  error,
});

/** To front ends that announced `keep`: the MIME bundle that the lens's outputs have now. */
const outputs = fields({ data: record });

/** What Python sends, by type; `filters` comes alone after a change made in Python. */
const MESSAGES = { answer, predictions, outputs, filters: fields({}) };

/** What every message has. */
const common = fields({
  generation: whole,
  history,
  filters: list(filterRecord),
  /** Filters that changed and were not sent, because they are not on screen: the browser's copies are out of date. */
  outdated: optional(list(whole)),
  /** Counts a lens's messages from 1: a gap means that a message was lost. */
  serial: whole,
});

type Bodies = { [T in keyof typeof MESSAGES]: { type: T } & Checked<(typeof MESSAGES)[T]> };
export type Answer = Bodies["answer"];
export type PredictionsMessage = Bodies["predictions"];
/** A message after the check. */
export type Message = Bodies[keyof Bodies] & Checked<typeof common>;

/** Check a message from Python; null where it is not one of ours, an exception where it is ours and malformed. */
export function readMessage(content: unknown, buffers: readonly Bytes[]): Message | null {
  const type = (content as { type?: unknown } | null)?.type;
  if (typeof type !== "string" || !Object.hasOwn(MESSAGES, type)) return null;
  const message = unpack(content, buffers);
  const what = `the message "${type}"`;
  const body: Check<object> = MESSAGES[type as keyof typeof MESSAGES];
  return { type, ...common(message, what), ...body(message, what) } as Message;
}
