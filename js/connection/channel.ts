/** The channel to Python: requests out by the queue, messages in, and the state of the connection. */
import type { AnyModel } from "@anywidget/types";
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Bytes } from "../protocol/bytes.ts";
import type { Answer } from "../protocol/messages.ts";
import { type Message, readMessage } from "../protocol/messages.ts";
import type { Traits } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { Host } from "./host.ts";
import type { Gone } from "./jupyter-kernel.ts";
import { type Clock, type QueueState, RequestQueue } from "./request-queue.ts";

/** State of the connection, in words. */
export type Link =
  /** Everything is answered. */
  | "idle"
  /** A message is on its way and not yet late. */
  | "sending"
  /** Python has not answered for a while: it runs a cell. */
  | "busy"
  /** The connection to Python broke; edits wait until it is back. */
  | "disconnected"
  /** There is no Python: a saved page, or it was stopped. */
  | "offline";

const LINKS: Record<QueueState, Link> = { idle: "idle", sending: "sending", late: "busy", closed: "offline" };

export interface ChannelEvents {
  /** The answer to a request of ours; its records come by `message` right after. */
  answered(request: Request, answer: Answer & Message): void;
  message(message: Message): void;
  /** Python is not connected (any more). */
  lost(): void;
  /** It is connected again. */
  found(): void;
  /** Messages from Python were missed, or may have been. */
  missed(): void;
  /** A message that cannot be read. */
  unreadable(error: unknown): void;
}

export class Channel {
  readonly link: ReadonlySignal<Link>;
  /** Why Python is gone, where the host says so. */
  readonly gone: ReadonlySignal<Gone>;
  readonly host: Host;
  /** One front end's name; no secure context is needed for it. */
  readonly client = Math.random().toString(36).slice(2);
  readonly #queue: RequestQueue;
  readonly #state: Signal<QueueState> = signal("idle");
  /** Number of the newest message. */
  #serial: number | null = null;

  constructor(
    model: AnyModel<Traits>,
    clock: Clock,
    private readonly events: ChannelEvents,
  ) {
    this.host = new Host(model, { lost: () => this.#queue.close(), back: () => this.#back() });
    const { python } = this.host;
    this.gone = python.gone;
    this.link = computed(() => {
      const link = LINKS[this.#state.value];
      return link === "offline" || python.up.value ? link : "disconnected";
    });
    this.#queue = new RequestQueue(
      (request, seq) => this.host.send({ ...request, client: this.client, seq }),
      clock,
      (state) => this.#become(state),
      () => python.up.peek() && !python.busy,
    );
    this.host.on("msg:custom", (content: unknown, buffers?: readonly Bytes[]) =>
      this.#receive(content, buffers ?? []),
    );
  }

  get offline(): boolean {
    return this.#queue.state === "closed";
  }

  get unanswered(): readonly Request[] {
    return this.#queue.unanswered;
  }

  push(request: Request): void {
    this.#queue.push(request);
  }

  /** The gesture that was pushed last has ended. */
  flush(): void {
    this.#queue.flush();
  }

  #become(state: QueueState): void {
    const before = this.#state.peek();
    this.#state.value = state;
    if (state === "closed") this.events.lost();
    else if (before === "closed") this.events.found();
  }

  /** What was under way when the connection broke may or may not have arrived. */
  #back(): void {
    this.#queue.again();
    this.events.missed();
  }

  #receive(content: unknown, buffers: readonly Bytes[]): void {
    let message: Message | null;
    try {
      message = readMessage(content, buffers);
    } catch (error) {
      this.events.unreadable(error);
      return;
    }
    if (!message) return;
    const read = message;
    const expected = this.#serial === null ? read.serial : this.#serial + 1;
    // A message that a newer one overtook is not the present state.
    const late = read.serial < expected;
    if (!late) this.#serial = read.serial;
    batch(() => {
      this.#queue.open();
      if (read.type === "answer" && read.client === this.client) {
        const request = this.#queue.answered(read.seq);
        if (read.model) this.host.python.id = read.model;
        if (request) this.events.answered(request, read);
      }
      if (!late) this.events.message(read);
      if (read.serial > expected) this.events.missed();
    });
    this.#queue.resume();
  }
}
