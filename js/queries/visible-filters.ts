/** Which filters the kernel must send: those that something on the page draws and that are not here. */
import type { FilterState } from "./filter-state.ts";
import type { Schedule } from "./schedule.ts";
import type { Uid } from "./types.ts";

/** The kernel sends by itself what it takes for the first screen; what is still missing after so long is asked for. */
const PATIENCE_MS = 200;
/** Bytes of one request's answer; the rest is asked for when it is here, if it is still on screen. */
const MOST_BYTES = 512 * 1024;
/** As many filters the kernel takes for a screenful; of more it sends only a part. */
const MOST_FILTERS = 64;
/** Up to so many bytes an answer is filled with what comes on screen next: how often is what costs the page, not how much. */
const FULL_BYTES = 256 * 1024;

export interface NeedsEvents {
  /** What a filter lacks, as a word that changes with what it is asked for; null where it lacks nothing. */
  lacks(filter: FilterState): string | null;
  /** Whether all requests are answered. */
  idle(): boolean;
  /** Bytes of one filter's record. */
  size(): number;
  ask(uids: Uid[]): void;
}

export class Needs {
  readonly #watched = new Set<FilterState>();
  readonly #wanted = new Set<FilterState>();
  /** What comes on screen next if the page goes on as it does, the nearest first. */
  #next: readonly FilterState[] = [];
  /** What was asked for last, by filter: an answer without it is not asked for again. */
  readonly #asked = new WeakMap<FilterState, string>();
  #asking = false;
  #soon = false;
  #cancel: (() => void) | null = null;

  constructor(
    private readonly schedule: Schedule,
    private readonly events: NeedsEvents,
  ) {}

  /** Something on the page began to draw this filter. */
  watch(filter: FilterState): void {
    this.#watched.add(filter);
    this.#want(filter);
  }

  unwatch(filter: FilterState): void {
    this.#watched.delete(filter);
    this.#wanted.delete(filter);
  }

  /** These filters, the nearest first, come on screen next: they are asked for along with what is on screen. */
  expect(filters: readonly FilterState[]): void {
    this.#next = filters;
  }

  /** What is drawn may lack something now. */
  look(): void {
    this.#cancel ??= this.schedule.after(PATIENCE_MS, () => {
      this.#cancel = null;
      if (!this.events.idle()) this.look();
      else for (const filter of this.#watched) this.#want(filter);
    });
  }

  /** The kernel answered, or is gone. */
  answered(): void {
    this.#asking = false;
    this.#ask();
  }

  dispose(): void {
    this.#cancel?.();
    this.#watched.clear();
    this.#wanted.clear();
  }

  #want(filter: FilterState): void {
    const what = this.events.lacks(filter);
    if (what === null || this.#asked.get(filter) === what) return;
    this.#wanted.add(filter);
    if (this.#soon) return;
    this.#soon = true;
    // What comes on screen together is asked for together.
    queueMicrotask(() => {
      this.#soon = false;
      this.#ask();
    });
  }

  #ask(): void {
    if (this.#asking) return;
    const most = Math.max(4, Math.min(MOST_FILTERS, Math.floor(MOST_BYTES / this.events.size())));
    const uids: Uid[] = [];
    for (const filter of this.#wanted) {
      if (uids.length === most) break;
      this.#wanted.delete(filter);
      // Meanwhile it may have come by itself.
      if (this.#takes(filter)) uids.push(filter.uid);
    }
    if (uids.length === 0) return;
    this.#asking = true;
    // The kernel takes the last ones for what is on screen.
    this.events.ask([...this.#company(uids.length), ...uids]);
  }

  /** What an answer with so many filters is filled with. */
  #company(wanted: number): Uid[] {
    const room = Math.min(MOST_FILTERS, Math.floor(FULL_BYTES / this.events.size())) - wanted;
    const uids: Uid[] = [];
    for (const filter of this.#next) {
      if (uids.length >= room) break;
      if (this.#takes(filter)) uids.push(filter.uid);
    }
    return uids;
  }

  /** Note that a filter is asked for, where it lacks something. */
  #takes(filter: FilterState): boolean {
    const what = this.events.lacks(filter);
    if (what === null || this.#asked.get(filter) === what) return false;
    this.#asked.set(filter, what);
    return true;
  }
}
