/** What a layer inside a model is fed: the patch under a kernel, and single channels, asked for when something reads them. */
import { type Signal, signal } from "@preact/signals";
import { insideOf, type Patch } from "../lens/explain.ts";
import type { FilterState } from "./filter-state.ts";
import type { Answer, PictureRecord, Request } from "./messages.ts";
import type { Roster } from "./roster.ts";
import { floatsOf } from "./wire.ts";

type Question = Extract<Request, { type: "patch" | "plane" }>;

/** What is kept of each kind, in bytes; what was asked for longest ago goes first. */
const MEMORY = 8 * 2 ** 20;

export class Patches {
  readonly #patches = new Map<string, Patch | Error>();
  readonly #planes = new Map<number, PictureRecord | Error>();
  /** Read by whoever waits for an answer. */
  readonly #answered: Signal<number> = signal(0);
  /** What is being asked for. */
  #asking: { question: Question; key: string; age: number } | null = null;
  /** What was read last and is not here: while one is asked for, the newest pixel and channel wait and no others. */
  readonly #wanted = new Map<Question["type"], { question: Question; key: string }>();
  /** Grows when what is kept belongs to another input. */
  #age = 0;

  constructor(
    private readonly roster: Roster,
    private readonly inquire: (question: Question) => Promise<Answer>,
  ) {}

  /** Null while the kernel is asked; an error with a sentence where it cannot say. */
  patch({ uid, firstChannel }: FilterState, row: number, col: number): Patch | Error | null {
    void this.#answered.value;
    const key = `${this.roster.state.value.generation}/${firstChannel}/${row}/${col}`;
    const known = this.#patches.get(key);
    if (!known) this.#want({ type: "patch", uid, row, col }, key);
    return known ?? null;
  }

  plane(channel: number): PictureRecord | Error | null {
    void this.#answered.value;
    const known = this.#planes.get(channel);
    if (!known) this.#want({ type: "plane", channel }, `${channel}`);
    return known ?? null;
  }

  /** The layer's input may be another one. */
  forget(): void {
    this.#age++;
    this.#patches.clear();
    this.#planes.clear();
    this.#wanted.clear();
    this.#answered.value++;
  }

  /** The kernel is there again: what could not be answered may be asked again. */
  retry(): void {
    for (const kept of [this.#patches, this.#planes] as Map<unknown, unknown>[]) {
      for (const [key, value] of kept) if (value instanceof Error) kept.delete(key);
    }
    this.#answered.value++;
  }

  #want(question: Question, key: string): void {
    const asking = this.#asking;
    // Its answer is on the way.
    if (asking?.question.type === question.type && asking.key === key && asking.age === this.#age) return;
    this.#wanted.set(question.type, { question, key });
    if (!this.#asking) queueMicrotask(() => void this.#ask());
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    for (;;) {
      const next = this.#wanted.values().next().value;
      if (!next) break;
      this.#wanted.delete(next.question.type);
      const age = this.#age;
      this.#asking = { ...next, age };
      const found = await this.#answer(next.question);
      this.#asking = null;
      if (age !== this.#age) continue;
      if (next.question.type === "patch") keep(this.#patches, next.key, found as Patch | Error);
      else keep(this.#planes, next.question.channel, found as PictureRecord | Error);
      this.#answered.value++;
    }
  }

  async #answer(question: Question): Promise<Patch | PictureRecord | Error> {
    try {
      const { patch, plane } = await this.inquire(question);
      if (question.type === "plane" && plane) return plane;
      if (question.type === "patch" && patch) {
        const { rows, cols, field } = patch;
        const inside = insideOf(this.roster.geometry, rows, cols);
        return { rows, cols, inside, values: floatsOf(patch.values), field };
      }
      return new Error("Python's answer holds nothing of the layer's input.");
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

function keep<K, V extends Patch | PictureRecord>(kept: Map<K, V | Error>, key: K, value: V | Error): void {
  kept.delete(key);
  kept.set(key, value);
  let bytes = [...kept.values()].reduce((sum, one) => sum + size(one), 0);
  for (const [oldest, one] of kept) {
    if (bytes <= MEMORY || oldest === key) return;
    bytes -= size(one);
    kept.delete(oldest);
  }
}

function size(one: Patch | PictureRecord | Error): number {
  if (one instanceof Error) return 0;
  return "values" in one ? one.values.byteLength : one.shape[0] * one.shape[1];
}
