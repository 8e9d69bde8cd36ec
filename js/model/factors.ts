/** What the filters of a separable layer are made of: asked for when one is opened, kept in step, and edited. */
import { type Signal, signal } from "@preact/signals";
import type { FilterState } from "./filter-state.ts";
import type { FactorsView } from "./lens.ts";
import type { Answer, FactorEdit, FactorsRecord, Request } from "./messages.ts";
import type { Uid } from "./types.ts";
import { floatsOf, packNumber, unpackNumber } from "./wire.ts";

interface Job {
  uid: Uid;
  part: FactorEdit["part"];
  taps: Map<number, number>;
  gesture: string;
}

export class Factors {
  readonly #views: Signal<ReadonlyMap<Uid, FactorsView>> = signal(new Map());
  /** Edits that are not sent yet: one is on its way at a time, and those of one gesture that wait are one. */
  #jobs: Job[] = [];
  /** Filters to read, and the rev that the kernel told; −1 where nothing is known. */
  readonly #wanted = new Map<Uid, number>();
  #busy = false;

  constructor(
    private readonly inquire: (request: Extract<Request, { type: "factors" }>) => Promise<Answer>,
    /** Maps of this filter, or of all, are no longer those of the kernels that are shown. */
    private readonly edited: (uid: Uid | null) => void,
    private readonly failed: (text: string) => void,
  ) {}

  view(uid: Uid): FactorsView | null {
    return this.#views.value.get(uid) ?? null;
  }

  forget(): void {
    this.#jobs = [];
    this.#wanted.clear();
    this.#views.value = new Map();
  }

  /** See to it that a filter's view is there. */
  ask(uid: Uid): void {
    if (this.#views.peek().has(uid) || this.#wanted.has(uid)) return;
    this.#wanted.set(uid, -1);
    void this.#run();
  }

  /** The kernel said something new of these filters. */
  refresh(filters: Iterable<FilterState>): void {
    for (const { uid, rev } of filters) {
      const view = this.#views.peek().get(uid);
      if (view && view.rev !== rev) this.#wanted.set(uid, rev);
    }
    if (this.#wanted.size > 0) void this.#run();
  }

  edit(uid: Uid, edit: FactorEdit, gesture: string): void {
    const last = this.#jobs.at(-1);
    const joins = last?.uid === uid && last.part === edit.part && last.gesture === gesture;
    const job = joins ? last : { uid, part: edit.part, taps: new Map<number, number>(), gesture };
    if (!joins) this.#jobs.push(job);
    edit.index.forEach((tap, i) => void job.taps.set(tap, unpackNumber(edit.value[i])));
    this.#views.value = new Map(
      [...this.#views.peek()].map(([one, view]) => [one, edited(view, one, job, true)]),
    );
    this.edited(edit.part === "depthwise" ? null : uid);
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#next(); next; next = this.#next()) {
      try {
        const { factors } = await this.inquire(next);
        if (factors) this.#take(factors);
      } catch (error) {
        // What was shown ahead is not so; the truth comes with the next word of the kernel.
        for (const uid of this.#views.peek().keys()) this.#wanted.set(uid, -1);
        if (next.edit) this.failed(error instanceof Error ? error.message : String(error));
        else this.#wanted.delete(next.uid);
      }
    }
    this.#busy = false;
  }

  #next(): Extract<Request, { type: "factors" }> | null {
    const job = this.#jobs.shift();
    if (job) {
      const { uid, part, taps, gesture } = job;
      const edit = { part, index: [...taps.keys()], value: [...taps.values()].map(packNumber) };
      return { type: "factors", uid, edit, gesture };
    }
    for (const [uid, rev] of this.#wanted) {
      this.#wanted.delete(uid);
      if (rev < 0 || this.#views.peek().get(uid)?.rev !== rev) return { type: "factors", uid };
    }
    return null;
  }

  #take(record: FactorsRecord): void {
    const view: FactorsView = {
      rev: record.rev,
      multiplier: record.multiplier,
      depthwise: floatsOf(record.depthwise),
      pointwise: floatsOf(record.pointwise),
      // The order of the planes stays while they are being edited.
      contribution: this.view(record.uid)?.contribution ?? floatsOf(record.contribution),
      pending: false,
    };
    const ahead = this.#jobs.reduce((now, job) => edited(now, record.uid, job, true), view);
    const settled = this.#jobs.length === 0;
    const all = [...this.#views.peek()].map(
      ([uid, one]) => [uid, settled && one.pending ? { ...one, pending: false } : one] as const,
    );
    this.#views.value = new Map([...all, [record.uid, ahead]]);
  }
}

/** What an edit makes of the view of filter `uid`: depthwise kernels are in all, pointwise weights in one. */
function edited(view: FactorsView, uid: Uid, job: Job, pending: boolean): FactorsView {
  if (job.part === "pointwise" && uid !== job.uid) return view;
  const values = view[job.part].slice();
  for (const [tap, value] of job.taps) values[tap] = value;
  return { ...view, [job.part]: values, pending };
}
