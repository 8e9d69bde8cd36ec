/** What excites the filters, and what the model's output rests on, as Python finds it; what is shown of it. */
import type { AnyModel } from "@anywidget/types";
import { type Signal, signal } from "@preact/signals";
import type { Schedule } from "../preview/frames.ts";
import type { Weights } from "../preview/full-preview.ts";
import type { ExcitationRecord } from "../protocol/messages.ts";
import type { SurveyRecord, Traits, Uid } from "../protocol/records.ts";
import type { RunQuestion } from "../protocol/requests.ts";
import type { Asker } from "../queries/ask.ts";
import { Excitations, type Excited } from "../queries/excitations.ts";
import { LongRuns } from "../queries/long-runs.ts";
import type { InterpretationView, RunView } from "./lens-view.ts";

export interface InterpretationEvents {
  /** A filter's weights with every edit. */
  weights(uid: Uid): Weights | null;
  report(text: string): void;
}

export class Interpretation implements InterpretationView {
  readonly survey: Signal<SurveyRecord | null>;
  readonly replaced = signal(false);
  readonly pinned: Signal<readonly number[] | null> = signal(null);
  readonly attributed: InterpretationView["attributed"] = signal(null);
  readonly side: InterpretationView["side"] = signal("after");
  readonly excitations: Excitations;
  readonly #runs: Signal<ReadonlyMap<string, RunView>> = signal(new Map());
  readonly #longRuns: LongRuns;

  constructor(
    private readonly model: AnyModel<Traits>,
    schedule: Schedule,
    private readonly queries: Asker,
    private readonly events: InterpretationEvents,
  ) {
    // A state that was saved by an older version lacks it.
    this.survey = signal(model.get("_survey") ?? null);
    this.excitations = new Excitations(queries);
    this.#longRuns = new LongRuns(schedule, queries);
  }

  /** The survey was replaced or removed. */
  read(): void {
    this.excitations.forget();
    this.#keep((key) => !key.startsWith("rank"));
    this.survey.value = this.model.get("_survey");
  }

  /** The model is fed something else, so an output rests on other parts of it. */
  forget(): void {
    this.#keep((key) => !key.startsWith("attribution"));
  }

  excited(uid: Uid): Excited | Error | null {
    return this.excitations.read(uid);
  }

  show(one: ExcitationRecord | null): void {
    this.pinned.value = one?.pixel ?? null;
    this.queries
      .ask({ type: "show_excited", filter: one?.filter ?? null, rank: one?.rank ?? null })
      .then(({ replaced }) => {
        this.replaced.value = replaced ?? false;
      })
      .catch(({ message }: Error) => this.events.report(message));
  }

  begin(question: RunQuestion): void {
    const { what, uid } = question;
    const key = keyOf(what, uid);
    const weights = uid === undefined ? null : this.events.weights(uid);
    // The result of an earlier run stays until there is a new one.
    const before = this.#runs.peek().get(key);
    const put = (record: RunView["record"]) => {
      const first = record.running && record.picture === undefined && record.most === undefined;
      const shown = first && before ? { ...before.record, ...record } : record;
      this.#runs.value = new Map(this.#runs.peek()).set(key, { record: shown, weights });
    };
    put({ running: true });
    this.#longRuns.begin(question, put);
  }

  stop(what: RunQuestion["what"]): void {
    this.#longRuns.stop(what);
  }

  run(what: RunQuestion["what"], uid?: Uid): RunView | null {
    return this.#runs.value.get(keyOf(what, uid)) ?? null;
  }

  #keep(which: (key: string) => boolean): void {
    this.#runs.value = new Map([...this.#runs.peek()].filter(([key]) => which(key)));
  }
}

function keyOf(what: RunQuestion["what"], uid: Uid | undefined): string {
  return `${what}/${uid ?? ""}`;
}
