/** Time as the lens uses it; a parameter, so that a test can control it. */
import type { Clock } from "../connection/request-queue.ts";

export interface Schedule extends Clock {
  /** Milliseconds from some origin. */
  now(): number;
  /** Before the next repaint. */
  frame(callback: () => void): void;
  /** When there is nothing better to do; `left` says how many milliseconds there are. */
  idle(callback: (left: () => number) => void): void;
}

/** A slice of work where the browser does not say how long it is idle (Safari). */
const SLICE_MS = 8;

export const browserSchedule: Schedule = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  frame: (callback) => void requestAnimationFrame(callback),
  idle(callback) {
    if (typeof requestIdleCallback === "function") {
      requestIdleCallback((deadline) => callback(() => deadline.timeRemaining()));
      return;
    }
    setTimeout(() => {
      const end = performance.now() + SLICE_MS;
      callback(() => end - performance.now());
    }, 1);
  },
};

/**
 * Runs `work` at most twice between two repaints. The first request after a repaint runs it at once; its frame callback is
 * asked for before any component, notified by that work, asks for one of its own, so that what is requested after it is worked
 * off before the components paint, in the very same frame.
 */
export class OncePerFrame {
  #waiting = false;
  #again = false;

  constructor(
    private readonly schedule: Schedule,
    private readonly work: () => void,
  ) {}

  request(): void {
    if (this.#waiting) {
      this.#again = true;
      return;
    }
    this.#wait();
    this.work();
  }

  /** Run it in the next frame, not before. */
  later(): void {
    this.#again = true;
    if (!this.#waiting) this.#wait();
  }

  #wait(): void {
    this.#waiting = true;
    this.schedule.frame(() => {
      this.#waiting = false;
      if (!this.#again) return;
      this.#again = false;
      this.work();
    });
  }
}
