/** Which filters Python must send: those that something on the page draws and that are not here. */

import type { Schedule } from "../preview/frames.ts";
import { MOST_FILTERS } from "../protocol/limits.ts";
import type { Uid } from "../protocol/records.ts";
import { AskedCache } from "./asked-cache.ts";

/** Python sends what the first screen needs without being asked; what is still missing after this long is requested. */
const PATIENCE_MS = 200;
/** Bytes of one request's answer; the rest is requested when it is here, if it is still on screen. */
const MOST_BYTES = 512 * 1024;
/** Filters that Python sends at most in one answer. */
const MOST_AT_ONCE = 64;
/**
 * An answer is filled up to this many bytes with what comes on screen next: the page pays for the number of answers,
 * not their size.
 */
const FULL_BYTES = 256 * 1024;

/** A filter; one object for as long as the lens has it. */
export interface FilterId {
  readonly uid: Uid;
}

export interface VisibleFiltersEvents<Filter extends FilterId> {
  /** What a filter lacks, as a key that identifies the request; null where it lacks nothing. */
  lacks(filter: Filter): string | null;
  /** Whether all requests are answered. */
  idle(): boolean;
  /** Bytes of one filter's record. */
  size(): number;
  ask(uids: Uid[]): void;
}

export class VisibleFilters<Filter extends FilterId> {
  readonly #watched = new Set<Filter>();
  readonly #wanted = new Set<Filter>();
  /** What comes on screen next if the page goes on as it does, the nearest first. */
  #next: readonly Filter[] = [];
  /** What was requested last, by filter: if an answer came without it, it is not requested again. */
  readonly #asked = new AskedCache<Uid, string>(MOST_FILTERS);
  /** Each keeps what was requested for one filter with the request that is on its way. */
  #awaited: (() => void)[] = [];
  #soon = false;
  #cancel: (() => void) | null = null;

  constructor(
    private readonly schedule: Schedule,
    private readonly events: VisibleFiltersEvents<Filter>,
  ) {}

  /** Something on the page began to draw this filter. */
  watch(filter: Filter): void {
    this.#watched.add(filter);
    this.#want(filter);
  }

  unwatch(filter: Filter): void {
    this.#watched.delete(filter);
    this.#wanted.delete(filter);
  }

  /** These filters, the nearest first, come on screen next: they are requested along with what is on screen. */
  expect(filters: readonly Filter[]): void {
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

  /** Python answered, or is gone. */
  answered(): void {
    for (const keep of this.#awaited) keep();
    this.#awaited = [];
    this.#ask();
  }

  dispose(): void {
    this.#cancel?.();
    this.#watched.clear();
    this.#wanted.clear();
  }

  #want(filter: Filter): void {
    if (this.#lacks(filter) === null) return;
    this.#wanted.add(filter);
    if (this.#soon) return;
    this.#soon = true;
    // What comes on screen together is requested together.
    queueMicrotask(() => {
      this.#soon = false;
      this.#ask();
    });
  }

  #ask(): void {
    if (this.#awaited.length > 0) return;
    const most = Math.max(4, Math.min(MOST_AT_ONCE, Math.floor(MOST_BYTES / this.events.size())));
    const uids: Uid[] = [];
    for (const filter of this.#wanted) {
      if (uids.length === most) break;
      this.#wanted.delete(filter);
      // Meanwhile it may have arrived by itself.
      if (this.#takes(filter)) uids.push(filter.uid);
    }
    if (uids.length === 0) return;
    // Python treats the last ones as those on screen.
    this.events.ask([...this.#prefetch(uids.length), ...uids]);
  }

  /** What an answer with this many filters is filled up with. */
  #prefetch(wanted: number): Uid[] {
    const room = Math.min(MOST_AT_ONCE, Math.floor(FULL_BYTES / this.events.size())) - wanted;
    const uids: Uid[] = [];
    for (const filter of this.#next) {
      if (uids.length >= room) break;
      if (this.#takes(filter)) uids.push(filter.uid);
    }
    return uids;
  }

  /** What a filter lacks and has not been requested yet. */
  #lacks(filter: Filter): string | null {
    const what = this.events.lacks(filter);
    return what === this.#asked.peek(filter.uid) ? null : what;
  }

  /** Note that a filter is requested, where it lacks something. */
  #takes(filter: Filter): boolean {
    const what = this.#lacks(filter);
    const slot = what === null ? null : this.#asked.askAgain(filter.uid);
    if (what === null || !slot) return false;
    this.#awaited.push(() => slot.keep(what));
    return true;
  }
}
