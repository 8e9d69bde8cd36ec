/**
 * What a layer inside a model is fed: the patch under a kernel, and single channels, requested when something reads
 * them.
 */
import type { ReadonlySignal } from "@preact/signals";
import { insideOf, type Patch } from "../maths/explanation.ts";
import { floatsOf } from "../protocol/bytes.ts";
import type { PictureRecord } from "../protocol/messages.ts";
import type { LensState, Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { type Asker, errorOf } from "./ask.ts";
import { AskedCache, type Slot } from "./asked-cache.ts";

type Question = Extract<Request, { type: "patch" | "plane" }>;
type Found = Patch | PictureRecord;

/** What is kept of each kind, in bytes. */
const MEMORY = 8 * 2 ** 20;

/** The next question, and the place of its answer. */
interface Wanted {
  question: Question;
  begin: () => Slot<Found | Error> | null;
}

export class LayerInput {
  readonly #patches = new AskedCache<string, Patch | Error>(MEMORY, bytesIn);
  readonly #planes = new AskedCache<number, PictureRecord | Error>(MEMORY, bytesIn);
  /** What was read last and is not here: while one is requested, only the newest pixel and channel wait. */
  readonly #wanted = new Map<Question["type"], Wanted>();
  #asking = false;

  constructor(
    private readonly state: ReadonlySignal<LensState>,
    private readonly queries: Asker,
  ) {}

  /** Null while Python is asked; an error with a sentence where it cannot answer. */
  patch(
    { uid, firstChannel }: { uid: Uid; firstChannel: number },
    row: number,
    col: number,
  ): Patch | Error | null {
    const key = `${this.state.value.generation}/${firstChannel}/${row}/${col}`;
    return this.#read(this.#patches, key, { type: "patch", uid, row, col });
  }

  plane(channel: number): PictureRecord | Error | null {
    return this.#read(this.#planes, channel, { type: "plane", channel });
  }

  /** The layer's input may have changed. */
  forget(): void {
    this.#patches.forget();
    this.#planes.forget();
    this.#wanted.clear();
  }

  /** Python is back: what could not be answered may be asked again. */
  retry(): void {
    const failed = (value: unknown) => value instanceof Error;
    this.#patches.retry(failed, () => false);
    this.#planes.retry(failed, () => false);
  }

  #read<Key, Value extends Found>(
    cache: AskedCache<Key, Value | Error>,
    key: Key,
    question: Question,
  ): Value | Error | null {
    const known = cache.read(key);
    if (known) return known;
    if (!cache.isOnTheWay(key)) {
      this.#wanted.set(question.type, {
        question,
        begin: () => cache.ask(key) as Slot<Found | Error> | null,
      });
      if (!this.#asking) queueMicrotask(() => void this.#askNext());
    }
    return null;
  }

  async #askNext(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    for (let next = this.#next(); next; next = this.#next()) {
      this.#wanted.delete(next.question.type);
      next.begin()?.keep(await this.#answer(next.question));
    }
    this.#asking = false;
  }

  #next(): Wanted | undefined {
    return this.#wanted.values().next().value;
  }

  async #answer(question: Question): Promise<Found | Error> {
    try {
      const { patch, plane } = await this.queries.ask(question);
      if (question.type === "plane" && plane) return plane;
      if (question.type === "patch" && patch) {
        const { rows, cols, field } = patch;
        const inside = insideOf(this.state.peek().geometry, rows, cols);
        return { rows, cols, inside, values: floatsOf(patch.values), field };
      }
      return new Error("Python's answer holds nothing of the layer's input.");
    } catch (error) {
      return errorOf(error);
    }
  }
}

function bytesIn(one: Found | Error): number {
  if (one instanceof Error) return 0;
  return "values" in one ? one.values.byteLength : one.shape[0] * one.shape[1];
}
