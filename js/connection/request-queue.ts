/**
 * One request in flight, and those that wait behind it merged so that the newest value wins. A pure state machine: the clock and
 * `send` are given to it.
 *
 * A request, or its answer, may be lost on the way. So it is sent again, with its number, until it is answered: Python carries
 * a number out once, however often it comes.
 *
 * Requests leave in the order in which they came. What may be merged without anyone seeing a difference is merged:
 *
 * - edits and replacements of one gesture, so that a drag is one undo step and waits as one request; edits of one part of a
 *   separable layer's filter likewise;
 * - two `set` of one name, two `probe`, two `need`;
 * - two `scrub` in a row, and two `hello`, of which the newer knows more;
 * - two `vector`, wherever they stand: the newer one has all numbers, and is no step of history.
 *
 * Nothing is merged across a request that changes the list, the layer, the image or the history.
 */

import type { Request } from "../protocol/requests.ts";
import {
  isPartEdit,
  mergeParts,
  mergeWeights,
  type PartEditRequest,
  samePart,
  type WeightRequest,
} from "./merge-edits.ts";

export interface Clock {
  /** Call back after this many milliseconds; the result cancels. */
  after(milliseconds: number, callback: () => void): () => void;
}

export type QueueState = "idle" | "sending" | "late" | "closed";

/** When an answer takes longer, Python is busy. */
export const LATE_MS = 400;
/** An answer that takes this long may be lost; each time that it is requested again, the wait doubles. */
export const LOST_MS = 3000;
export const MOST_LOST_MS = 48_000;
/** About a frame: weights wait this long for the next move of a drag that goes on. */
export const GATHER_MS = 16;
/** Gestures that may wait. Beyond that, the two oldest adjacent ones become one undo step; no value is lost. */
export const MOST_WAITING = 64;

const isWeights = (request: Request): request is WeightRequest =>
  request.type === "edit" || request.type === "replace";
/** What changes neither the list nor the layer, the image or the history. */
const PASS = new Set<Request["type"]>([
  "edit",
  "replace",
  "set",
  "need",
  "probe",
  "predict",
  "output_maps",
  "output_values",
  "stats",
  "ranges",
  "losses",
  "deep",
  "patch",
  "plane",
  "screen",
  "close_up",
  "pixels",
  "excited",
  "run",
]);
const passes = (request: Request) =>
  request.type === "factors"
    ? !isPartEdit(request)
    : PASS.has(request.type) && !(request.type === "set" && request.name === "layer_path");
/** The gesture that changes weights by this request. */
const gestureOf = (request: Request) => (isWeights(request) || isPartEdit(request) ? request.gesture : null);

export class RequestQueue {
  #queue: Request[] = [];
  #flying: { seq: number; request: Request } | null = null;
  #seq = 0;
  #state: QueueState = "idle";
  /** Gesture of the weights that were answered last. */
  #gesture: string | null = null;
  #cancel: () => void = () => {};
  #cancelAgain: () => void = () => {};
  /** Cancels waiting for the gesture's next move. */
  #gathering: (() => void) | null = null;

  /**
   * `send` throws where Python is not connected: then the queue closes and forgets what waited.
   * `onState` is called at every change of state.
   * `expects` says whether Python, as far as is known, could have answered: not while it runs a cell.
   */
  constructor(
    private readonly send: (request: Request, seq: number) => void,
    private readonly clock: Clock,
    private readonly onState: (state: QueueState) => void,
    private readonly expects: () => boolean = () => true,
  ) {}

  get state(): QueueState {
    return this.#state;
  }

  /** What Python has not answered, oldest first: the one in flight, then those that wait. */
  get unanswered(): readonly Request[] {
    return this.#flying ? [this.#flying.request, ...this.#queue] : this.#queue;
  }

