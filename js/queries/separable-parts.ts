/** What the filters of a separable layer are made of: requested when one is opened, kept in step, and edited. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { isPartEdit, type PartEditRequest } from "../connection/merge-edits.ts";
import { floatsOf, unpackNumber } from "../protocol/bytes.ts";
import type { Answer } from "../protocol/messages.ts";
import type { CheckedRecord, FactorsRecord, Uid } from "../protocol/records.ts";
import type { PartEdit, Request } from "../protocol/requests.ts";
import { type Asker, type Line, messageOf, UNCONNECTED } from "./ask.ts";
import { AskedCache } from "./asked-cache.ts";

/** What a separable layer's filter is made of (FactorsRecord), with the edits that Python has not answered. */
export interface FactorsView {
  rev: number;
  multiplier: number;
  depthwise: Float32Array;
  pointwise: Float32Array;
  contribution: Float32Array;
  /** Whether an edit is not answered yet. */
  pending: boolean;
}

export interface SeparableEvents {
  /** Maps of these filters, or of all, are no longer those of the kernels that are shown. */
  edited(uids: readonly Uid[] | null): void;
  refused(why: string): void;
}

/** Filters whose parts are kept; those that were opened longest ago go first. */
const MOST = 256;

export class SeparableParts {
  /** As Python confirmed them. */
  readonly #told = new AskedCache<Uid, FactorsView>(MOST);
  readonly #views: Signal<ReadonlyMap<Uid, FactorsView>> = signal(new Map());
  /** Revisions that Python reported while the parts were on their way. */
  readonly #newer = new Map<Uid, number>();

  constructor(
    private readonly channel: Line & { readonly unanswered: readonly Request[] },
    private readonly queries: Asker,
    private readonly events: SeparableEvents,
  ) {}

  get views(): ReadonlySignal<ReadonlyMap<Uid, FactorsView>> {
    return this.#views;
  }

  forget(): void {
    this.#told.forget();
    this.#newer.clear();
    this.#show();
  }

  /** Ask for a filter's parts where they are not here. */
  prepare(uid: Uid): void {
    if (this.#told.peek(uid) === undefined) void this.#read(uid);
  }

  /** A training is followed, during which no request is answered: records of filters bring their parts along. */
  receive(filters: readonly CheckedRecord[]): void {
    const brought = filters.flatMap(({ factors }) => factors ?? []);
    for (const record of brought) this.#keep(record, floatsOf(record.contribution));
    if (brought.length > 0) this.#show();
  }

  /** Python sent something new of these filters. */
  refresh(filters: Iterable<{ readonly uid: Uid; readonly rev: number }>): void {
    for (const { uid, rev } of filters) {
      const known = this.#told.peek(uid);
      if (!known || known.rev === rev) continue;
      if (this.#told.isOnTheWay(uid)) this.#newer.set(uid, rev);
      else void this.#read(uid);
    }
  }

  edit(uid: Uid, edit: PartEdit, gesture: string): void {
    if (this.channel.offline) {
      this.events.refused(UNCONNECTED);
      return;
    }
    this.channel.push({ type: "factors", uid, edit, gesture });
    this.#show();
    this.events.edited(edit.part === "depthwise" ? null : [uid]);
  }

  /** An answer came; false where the request was not an edit of a part. */
  answered(request: Request, answer: Answer): boolean {
    if (!isPartEdit(request)) return false;
    if (answer.factors) this.#keep(answer.factors);
    this.#show();
    if (!answer.ok) this.events.refused(answer.error?.text ?? "Python gave no reason.");
    return true;
  }

  /** Python is not connected any more, and edits that it had not answered are dropped. */
  lost(): void {
    const pending = [...this.#views.peek().values()].some((view) => view.pending);
    this.#show();
    if (pending) this.events.refused(UNCONNECTED);
  }

  /** Show what Python confirmed, with the unanswered edits on top. */
  #show(): void {
    const edits = this.channel.unanswered.filter(isPartEdit);
    const views = [...this.#told.keys()].map((uid) => {
      const told = this.#told.peek(uid) as FactorsView;
      const view = edits.reduce((now, request) => withEdit(now, uid, request), told);
      return [uid, { ...view, pending: edits.length > 0 }] as const;
    });
    this.#views.value = new Map(views);
  }

  async #read(uid: Uid): Promise<void> {
    const slot = this.#told.askAgain(uid);
    if (!slot) return;
    try {
      const { factors } = await this.queries.ask({ type: "factors", uid });
      if (factors && !slot.forgotten) this.#keep(factors);
    } catch (error) {
      console.warn(`convlens: no parts of a separable filter: ${messageOf(error)}`);
    }
    slot.release();
    if (slot.forgotten) return;
    this.#show();
    const newer = this.#newer.get(uid);
    this.#newer.delete(uid);
    if (newer !== undefined && this.#told.peek(uid)?.rev !== newer) void this.#read(uid);
  }

  // The order of the planes stays while they are being edited.
  #keep(record: FactorsRecord, contribution = this.#told.peek(record.uid)?.contribution): void {
    this.#told.keep(record.uid, {
      rev: record.rev,
      multiplier: record.multiplier,
      depthwise: floatsOf(record.depthwise),
      pointwise: floatsOf(record.pointwise),
      contribution: contribution ?? floatsOf(record.contribution),
      pending: false,
    });
  }
}

/** What an edit makes of the parts of filter `uid`: depthwise kernels affect all filters, pointwise weights one. */
function withEdit(view: FactorsView, uid: Uid, { uid: edited, edit }: PartEditRequest): FactorsView {
  if (edit.part === "pointwise" && uid !== edited) return view;
  const values = view[edit.part].slice();
  edit.index.forEach((tap, i) => {
    values[tap] = unpackNumber(edit.value[i]);
  });
  return { ...view, [edit.part]: values };
}
