/** What is only read from Python: a request, and the promise of its answer. */

import { floatsOf } from "../protocol/bytes.ts";
import type { Answer, ExcitedRecord } from "../protocol/messages.ts";
import type { Request } from "../protocol/requests.ts";

export type Query = Extract<
  Request,
  {
    type:
      | "diagnose"
      | "code"
      | "page"
      | "stats"
      | "ranges"
      | "losses"
      | "deep"
      | "patch"
      | "plane"
      | "factors"
      | "close_up"
      | "pixels"
      | "predict"
      | "output_maps"
      | "output_values"
      | "excited"
      | "show_excited"
      | "run";
  }
>;

/** One number per filter, in list order, to sort a gallery by. */
export type Stats = Record<"energy" | "dead" | "norm" | "pixel", Float32Array>;

export const UNCONNECTED = "Python is not connected: this needs a running kernel.";

/** Why there is no answer. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
export function messageOf(thrown: unknown): string {
  return errorOf(thrown).message;
}

/** The way to Python. */
export interface Line {
  readonly offline: boolean;
  push(request: Request): void;
}

/** What only asks. */
export interface Asker {
  ask(request: Query): Promise<Answer>;
}

export class Queries implements Asker {
  /** The promises of answers that are still awaited. */
  readonly #waiting = new Map<Request, { resolve: (answer: Answer) => void; reject: (why: Error) => void }>();

  /** `saved` are the answers that a page brought for when nobody can be asked. */
  constructor(
    private readonly channel: Line,
    private readonly saved: readonly ExcitedRecord[] = [],
  ) {}

  /** Ask; the answer, or an error with a sentence. */
  ask(request: Query): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.channel.offline) {
        const excited = request.type === "excited" && this.saved.find(({ uid }) => uid === request.uid);
        if (excited) resolve({ excited } as Answer);
        else reject(new Error(UNCONNECTED));
        return;
      }
      this.#waiting.set(request, { resolve, reject });
      this.channel.push(request);
    });
  }

  /** With a pixel, the maps' values there as well, else none. */
  async stats(pixel: [number, number] | null): Promise<Stats> {
    const { stats } = await this.ask({ type: "stats", pixel });
    if (!stats) throw new Error("Python's answer holds no statistics.");
    const { energy, dead, norm, pixel: values } = stats;
    return {
      energy: floatsOf(energy),
      dead: floatsOf(dead),
      norm: floatsOf(norm),
      pixel: values ? floatsOf(values) : new Float32Array(),
    };
  }

  async losses(start: number, count: number): Promise<{ values: Float32Array; target: number }> {
    const { losses } = await this.ask({ type: "losses", start, count });
    if (!losses) throw new Error("Python's answer holds no losses.");
    return { values: floatsOf(losses.values), target: losses.target };
  }

  /** An answer came; false where the request was not a query. */
  answered(request: Request, answer: Answer): boolean {
    const one = this.#waiting.get(request);
    if (!one) return false;
    this.#waiting.delete(request);
    if (answer.ok) one.resolve(answer);
    else one.reject(new Error(answer.error?.text ?? "Python gave no reason."));
    return true;
  }

  /** Python is not connected any more. */
  lost(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(UNCONNECTED));
    this.#waiting.clear();
  }
}
