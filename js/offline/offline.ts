/** The lens without a kernel: the list, its names and its history live on in the browser. */
import { batch } from "@preact/signals";
import { changed, type LensDocument, LocalHistory } from "./document.ts";
import type { Request } from "./messages.ts";
import type { Roster } from "./roster.ts";

export class Offline {
  readonly #history: LocalHistory;

  /** `onRestored` is called after filters were exchanged by undo, redo or reset, or by a change of the list. */
  constructor(
    private readonly roster: Roster,
    private readonly onRestored: () => void,
  ) {
    this.#history = new LocalHistory(this.#document());
    this.#tell();
  }

  /** An edit is about to change the filters in place. */
  beforeEdit(gesture: string): void {
    this.#history.push(this.#document(), gesture);
    this.#tell();
  }

  /** Carry a request out; false where it takes a kernel. Throws `Refused` where it cannot be done. */
  carryOut(request: Request): boolean {
    const present = this.#document();
    if (request.type === "undo" || request.type === "redo" || request.type === "reset") {
      this.#show(this.#history.travel(request.type, present));
      return true;
    }
    const next = changed(present, request);
    if (!next) return false;
    this.#history.push(present, "gesture" in request ? request.gesture : null);
    this.#show(next);
    return true;
  }

  #document(): LensDocument {
    const names = this.roster.names.peek();
    const filters = this.roster.list.peek().map((filter, index) => ({
      uid: filter.uid,
      name: names[index] ?? `Filter ${index + 1}`,
      ...filter.now,
    }));
    return { filters, geometry: this.roster.geometry };
  }

  #show(document: LensDocument | null): void {
    if (document) {
      batch(() => {
        const { filters, geometry } = document;
        const state = this.roster.state.peek();
        const order = filters.map(({ uid }) => uid);
        const generation = state.generation + 1;
        this.roster.setState(
          { ...state, generation, geometry, order },
          filters.map(({ name }) => name),
        );
        for (const { uid, kernel, bias } of filters) this.roster.get(uid)?.assign({ kernel, bias });
        this.onRestored();
      });
    }
    this.#tell();
  }

  #tell(): void {
    this.roster.history.value = this.#history.counts;
  }
}
