/** Keras's own values at single pixels: requested when something reads them, kept while they hold. */
import type { Answer } from "../protocol/messages.ts";
import type { Uid } from "../protocol/records.ts";
import type { Line } from "./ask.ts";
import { AskedCache } from "./asked-cache.ts";

export interface PixelValue {
  activation: number;
  pre_activation: number;
}

const MOST = 4096;

export class PixelValues {
  readonly #values = new AskedCache<string, PixelValue>(MOST);
  /** What this task has read, by pixel. */
  #wanted = new Map<string, { row: number; col: number; uids: Set<Uid> }>();

  constructor(private readonly channel: Pick<Line, "push">) {}

  /** Keras's values for these weights (`rev`), or null; then they are requested, and the caller's effect runs again. */
  read(uid: Uid, rev: number, generation: number, row: number, col: number): PixelValue | null {
    const key = keyOf(generation, uid, rev, row, col);
    const value = this.#values.read(key);
    if (value || !this.#values.ask(key)) return value ?? null;
    if (this.#wanted.size === 0) queueMicrotask(() => this.#send());
    const pixel = `${row}/${col}`;
    const wanted = this.#wanted.get(pixel) ?? { row, col, uids: new Set() };
    wanted.uids.add(uid);
    this.#wanted.set(pixel, wanted);
    return null;
  }

  /** The values of one pixel. Requests for other pixels may have been dropped from the queue: they may be asked again. */
  answer(answer: Answer, generation: number, row: number, col: number): void {
    for (const { uid, rev, activation, pre_activation } of answer.values ?? []) {
      const value = { activation: Number(activation), pre_activation: Number(pre_activation) };
      this.#values.keep(keyOf(generation, uid, rev, row, col), value);
    }
    const here = `/${row}/${col}`;
    this.#values.retry(undefined, (key) => !key.endsWith(here));
  }

  /** What could not be answered may be asked again: Keras has loaded now. */
  retry(): void {
    this.#values.retry();
  }

  #send(): void {
    const wanted = [...this.#wanted.values()];
    this.#wanted.clear();
    // One request for all filters that were read at one pixel within one task.
    for (const { row, col, uids } of wanted) this.channel.push({ type: "probe", row, col, uids: [...uids] });
  }
}

function keyOf(generation: number, uid: Uid, rev: number, row: number, col: number): string {
  return `${generation}/${uid}/${rev}/${row}/${col}`;
}
