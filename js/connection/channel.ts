/** The line to the kernel: requests out through the gate, messages in, and how the line is. */
import type { AnyModel } from "@anywidget/types";
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Gone } from "./connection.ts";
import { Gate, type GateState } from "./gate.ts";
import { Host } from "./host.ts";
import type { Link } from "./lens.ts";
import type { Answer, Request } from "./messages.ts";
import type { Schedule } from "./schedule.ts";
import type { Bytes, Traits } from "./types.ts";
import { type CheckedMessage, readMessage } from "./wire.ts";

const LINKS: Record<GateState, Link> = { idle: "idle", sending: "sending", late: "busy", closed: "offline" };

export interface UplinkEvents {
  /** The answer to a request of ours; its records come by `message` right after. */
  answered(request: Request, answer: Answer & CheckedMessage): void;
  message(message: CheckedMessage): void;
  /** There is no kernel (any more). */
  lost(): void;
  /** There is one again. */
  found(): void;
  /** Messages from the kernel were missed, or may have been. */
  missed(): void;
  /** A message that cannot be read. */
  garbled(error: unknown): void;
}

export class Uplink {
  readonly link: ReadonlySignal<Link>;
  /** Why there is no kernel, where the host says so. */
  readonly gone: ReadonlySignal<Gone>;
  readonly host: Host;
  /** One front end's name; no secure context is needed for it. */
  readonly client = Math.random().toString(36).slice(2);
  readonly #gate: Gate;
  readonly #state: Signal<GateState> = signal("idle");
  /** Of the newest message. */
  #serial: number | null = null;

  constructor(
    model: AnyModel<Traits>,
    schedule: Schedule,
    private readonly events: UplinkEvents,
  ) {
    this.host = new Host(model, { lost: () => this.#gate.close(), back: () => this.#back() });
    const { connection } = this.host;
    this.gone = connection.gone;
    this.link = computed(() => {
      const link = LINKS[this.#state.value];
      return link === "offline" || connection.up.value ? link : "disconnected";
    });
    this.#gate = new Gate(
      (request, seq) => this.host.send({ ...request, client: this.client, seq }),
      schedule,
      (state) => this.#become(state),
      () => connection.up.peek() && !connection.busy,
    );
    this.host.on("msg:custom", (content: unknown, buffers?: readonly Bytes[]) =>
      this.#receive(content, buffers ?? []),
    );
  }

  get offline(): boolean {
    return this.#gate.state === "closed";
  }

  get unanswered(): readonly Request[] {
    return this.#gate.unanswered;
  }

  push(request: Request): void {
    this.#gate.push(request);
  }

  /** No more of what was pushed last is to come. */
  flush(): void {
    this.#gate.flush();
  }

  #become(state: GateState): void {
    const before = this.#state.peek();
    this.#state.value = state;
    if (state === "closed") this.events.lost();
    else if (before === "closed") this.events.found();
  }

  /** What was under way when the connection broke may have arrived or not. */
  #back(): void {
    this.#gate.again();
    this.events.missed();
  }

  #receive(content: unknown, buffers: readonly Bytes[]): void {
    let message: CheckedMessage | null;
    try {
      message = readMessage(content, buffers);
    } catch (error) {
      this.events.garbled(error);
      return;
    }
    if (!message) return;
    const read = message;
    const expected = this.#serial === null ? read.serial : this.#serial + 1;
    // What was overtaken by a newer message must not be taken for the present state.
    const late = read.serial < expected;
    if (!late) this.#serial = read.serial;
    batch(() => {
      this.#gate.open();
      if (read.type === "answer" && read.client === this.client) {
        const request = this.#gate.answered(read.seq);
        if (read.model) this.host.connection.id = read.model;
        if (request) this.events.answered(request, read);
      }
      if (!late) this.events.message(read);
      if (read.serial > expected) this.events.missed();
    });
    this.#gate.resume();
  }
}
