/**
 * What the browser requests from Python; the other side is src/convlens/protocol/request_types.py, and requests.py and
 * queries.py carry it out.
 */
import type { Num } from "./bytes.ts";
import type { SharedName, Stage, Uid } from "./records.ts";

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
  /** What the model's greatest score, before a final softmax, loses without the maps of some filters, one at a time. */
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
