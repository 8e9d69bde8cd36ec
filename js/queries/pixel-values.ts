/** Keras's own values at single pixels: asked for when something reads them, kept while they hold. */
import { signal } from "@preact/signals";
import type { Answer } from "./messages.ts";
import type { Uid } from "./types.ts";

export interface Value {
  activation: number;
  pre_activation: number;
}

const MOST = 4096;

export class Probes {
  readonly #values = new Map<string, Value>();
  /** Read by whoever waits for an answer. */
  readonly #answered = signal(0);
  /** Keys that were asked for and are not to be asked for again. */
  #asked = new Set<string>();
  /** What this task has read, by pixel. */
  #wanted = new Map<string, { row: number; col: number; uids: Set<Uid> }>();

  /** `ask` sends one request for all filters that were read at one pixel within one task. */
  constructor(private readonly ask: (row: number, col: number, uids: Uid[]) => void) {}

  /** Keras's values for these weights (`rev`), or null; then they are asked for, and the caller's effect runs again. */
  read(uid: Uid, rev: number, generation: number, row: number, col: number): Value | null {
    void this.#answered.value;
    const key = keyOf(generation, uid, rev, row, col);
    const value = this.#values.get(key);
    if (value || this.#asked.has(key)) return value ?? null;
    this.#asked.add(key);
    if (this.#wanted.size === 0) queueMicrotask(() => this.#send());
    const pixel = `${row}/${col}`;
    const wanted = this.#wanted.get(pixel) ?? { row, col, uids: new Set() };
    wanted.uids.add(uid);
    this.#wanted.set(pixel, wanted);
    return null;
  }

  /** What the kernel said of one pixel. Probes of other pixels may have been pushed out of the queue: they may be asked again. */
  answer(answer: Answer, generation: number, row: number, col: number): void {
    for (const { uid, rev, activation, pre_activation } of answer.values ?? []) {
      const key = keyOf(generation, uid, rev, row, col);
      this.#values.set(key, { activation: Number(activation), pre_activation: Number(pre_activation) });
    }
    for (const key of this.#values.keys()) {
      if (this.#values.size <= MOST) break;
      this.#values.delete(key);
    }
    const here = `/${row}/${col}`;
    this.#asked = new Set([...this.#asked].filter((key) => key.endsWith(here) && !this.#values.has(key)));
    this.#answered.value++;
  }

  /** What could not be answered may be asked again: Keras is there now. */
  retry(): void {
    this.#asked.clear();
    this.#answered.value++;
  }

  #send(): void {
    const wanted = [...this.#wanted.values()];
    this.#wanted.clear();
    for (const { row, col, uids } of wanted) this.ask(row, col, [...uids]);
  }
}

function keyOf(generation: number, uid: Uid, rev: number, row: number, col: number): string {
  return `${generation}/${uid}/${rev}/${row}/${col}`;
}
