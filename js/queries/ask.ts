/** What is only read from the kernel: a question, and the promise of its answer. */
import type { Stats } from "./lens.ts";
import type { Answer, Request } from "./messages.ts";
import { floatsOf } from "./wire.ts";

export type Inquiry = Extract<
  Request,
  { type: "diagnose" | "code" | "stats" | "deep" | "patch" | "plane" | "factors" | "predict" }
>;

const UNCONNECTED = "Python is not connected: this takes a running kernel.";

export class Inquiries {
  /** Who waits for what an answer says. */
  readonly #waiting = new Map<Request, { resolve: (answer: Answer) => void; reject: (why: Error) => void }>();

  constructor(
    private readonly connected: () => boolean,
    private readonly push: (request: Inquiry) => void,
  ) {}

  /** Ask; the answer, or an error with a sentence. */
  ask(request: Inquiry): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.connected()) {
        reject(new Error(UNCONNECTED));
        return;
      }
      this.#waiting.set(request, { resolve, reject });
      this.push(request);
    });
  }

  async stats(): Promise<Stats> {
    const { stats } = await this.ask({ type: "stats" });
    if (!stats) throw new Error("Python's answer holds no statistics.");
    return { energy: floatsOf(stats.energy), dead: floatsOf(stats.dead), norm: floatsOf(stats.norm) };
  }

  /** An answer came; false where the request was no inquiry. */
  answered(request: Request, answer: Answer): boolean {
    const one = this.#waiting.get(request);
    if (!one) return false;
    this.#waiting.delete(request);
    if (answer.ok) one.resolve(answer);
    else one.reject(new Error(answer.error?.text ?? "Python gave no reason."));
    return true;
  }

  /** There is no kernel any more. */
  lost(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(UNCONNECTED));
    this.#waiting.clear();
  }
}