  push(request: Request): void {
    if (this.#state === "closed") return;
    this.#merge(request);
    this.#next();
  }

  /** Take the answer to request `seq` and send what waits. Null where that is not the request in flight. */
  answered(seq: number): Request | null {
    if (this.#flying?.seq !== seq) return null;
    const { request } = this.#flying;
    this.#flying = null;
    this.#gesture = gestureOf(request);
    this.#settle();
    return request;
  }

  /** The request in flight may be lost: send it again now. */
  again(): void {
    this.#cancelAgain();
    if (this.#sent()) this.#listen(LOST_MS);
  }

  /**
   * Send what waits; apart from `answered`, so that an answer can be processed before the next request leaves. During a drag
   * that moves faster than Python answers, what waits leaves with the next move, and the page has the time until then for its
   * frame.
   */
  resume(): void {
    const next = this.#queue[0];
    const gesture = next ? gestureOf(next) : null;
    if (this.#flying || gesture === null || gesture !== this.#gesture) this.#next();
    else this.#gathering ??= this.clock.after(GATHER_MS, () => this.#next());
  }

  /** The gesture ended: what waits need not wait for its next move. */
  flush(): void {
    this.#next();
  }

  /** Python is not connected (any more): nothing leaves, nothing waits. */
  close(): void {
    this.#settle();
    this.#gathering?.();
    this.#gathering = null;
    this.#queue = [];
    this.#flying = null;
    this.#become("closed");
  }

  /** Python is connected again. */
  open(): void {
    if (this.#state === "closed") this.#become("idle");
  }

  #next(): void {
    this.#gathering?.();
    this.#gathering = null;
    if (this.#flying || this.#state === "closed") return;
    const request = this.#queue.shift();
    if (!request) {
      this.#become("idle");
      return;
    }
    const seq = ++this.#seq;
    this.#flying = { seq, request };
    if (!this.#sent()) return;
    this.#become("sending");
    this.#cancel = this.clock.after(LATE_MS, () => this.#become("late"));
    this.#listen(LOST_MS);
  }

  /** Send what is in flight; returns whether it still is. */
  #sent(): boolean {
    const flying = this.#flying;
    if (!flying) return false;
    try {
      this.send(flying.request, flying.seq);
    } catch {
      this.close();
    }
    // An answer may have come before `send` returned.
    return this.#flying === flying;
  }

  /** Wait this long for the answer, then ask again; while a cell runs there is none, and no reason to ask. */
  #listen(patience: number): void {
    this.#cancelAgain = this.clock.after(patience, () => {
      if (!this.expects()) this.#listen(patience);
      else if (this.#sent()) this.#listen(Math.min(2 * patience, MOST_LOST_MS));
    });
  }

  #settle(): void {
    this.#cancel();
    this.#cancelAgain();
  }

  #become(state: QueueState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.onState(state);
  }

  #merge(request: Request): void {
    const queue = this.#queue;
    if (request.type === "probe" || request.type === "need") {
      const at = queue.findIndex(({ type }) => type === request.type);
      const waiting = queue[at];
      if (waiting?.type === "need" && request.type === "need") {
        queue[at] = { type: "need", uids: [...new Set([...waiting.uids, ...request.uids])] };
      } else if (waiting) queue[at] = request;
      else queue.push(request);
      return;
    }
    if (request.type === "hello" || request.type === "vector")
      queue.splice(0, queue.length, ...queue.filter(({ type }) => type !== request.type));
    if (request.type === "scrub" && queue.at(-1)?.type === "scrub") queue.pop();
    // How far back merging may reach.
    let start = queue.length;
    while (start > 0 && passes(queue[start - 1] as Request)) start--;
    if (request.type === "set") {
      const at = queue.findIndex((r, i) => i >= start && r.type === "set" && r.name === request.name);
      if (at >= 0) queue[at] = request;
      else queue.push(request);
    } else if (isWeights(request)) this.#mergeWeights(request, start);
    else if (isPartEdit(request)) this.#mergePart(request, start);
    else queue.push(request);
  }

  #mergeWeights(request: WeightRequest, start: number): void {
    const queue = this.#queue;
    // Those of this gesture, as long as none of another gesture is between. They keep their place: otherwise a steady
    // stream of other requests could hold a drag back for ever.
    const same: WeightRequest[] = [];
    let place = queue.length;
    for (let i = queue.length - 1; i >= start; i--) {
      const waiting = queue[i] as Request;
      if (!isWeights(waiting)) continue;
      if (waiting.gesture !== request.gesture) break;
      same.unshift(waiting);
      queue.splice(i, 1);
      place = i;
    }
    queue.splice(place, 0, ...mergeWeights([...same, request]));
    if (queue.filter(isWeights).length > MOST_WAITING) this.#thin();
  }

  /** Join the edit of the same part in the same gesture, if only requests that read are between. */
  #mergePart(request: PartEditRequest, start: number): void {
    const queue = this.#queue;
    const before = queue[start - 1];
    if (before && isPartEdit(before) && samePart(before, request) && !queue.slice(start).some(isWeights)) {
      queue[start - 1] = mergeParts(before, request);
    } else queue.push(request);
  }

  /** Make one step of the two oldest consecutive gestures that nothing keeps apart. */
  #thin(): void {
    const queue = this.#queue;
    let older: number | null = null;
    for (let i = 0; i < queue.length; i++) {
      const request = queue[i] as Request;
      if (!passes(request)) older = null;
      if (!isWeights(request)) continue;
      if (older !== null) {
        const merged = mergeWeights([
          { ...(queue[older] as WeightRequest), gesture: request.gesture },
          request,
        ]);
        if (merged.length === 1) {
          queue.splice(i, 1);
          queue.splice(older, 1, ...merged);
          return;
        }
      }
      older = i;
    }
  }
}
