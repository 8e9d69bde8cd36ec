/** The last problem: found here, or sent by Python in the `_problem` trait. */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Problem } from "../protocol/records.ts";

export class Problems {
  readonly shown: ReadonlySignal<Problem | null>;
  readonly #here: Signal<Problem | null> = signal(null);
  readonly #told: Signal<Problem | null>;
  readonly #dismissed: Signal<number | null> = signal(null);
  #id = 0;

  constructor(told: Problem | null) {
    this.#told = signal(present(told));
    this.shown = computed(() => {
      const told = this.#told.value;
      return this.#here.value ?? (told && told.id !== this.#dismissed.value ? told : null);
    });
  }

  /** The browser's own have ids below zero. */
  report(title: string, text: string): void {
    this.#here.value = { id: --this.#id, title, text };
  }

  tell(problem: Problem | null): void {
    this.#told.value = present(problem);
  }

  /** True where Python must be told that its problem was read. */
  dismiss(): boolean {
    if (this.#here.peek()) {
      this.#here.value = null;
      return false;
    }
    const told = this.#told.peek();
    this.#dismissed.value = told?.id ?? null;
    return told !== null;
  }
}

/** Python's empty trait is an empty dictionary. */
function present(problem: Problem | null): Problem | null {
  return problem?.text ? problem : null;
}
