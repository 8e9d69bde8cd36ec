/**
 * A connection that loses, doubles and holds back messages: everything is done once, and all sides end up with the
 * same.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LOST_MS } from "../connection/request-queue.ts";
import { Lens } from "../state/lens.ts";
import { FakeConnection } from "./fake-connection.ts";
import { type Fixture, fixture } from "./fake-host.ts";
import type { Sent } from "./fake-model.ts";
import { PlayedSchedule } from "./play.ts";
import { expectAgreement, type Front, play, type Step, stage, step } from "./steps.ts";

type Fate = "pass" | "lose" | "double" | "hold";

/** Half of the messages arrive as they should. */
const fates = fc.infiniteStream(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Fate>("pass") },
    { weight: 1, arbitrary: fc.constantFrom<Fate>("lose", "double", "hold") },
  ),
);

/** A bad connection between a fake kernel and its front ends, in both directions. */
class Weather {
  #held: (() => void)[] = [];
  #calm = false;

  constructor(
    { python }: Fixture,
    private readonly fates: Iterator<Fate>,
    /** Whether updates of traits are lost, too. */
    traits: boolean,
  ) {
    python.carry = (deliver, what) => {
      if (what === "message" || traits) this.#carry(deliver);
      else deliver();
    };
    for (const model of python.models) {
      const deliver = model.deliver;
      model.deliver = (sent: Sent) => this.#carry(() => deliver(sent));
    }
  }

  #carry(deliver: () => void): void {
    const fate = this.#calm ? "pass" : this.fates.next().value;
    if (fate === "hold") this.#held.push(deliver);
    if (fate === "pass" || fate === "double") deliver();
    if (fate === "double") deliver();
  }

  /** What was held back arrives, later than what was sent after it. */
  release(): void {
    for (const deliver of this.#held.splice(0)) deliver();
  }

  clear(): void {
    this.#calm = true;
    this.release();
  }
}

/** Let time pass until every request has an answer. */
function settle({ python }: Fixture, schedules: readonly PlayedSchedule[]): void {
  for (let round = 0; round < 8; round++) {
    python.pump();
    for (const schedule of schedules) schedule.pass(16 * LOST_MS);
    python.pump();
  }
}

test("whatever is lost, doubled or overtaken, both browsers and Python agree once a message gets through again", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fates, fc.array(fc.nat(4)), (steps, chances, pauses) => {
      const { host, fronts } = stage();
      const weather = new Weather(host, chances[Symbol.iterator](), false);
      steps.forEach((one, i) => {
        play(host, fronts, one as unknown as Step);
        if (pauses[i] === 0) weather.release();
        if (pauses[i] === 1) for (const { schedule } of fronts) schedule.pass(LOST_MS);
      });
      weather.clear();
      settle(host, schedules(fronts));
      // An answer that brings nothing but its number.
      fronts[0].lens.select(1);
      settle(host, schedules(fronts));
      expectAgreement(host, fronts);
    }),
    { numRuns: 300 },
  );
});

test("after a connection that broke, with settings lost as well, both browsers and Python agree", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fates, (steps, chances) => {
      const host = fixture({ rows: 7, cols: 8, size: 3, kernels: [1, -0.5, 0.25].map(kernelOf) });
      const fronts = [front(host), front(host, host.python.attach())];
      const weather = new Weather(host, chances[Symbol.iterator](), true);
      for (const { connection } of fronts) connection.become("connecting");
      for (const one of steps) play(host, fronts, one as unknown as Step);
      for (const { lens } of fronts) expect(lens.link.value).toBe("disconnected");
      weather.clear();
      for (const { connection } of fronts) connection.become("connected");
      settle(host, schedules(fronts));
      expectAgreement(host, fronts);
    }),
    { numRuns: 150 },
  );
});

test("what must not be merged is done exactly once and in order, as on a line that loses nothing", () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant("add"), at: fc.nat(2) }),
    fc.record({ kind: fc.constantFrom("undo", "redo", "reset") }),
    fc.record({ kind: fc.constant("move"), at: fc.nat(2), to: fc.nat(2) }),
    fc.record({ kind: fc.constant("rename"), at: fc.nat(2) }),
  );
  type Action = { kind: string; at: number; to: number };
  const run = (actions: readonly Action[], chances: Iterator<Fate> | null) => {
    const host = fixture({ rows: 7, cols: 8, size: 3, kernels: [1, -0.5, 0.25].map(kernelOf) });
    const { lens, schedule } = front(host);
    // Which filter a person means is settled before anything is lost.
    const uids = host.python.filters.map(({ uid }) => uid);
    const weather = chances && new Weather(host, chances, false);
    actions.forEach(({ kind, at, to }, i) => {
      const uid = uids[at] as number;
      if (kind === "add") lens.add(new Float32Array(9).fill(i), `added ${i}`, at);
      else if (kind === "move") lens.move(uid, to);
      else if (kind === "rename") lens.rename(uid, `named ${i}`);
      else lens[kind as "undo" | "redo" | "reset"]();
      host.python.step();
      if (i % 3 === 0) schedule.pass(LOST_MS);
    });
    weather?.clear();
    settle(host, [schedule]);
    return { names: host.python.filters.map(({ name }) => name), history: host.python.history, lens };
  };
  fc.assert(
    fc.property(fc.array(action, { maxLength: 25 }), fates, (actions, chances) => {
      const all = actions as unknown as Action[];
      const whole = run(all, null);
      const lossy = run(all, chances[Symbol.iterator]());
      expect(lossy.names).toEqual(whole.names);
      expect(lossy.history).toEqual(whole.history);
      expect(lossy.lens.names.value).toEqual(whole.names);
    }),
    { numRuns: 200 },
  );
});

const kernelOf = (v: number) => Float32Array.from({ length: 9 }, (_, i) => (i % 2 ? v : -v));
const schedules = (fronts: readonly Front[]) => fronts.map(({ schedule }) => schedule);

function front(host: Fixture, model = host.model): Front & { connection: FakeConnection } {
  const connection = new FakeConnection(model);
  const schedule = new PlayedSchedule();
  return { lens: new Lens(model.afm, schedule), schedule, connection };
}
