/** The small traits that both sides set: shown at once here, decided by Python. */
import type { AnyModel } from "@anywidget/types";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  type SharedName as Name,
  SHARED_TRAITS,
  type SharedValues as Shared,
  type Traits,
} from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";

type SetRequest = Extract<Request, { type: "set" }>;

export const SHARED_NAMES = Object.keys(SHARED_TRAITS) as readonly Name[];

/** One trait. */
interface Entry {
  shown: Signal<unknown>;
  /** What Python last had: a refused value goes back to it. */
  confirmed: unknown;
  /** Whether Python sent a value since one was last chosen here. */
  heard: boolean;
}

export class SharedTraits {
  readonly #entries = new Map<Name, Entry>();
  /** The host's model is being set here, not by Python. */
  #showing = false;

  constructor(
    private readonly model: AnyModel<Traits>,
    /** Requests that Python has not answered yet. */
    private readonly queue: { readonly unanswered: readonly Request[] },
  ) {
    for (const name of SHARED_NAMES) {
      const value = this.#received(name);
      this.#entries.set(name, { shown: signal<unknown>(value), confirmed: value, heard: false });
    }
  }

  /** Of every trait, by name. */
  get signals(): { readonly [K in Name]: ReadonlySignal<Shared[K]> } {
    const entries = SHARED_NAMES.map((name) => [name, this.signal(name)] as const);
    return Object.fromEntries(entries) as { [K in Name]: ReadonlySignal<Shared[K]> };
  }

  signal<K extends Name>(name: K): ReadonlySignal<Shared[K]> {
    return this.#entry(name).shown as ReadonlySignal<Shared[K]>;
  }

  /**
   * Show a value that a person chose. It is set on the host's model too, so that a jslink follows, but not saved: Python is asked
   * by a request.
   */
  choose<K extends Name>(name: K, value: Shared[K]): SetRequest {
    this.#entry(name).heard = false;
    this.#show(name, value);
    return { type: "set", name, value };
  }

  /** The host's model has another value: Python's. It is shown, unless a choice made here is still unanswered. */
  read(name: Name): void {
    if (this.#showing) return;
    const entry = this.#entry(name);
    entry.confirmed = this.#received(name);
    entry.heard = true;
    if (!this.#waits(name)) entry.shown.value = entry.confirmed;
  }

  /**
   * Python answered a choice. If its value differs from the request's it has sent the trait; if not, the host's model had the value
   * already and announced nothing. A newer choice that is waiting stays on show.
   */
  answered(name: Name, value: unknown, ok: boolean): void {
    const entry = this.#entry(name);
    if (ok && !entry.heard) entry.confirmed = value;
    if (!this.#waits(name)) this.#show(name, entry.confirmed);
  }

  /** The host's value; a state that an older version saved may lack it, and a jslink may set anything. */
  #received(name: Name): unknown {
    const { check, fallback } = SHARED_TRAITS[name];
    const value: unknown = this.model.get(name);
    if (value === undefined) return fallback;
    try {
      return check(value, name);
    } catch (error) {
      console.warn(`convlens: ${(error as Error).message}`);
      return this.#entries.get(name)?.confirmed ?? fallback;
    }
  }

  #entry(name: Name): Entry {
    return this.#entries.get(name) as Entry;
  }

  #waits(name: Name): boolean {
    return this.queue.unanswered.some((request) => request.type === "set" && request.name === name);
  }

  #show(name: Name, value: unknown): void {
    const { shown } = this.#entry(name);
    if (JSON.stringify(shown.peek()) !== JSON.stringify(value)) shown.value = value;
    this.#showing = true;
    this.model.set(name, value as Traits[Name]);
    this.#showing = false;
  }
}
