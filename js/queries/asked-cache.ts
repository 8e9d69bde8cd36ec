/** What is requested from Python by key: requested once, kept up to a limit, and forgotten together. */
import { type Signal, signal } from "@preact/signals";

/** The place of an answer that is on its way; it ignores the answer once the cache was cleared. */
export interface Slot<Value> {
  readonly forgotten: boolean;
  keep(value: Value): void;
  /** There is no answer: the key may be requested again. */
  release(): void;
}

export class AskedCache<Key, Value> {
  /** Oldest first. */
  readonly #values = new Map<Key, Value>();
  #onTheWay = new Set<Key>();
  /** Of all that is kept. */
  #size = 0;
  /** Read by whoever waits for an answer. */
  readonly #changed: Signal<number> = signal(0);

  /** The sizes of what is kept add up to `limit` at most, but the newest is always kept; a size is 1 by default. */
  constructor(
    private readonly limit: number,
    private readonly sizeOf: (value: Value) => number = () => 1,
  ) {}

  /** The value, if it is here; an effect that reads it runs again when an answer comes. */
  read(key: Key): Value | undefined {
    void this.#changed.value;
    return this.#values.get(key);
  }

  peek(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  keys(): IterableIterator<Key> {
    return this.#values.keys();
  }

  isOnTheWay(key: Key): boolean {
    return this.#onTheWay.has(key);
  }

  /** The slot for the answer; null where the value is here or on its way, so that nothing is to be asked. */
  ask(key: Key): Slot<Value> | null {
    return this.#values.has(key) ? null : this.askAgain(key);
  }

  /** As `ask`, for a value that is out of date: it stays until the new one is here. */
  askAgain(key: Key): Slot<Value> | null {
    const asked = this.#onTheWay;
    if (asked.has(key)) return null;
    asked.add(key);
    const isForgotten = () => this.#onTheWay !== asked;
    return {
      get forgotten() {
        return isForgotten();
      },
      keep: (value) => {
        if (!isForgotten()) this.keep(key, value);
      },
      release: () => void asked.delete(key),
    };
  }

  keep(key: Key, value: Value): void {
    this.#onTheWay.delete(key);
    this.#drop(key);
    this.#values.set(key, value);
    this.#size += this.sizeOf(value);
    for (const oldest of this.#values.keys()) {
      if (this.#size <= this.limit || oldest === key) break;
      this.#drop(oldest);
    }
    this.#changed.value++;
  }

  /** What was requested, and what is kept and `failed`, may be requested again. */
  retry(failed: (value: Value) => boolean = () => false, which: (key: Key) => boolean = () => true): void {
    for (const key of this.#onTheWay) if (which(key)) this.#onTheWay.delete(key);
    for (const [key, value] of this.#values) if (failed(value)) this.#drop(key);
    this.#changed.value++;
  }

  /** What is kept or on its way is out of date. */
  forget(): void {
    this.#values.clear();
    this.#size = 0;
    this.#onTheWay = new Set();
    this.#changed.value++;
  }

  #drop(key: Key): void {
    const value = this.#values.get(key);
    if (value !== undefined) this.#size -= this.sizeOf(value);
    this.#values.delete(key);
  }
}
