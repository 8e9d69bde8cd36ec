/** The images that a survey holds for each filter: requested when something reads them, and kept. */
import { floatsOf } from "../protocol/bytes.ts";
import type { ExcitationRecord } from "../protocol/messages.ts";
import type { Uid } from "../protocol/records.ts";
import { type Asker, errorOf } from "./ask.ts";
import { AskedCache } from "./asked-cache.ts";

export interface Excited {
  best: readonly ExcitationRecord[];
  /** The model's own weights of the filter. */
  original: { kernel: Float32Array; bias: number };
  /** Whether the model still has the weights that ranked the images. */
  current: boolean;
}

/** Filters whose images are kept. */
const MOST = 128;

export class Excitations {
  readonly #found = new AskedCache<Uid, Excited | Error>(MOST);

  constructor(private readonly queries: Asker) {}

  /** Null while Python is asked. */
  read(uid: Uid): Excited | Error | null {
    const known = this.#found.read(uid);
    if (known === undefined) queueMicrotask(() => void this.#ask(uid));
    return known ?? null;
  }

  /** The survey was replaced. */
  forget(): void {
    this.#found.forget();
  }

  /** What could not be answered may be requested again. */
  retry(): void {
    this.#found.retry((value) => value instanceof Error);
  }

  async #ask(uid: Uid): Promise<void> {
    const slot = this.#found.ask(uid);
    if (!slot) return;
    try {
      const { excited } = await this.queries.ask({ type: "excited", uid });
      if (!excited) throw new Error("Python's answer holds no images.");
      const { best, original, bias, current } = excited;
      slot.keep({ best, original: { kernel: floatsOf(original), bias }, current });
    } catch (error) {
      slot.keep(errorOf(error));
    }
  }
}
