/** What takes Python seconds: begun by a request, polled until it has ended. */
import type { Schedule } from "../preview/frames.ts";
import type { RunRecord } from "../protocol/messages.ts";
import type { RunQuestion } from "../protocol/requests.ts";
import { type Asker, messageOf } from "./ask.ts";

/** From one poll to the next. */
export const LOOK_MS = 250;

export class LongRuns {
  /** By kind, what was begun last. */
  readonly #newest = new Map<RunQuestion["what"], RunQuestion>();

  constructor(
    private readonly schedule: Schedule,
    private readonly queries: Asker,
  ) {}

  /** `told` is called with every answer, until a run has ended or another of its kind is begun. */
  begin(question: RunQuestion, told: (record: RunRecord) => void): void {
    this.#newest.set(question.what, question);
    void this.#ask(question, "start", told);
  }

  stop(what: RunQuestion["what"]): void {
    // The next poll shows what became of it.
    this.queries.ask({ type: "run", act: "stop", what }).catch(() => {});
  }

  async #ask(question: RunQuestion, act: "start" | "look", told: (record: RunRecord) => void): Promise<void> {
    let record: RunRecord;
    try {
      const { run } = await this.queries.ask({ type: "run", act, ...question });
      record = run ?? { running: false, error: "Python's answer holds no run." };
    } catch (error) {
      record = { running: false, error: messageOf(error) };
    }
    if (this.#newest.get(question.what) !== question) return;
    told(record);
    if (record.running) this.schedule.after(LOOK_MS, () => void this.#ask(question, "look", told));
  }
}
