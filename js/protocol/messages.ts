/** What Python sends; the other side is src/convlens/protocol/record_types.py, and outbox.py sends it. */
import { type Bytes, unpack } from "./bytes.ts";
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
import { factors, filterRecord, history, mapRecord } from "./records.ts";

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
