/** A schedule that a test runs by hand, and a lens over the fake host that uses it. */
import type { Schedule } from "../preview/frames.ts";
import { Lens } from "../state/lens.ts";
import { type Fixture, type FixtureOptions, fixture } from "./fake-host.ts";

export class PlayedSchedule implements Schedule {
  time = 0;
  #timers: { at: number; callback: () => void }[] = [];
  #frames: (() => void)[] = [];
  #idle: ((left: () => number) => void)[] = [];

  now(): number {
    return this.time;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.time + milliseconds, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  frame(callback: () => void): void {
    this.#frames.push(callback);
  }

  idle(callback: (left: () => number) => void): void {
    this.#idle.push(callback);
  }

  /** Let time pass; timers that are due fire. */
  pass(milliseconds: number): void {
    this.time += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { callback } of due) callback();
  }

  /** One repaint. */
  repaint(): void {
    const frames = this.#frames;
    this.#frames = [];
    for (const callback of frames) callback();
  }

  /** All work that waits for idle time. */
  rest(): void {
    for (let callback = this.#idle.shift(); callback; callback = this.#idle.shift()) callback(() => 1e9);
  }
}

export interface Played extends Fixture {
  lens: Lens;
  schedule: PlayedSchedule;
}

/** A lens whose hello has been answered, unless `greeted` is false. */
export function played(options: FixtureOptions = {}, greeted = true): Played {
  const host = fixture(options);
  const schedule = new PlayedSchedule();
  const lens = new Lens(host.model.afm, schedule);
  if (greeted) host.python.pump();
  schedule.repaint();
  return { ...host, lens, schedule };
}
