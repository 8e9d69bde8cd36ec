/** A request queue with a simulated clock, and edits to put into it. */
import { GATHER_MS, type QueueState, RequestQueue } from "../connection/request-queue.ts";
import type { Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { PlayedSchedule } from "./play.ts";

export const bytes = (...values: number[]) => new Uint8Array(new Float32Array(values).buffer);
export const edit = (uid: Uid, tap: number, value: number, gesture = "g"): Request => ({
  type: "edit",
  edits: [{ uid, taps: { index: [tap], value: [value] } }],
  gesture,
});

export class Bench {
  readonly sent: { request: Request; seq: number }[] = [];
  readonly states: QueueState[] = [];
  readonly clock = new PlayedSchedule();
  dead = false;
  /** Whether the kernel is known to run a cell. */
  busy = false;
  readonly queue = new RequestQueue(
    (request, seq) => {
      if (this.dead) throw new Error("no comm");
      this.sent.push({ request, seq });
    },
    this.clock,
    (state) => this.states.push(state),
    () => !this.busy,
  );

  answer(): void {
    this.arrive();
    this.clock.pass(GATHER_MS);
  }

  /** The answer to what is in flight comes; no time passes. */
  arrive(): void {
    this.queue.answered(this.sent.at(-1)?.seq ?? -1);
    this.queue.resume();
  }

  /** Answer until nothing waits. */
  drain(): void {
    while (this.queue.unanswered.length > 0) this.answer();
  }

  get requests(): Request[] {
    return this.sent.map(({ request }) => request);
  }
}
