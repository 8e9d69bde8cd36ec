/** Changes of one kernel's numbers, grouped into the steps that undo takes back. */
import { magnitude, snap, stepFor } from "../../maths/numbers.ts";
import type { EditableKernel } from "./editableKernel.ts";

/** Steps that share one undo step, and the values before them in case they turn out to be a typed number. */
interface StepRun {
  before: Map<number, number>;
  /** "-" or "" after a single press, when the next digit may still make it a number; null after more. */
  typed: string | null;
  time: number;
}

/** A minus sign and the digit after it belong together when they are pressed this close, in milliseconds. */
const TYPING_PAUSE = 1500;

export class KernelEdits {
  #run: StepRun | null = null;
  /** Values of the grabbed cells before they were grabbed. */
  #before: Map<number, number> | null = null;
  readonly #kernel: EditableKernel;
  readonly #selected: () => number[];

  /** `selected` returns the taps, as flat indices, that a change without a place of its own is for. */
  constructor(kernel: EditableKernel, selected: () => number[]) {
    this.#kernel = kernel;
    this.#selected = selected;
  }

  /** The present value of a tap. */
  value(index: number): number {
    return this.#kernel.values.peek()[index] ?? 0;
  }

  /** Step for this kernel's magnitude. */
  unit(): number {
    return stepFor(magnitude(this.#kernel.values.peek()));
  }

  /** Give taps new values; what is equal already is not sent. */
  set(taps: Iterable<readonly [index: number, value: number]>): void {
    const index: number[] = [];
    const value: number[] = [];
    for (const [i, raw] of taps) {
      const v = Math.fround(raw);
      if (!Object.is(this.value(i), v)) {
        index.push(i);
        value.push(v);
      }
    }
    if (index.length) this.#kernel.edit({ index, value });
  }

  fill(value: number): void {
    this.endRun();
    this.set(this.#selected().map((i) => [i, value]));
  }

  // -- steps ---------------------------------------------------------------------------------------

  /**
   * Change the selected cells by `count` steps. Steps that `join` the last ones are undone together with them.
   * `typed` is what the key would be as text.
   */
  step(count: number, join: boolean, time: number, typed: string | null = null): void {
    const unit = this.unit();
    if (join && this.#run) this.#run.typed = null;
    else {
      this.endRun();
      this.#run = { before: this.#values(this.#selected()), typed, time };
      this.#kernel.beginGesture();
    }
    // Rounding far below the step hides what float32 adds to decimals, and leaves 1/9 a ninth.
    this.set(this.#selected().map((i) => [i, snap(this.value(i) + count * unit, unit / 1e6)]));
  }

  /** The sign that a digit pressed now continues, taking back the step that its key made; "" if there is none. */
  typedSign(time: number): string {
    const run = this.#run;
    if (run?.typed == null || time - run.time > TYPING_PAUSE) {
      this.endRun();
      return "";
    }
    this.set(run.before);
    // The gesture stays open: sign and number together are one undo step.
    return run.typed;
  }

  /** Steps made from now on are another undo step. */
  endRun(): void {
    if (this.#run) this.#kernel.endGesture();
    this.#run = null;
  }

  // -- grabbing ------------------------------------------------------------------------------------

  /** Begin to drag, slide or paint. */
  grab(indices: readonly number[] = this.#selected()): void {
    this.endRun();
    this.#before = this.#values(indices);
    this.#kernel.beginGesture();
  }

  /** Values of the grabbed cells, `by` away from where they were and on multiples of `step`. */
  drag(by: number, step: number): void {
    const moved = (was: number) => (by ? snap((Number.isFinite(was) ? was : 0) + by, step) : was);
    this.set([...(this.#before ?? [])].map(([i, was]) => [i, moved(was)]));
  }

  /** Give the grabbed cells one value. */
  slide(value: number): void {
    this.set([...(this.#before?.keys() ?? [])].map((i) => [i, value]));
  }

  /** Grab one more cell, and give it a value. */
  paint(index: number, value: number): void {
    if (this.#before && !this.#before.has(index)) this.#before.set(index, this.value(index));
    this.set([[index, value]]);
  }

  /** End the gesture; cancelled, the cells go back to what they were. */
  release(cancel = false): void {
    if (!this.#before) return;
    if (cancel) this.set(this.#before);
    this.#before = null;
    this.#kernel.endGesture();
  }

  get grabbed(): boolean {
    return this.#before !== null;
  }

  #values(indices: readonly number[]): Map<number, number> {
    return new Map(indices.map((i) => [i, this.value(i)]));
  }
}
