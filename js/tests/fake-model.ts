/** An AFM model as a host passes it, with the parts of a host that a test needs to simulate. */
import type { AnyModel } from "@anywidget/types";
import type { Traits } from "../protocol/records.ts";

type Callback = (...args: unknown[]) => void;

/** What a front end sent, as the kernel sees it. */
export interface Sent {
  content: Record<string, unknown>;
  buffers: ArrayBuffer[];
}

export class FakeModel {
  readonly sent: Sent[] = [];
  /** Where a request goes; throws when there is no kernel. */
  deliver: (sent: Sent) => void = () => {};
  #listeners = new Map<string, Set<Callback>>();

  constructor(readonly traits: Traits) {}

  get<K extends keyof Traits>(name: K): Traits[K] {
    return this.traits[name];
  }

  /** Like Backbone: an equal value is no change, a new one is announced at once. */
  set<K extends keyof Traits>(name: K, value: Traits[K]): void {
    if (Object.is(this.traits[name], value)) return;
    this.traits[name] = value;
    this.trigger(`change:${name}`);
  }

  on(name: string, callback: Callback): void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(callback));
  }

  off(name?: string | null, callback?: Callback | null): void {
    if (!name) this.#listeners.clear();
    else if (!callback) this.#listeners.delete(name);
    else this.#listeners.get(name)?.delete(callback);
  }

  save_changes(): never {
    throw new Error("the browser never calls save_changes");
  }

  send(content: unknown, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void {
    for (const buffer of buffers) {
      if (!(buffer instanceof ArrayBuffer))
        throw new TypeError("a view was sent; some hosts send its whole buffer");
    }
    // What a host does: JSON there and back, so that nothing is shared.
    const sent = { content: JSON.parse(JSON.stringify(content)), buffers: buffers.map((b) => b.slice(0)) };
    this.sent.push(sent);
    this.deliver(sent);
  }

  trigger(name: string, ...args: unknown[]): void {
    for (const callback of [...(this.#listeners.get(name) ?? [])]) callback(...args);
  }

  /** Traits come from the kernel in one update: all are set, then all are announced. */
  receiveTraits(changes: Partial<Traits>): void {
    Object.assign(this.traits, changes);
    for (const name of Object.keys(changes)) this.trigger(`change:${name}`);
  }

  /** A custom message comes from the kernel. */
  receive(content: unknown, buffers: readonly ArrayBuffer[]): void {
    // Not at offset 0: a host's views start wherever its websocket frame had them.
    const views = buffers.map((buffer) => {
      const frame = new Uint8Array(buffer.byteLength + 3);
      frame.set(new Uint8Array(buffer), 3);
      return new DataView(frame.buffer, 3);
    });
    this.trigger("msg:custom", content, views);
  }

  listeners(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  /** The same model under the host's own type. */
  get afm(): AnyModel<Traits> {
    return this as unknown as AnyModel<Traits>;
  }
}
