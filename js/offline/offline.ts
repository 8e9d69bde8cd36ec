/** The lens while Python is not connected: the browser itself changes the list, its names and its history. */
import { batch, type Signal } from "@preact/signals";
import type { Weights } from "../preview/full-preview.ts";
import type { Geometry, History, LensState, Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { changed, type LensDocument } from "./local-edits.ts";
import { LocalHistory } from "./local-history.ts";
import type { SavedAnswers } from "./saved-answers.ts";

interface OfflineFilter {
  readonly uid: Uid;
  readonly now: Weights;
  /** Take weights that the browser itself chose. */
  assign(weights: Weights): void;
}

/** What this reads and changes; state/filter-list.ts is the list. */
export interface OfflineList {
  readonly names: Signal<readonly string[]>;
  readonly list: Signal<readonly OfflineFilter[]>;
  readonly state: Signal<LensState>;
  readonly history: Signal<History>;
  readonly geometry: Geometry;
  get(uid: Uid): OfflineFilter | undefined;
  setState(state: LensState, names: readonly string[]): void;
}

export class Offline {
  readonly #history: LocalHistory;
  readonly #initial: LensDocument;

  /** `onRestored` is called after undo, redo, reset or a change of the list has replaced filters. */
  constructor(
    private readonly filters: OfflineList,
    private readonly onRestored: () => void,
    private readonly saved: SavedAnswers | null,
  ) {
    this.#initial = this.#document();
    this.#history = new LocalHistory(this.#initial);
    this.#showCounts();
  }

  /** An edit is about to change the filters in place. */
  beforeEdit(gesture: string): void {
    this.#history.push(this.#document(), gesture);
    this.#showCounts();
  }

  /** Carry a request out; false where it needs Python. Throws `Refused` where it cannot be done. */
  carryOut(request: Request): boolean {
    const present = this.#document();
    if (request.type === "undo" || request.type === "redo" || request.type === "reset") {
      this.#show(this.#history.travel(request.type, present));
      return true;
    }
    const scrub = request.type === "scrub";
    const next = scrub ? this.#scrubbed(request.index) : changed(present, request);
    if (!next) return false;
    // Scrubbing in a row is one step.
    this.#history.push(present, scrub ? "scrub" : ("gesture" in request && request.gesture) || null);
    this.#show(next);
    return true;
  }

  /** The filters that were saved, with the weights of a snapshot. */
  #scrubbed(index: number): LensDocument | null {
    const weights = this.saved?.snapshot(index);
    const filters = this.#initial.filters.map((filter, i) => ({ ...filter, ...weights?.[i] }));
    return weights ? { ...this.#initial, filters } : null;
  }

  #document(): LensDocument {
    const names = this.filters.names.peek();
    const filters = this.filters.list.peek().map((filter, index) => ({
      uid: filter.uid,
      name: names[index] ?? `Filter ${index + 1}`,
      ...filter.now,
    }));
    return { filters, geometry: this.filters.geometry };
  }

  #show(document: LensDocument | null): void {
    if (document) {
      batch(() => {
        const { filters, geometry } = document;
        const state = this.filters.state.peek();
        const order = filters.map(({ uid }) => uid);
        const generation = state.generation + 1;
        this.filters.setState(
          { ...state, generation, geometry, order },
          filters.map(({ name }) => name),
        );
        for (const { uid, kernel, bias } of filters) this.filters.get(uid)?.assign({ kernel, bias });
        this.onRestored();
      });
    }
    this.#showCounts();
  }

  #showCounts(): void {
    this.filters.history.value = this.#history.counts;
  }
}
