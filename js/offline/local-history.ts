/** Undo, redo and reset while Python is not connected. */
import type { History } from "../protocol/records.ts";
import type { LensDocument } from "./local-edits.ts";

/** Steps that can be undone, as many as Python keeps. */
const LIMIT = 200;

/** Undo, redo and reset over documents, with Python's meaning of a gesture. */
export class LocalHistory {
  #past: LensDocument[] = [];
  #future: LensDocument[] = [];
  #gesture: string | null = null;

  constructor(private readonly initial: LensDocument) {}

  get counts(): History {
    return { undo: this.#past.length, redo: this.#future.length };
  }

  /** This gesture is about to change `before`. */
  push(before: LensDocument, gesture: string | null): void {
    if (gesture === null || gesture !== this.#gesture) this.#past = [...this.#past.slice(1 - LIMIT), before];
    this.#gesture = gesture;
    this.#future = [];
  }

  /** The document to show instead of `present`, or null where there is none. */
  travel(step: "undo" | "redo" | "reset", present: LensDocument): LensDocument | null {
    if (step === "reset") {
      this.push(present, null);
      return this.initial;
    }
    const [from, to] = step === "undo" ? [this.#past, this.#future] : [this.#future, this.#past];
    const target = from.pop();
    if (!target) return null;
    to.push(present);
    this.#gesture = null;
    return target;
  }
}
