import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import {
  GATHER_MS,
  Gate,
  type GateState,
  LATE_MS,
  LOST_MS,
  MOST_LOST_MS,
  MOST_WAITING,
} from "../model/gate.ts";
import type { Request } from "../model/messages.ts";
import type { Uid } from "../model/types.ts";
import { floatsOf, unpackNumber } from "../model/wire.ts";
import { PlayedSchedule } from "./play.ts";

const bytes = (...values: number[]) => new Uint8Array(new Float32Array(values).buffer);
const edit = (uid: Uid, tap: number, value: number, gesture = "g"): Request => ({
  type: "edit",
  edits: [{ uid, taps: { index: [tap], value: [value] } }],
  gesture,
});

class Bench {
  readonly sent: { request: Request; seq: number }[] = [];
  readonly states: GateState[] = [];
  readonly clock = new PlayedSchedule();
  dead = false;
  /** Whether the kernel is known to run a cell. */
  busy = false;
  readonly gate = new Gate(
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
    this.gate.answered(this.sent.at(-1)?.seq ?? -1);
    this.gate.resume();
  }

  /** Answer until nothing waits. */
  drain(): void {
    while (this.gate.unanswered.length > 0) this.answer();
  }

  get requests(): Request[] {
    return this.sent.map(({ request }) => request);
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("one in flight", () => {
  test("the second request waits for the first one's answer", () => {
    bench.gate.push({ type: "undo" });
    bench.gate.push({ type: "redo" });
    expect(bench.requests).toEqual([{ type: "undo" }]);
    bench.answer();
    expect(bench.requests).toEqual([{ type: "undo" }, { type: "redo" }]);
  });

  test("an answer to anything but the request in flight changes nothing", () => {
    bench.gate.push({ type: "undo" });
    expect(bench.gate.answered(99)).toBeNull();
    expect(bench.gate.state).toBe("sending");
  });

  test("an answer later than 400 ms shows a busy kernel, and the answer ends it", () => {
    bench.gate.push({ type: "undo" });
    bench.clock.pass(LATE_MS - 1);
    expect(bench.gate.state).toBe("sending");
    bench.clock.pass(1);
    expect(bench.gate.state).toBe("late");
    bench.answer();
    expect(bench.gate.state).toBe("idle");
  });
});

describe("edits that wait when an answer comes", () => {
  beforeEach(() => {
    bench.gate.push(edit(1, 0, 1));
    bench.gate.push(edit(1, 0, 2));
    bench.arrive();
  });

  test("leave with the hand's next move, as one request", () => {
    expect(bench.requests).toEqual([edit(1, 0, 1)]);
    bench.gate.push(edit(1, 0, 3));
    expect(bench.requests).toEqual([edit(1, 0, 1), edit(1, 0, 3)]);
    bench.clock.pass(GATHER_MS);
    expect(bench.requests.length).toBe(2);
  });

  test("leave at once when the hand lets go", () => {
    bench.gate.flush();
    expect(bench.requests).toEqual([edit(1, 0, 1), edit(1, 0, 2)]);
  });

  test("leave at once where they are of another gesture", () => {
    const other = new Bench();
    other.gate.push(edit(1, 0, 1));
    other.gate.push(edit(1, 0, 2, "another"));
    other.arrive();
    expect(other.requests).toEqual([edit(1, 0, 1), edit(1, 0, 2, "another")]);
  });

  test("leave without it after a frame's time, and count as unanswered until then", () => {
    expect(bench.gate.unanswered).toEqual([edit(1, 0, 2)]);
    expect(bench.gate.state).toBe("sending");
    bench.clock.pass(GATHER_MS - 1);
    expect(bench.requests.length).toBe(1);
    bench.clock.pass(1);
    expect(bench.requests).toEqual([edit(1, 0, 1), edit(1, 0, 2)]);
  });

  test("are not held back by other messages that come meanwhile", () => {
    bench.clock.pass(GATHER_MS - 1);
    bench.gate.resume();
    bench.clock.pass(1);
    expect(bench.requests).toEqual([edit(1, 0, 1), edit(1, 0, 2)]);
  });

  test("do not leave for a kernel that is gone meanwhile", () => {
    bench.gate.close();
    bench.clock.pass(GATHER_MS);
    expect(bench.requests.length).toBe(1);
  });
});

describe("an answer that does not come", () => {
  const sent = () => bench.sent.map(({ seq }) => seq);

  test("is asked for again under the same number, at growing intervals, until it comes", () => {
    bench.gate.push({ type: "undo" });
    bench.gate.push({ type: "redo" });
    for (const [patience, times] of [
      [LOST_MS, 2],
      [2 * LOST_MS, 3],
      [4 * LOST_MS, 4],
    ] as const) {
      bench.clock.pass(patience - 1);
      expect(sent()).toEqual(new Array(times - 1).fill(1));
      bench.clock.pass(1);
      expect(sent()).toEqual(new Array(times).fill(1));
    }
    expect(bench.requests.every(({ type }) => type === "undo")).toBe(true);
    bench.answer();
    expect(bench.sent.at(-1)).toEqual({ request: { type: "redo" }, seq: 2 });
  });

  test("is asked for no oftener than every 48 s in the long run, and not at all once it is here", () => {
    bench.gate.push({ type: "undo" });
    for (let ms = 0; ms < 3_600_000; ms += 1000) bench.clock.pass(1000);
    expect(bench.sent.length).toBeLessThan(6 + 3_600_000 / MOST_LOST_MS);
    bench.answer();
    const { length } = bench.sent;
    bench.clock.pass(MOST_LOST_MS);
    expect(bench.sent.length).toBe(length);
  });

  test("is not asked for while the kernel is known to run a cell, and soon after the cell", () => {
    bench.gate.push({ type: "undo" });
    bench.busy = true;
    for (let i = 0; i < 100; i++) bench.clock.pass(LOST_MS);
    expect(sent()).toEqual([1]);
    bench.busy = false;
    bench.clock.pass(LOST_MS);
    expect(sent()).toEqual([1, 1]);
  });

  test("is asked for at once when the connection is back", () => {
    bench.gate.again();
    expect(sent()).toEqual([]);
    bench.gate.push({ type: "undo" });
    bench.gate.again();
    expect(sent()).toEqual([1, 1]);
  });

  test("closes the gate where asking again finds no kernel", () => {
    bench.gate.push({ type: "undo" });
    bench.dead = true;
    bench.clock.pass(LOST_MS);
    expect(bench.gate.state).toBe("closed");
  });
});

describe("a host without a kernel", () => {
  test("closes the gate; nothing waits for a kernel that is not there", () => {
    bench.dead = true;
    bench.gate.push({ type: "undo" });
    bench.gate.push({ type: "redo" });
    expect(bench.gate.state).toBe("closed");
    expect(bench.gate.unanswered).toEqual([]);
  });

  test("that finds one again opens the gate", () => {
    bench.gate.close();
    bench.gate.open();
    bench.gate.push({ type: "undo" });
    expect(bench.requests).toEqual([{ type: "undo" }]);
  });
});

describe("what piles up", () => {
  beforeEach(() =>
    bench.gate.push({ type: "hello", generation: 1, revs: [], image: 1, again: false, picture: "none" }),
  );

  test("of a drag goes out as one request with the newest value of each tap", () => {
    for (let i = 0; i < 50; i++) bench.gate.push(edit(1, i % 2, i));
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([
      { type: "edit", edits: [{ uid: 1, taps: { index: [0, 1], value: [48, 49] } }], gesture: "g" },
    ]);
  });

  test("of two gestures stays two undo steps, in order", () => {
    bench.gate.push(edit(1, 0, 1, "a"));
    bench.gate.push(edit(1, 0, 2, "b"));
    bench.gate.push(edit(1, 0, 3, "b"));
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([edit(1, 0, 1, "a"), edit(1, 0, 3, "b")]);
  });

  test("a whole kernel supersedes the taps before it and takes in those after it", () => {
    bench.gate.push(edit(1, 0, 5));
    bench.gate.push({ type: "replace", uids: [1], shape: [1, 2, 1], kernels: bytes(7, 8), gesture: "g" });
    bench.gate.push(edit(1, 1, 9));
    bench.drain();
    expect(bench.requests).toHaveLength(2);
    const request = bench.requests[1];
    expect(request?.type === "replace" && [...floatsOf(request.kernels)]).toEqual([7, 9]);
  });

  test("a bias survives the kernel that is replaced beside it", () => {
    bench.gate.push({ type: "edit", edits: [{ uid: 1, bias: 4 }], gesture: "g" });
    bench.gate.push({ type: "replace", uids: [1], shape: [1, 1, 1], kernels: bytes(7), gesture: "g" });
    bench.drain();
    expect(bench.requests.slice(1).map(({ type }) => type)).toEqual(["replace", "edit"]);
    expect(bench.requests[2]).toMatchObject({ edits: [{ uid: 1, bias: 4 }] });
  });

  test("of one setting is its newest value, of another setting is kept", () => {
    bench.gate.push({ type: "set", name: "selected", value: 1 });
    bench.gate.push({ type: "set", name: "cmap", value: "gray" });
    bench.gate.push({ type: "set", name: "selected", value: 2 });
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([
      { type: "set", name: "selected", value: 2 },
      { type: "set", name: "cmap", value: "gray" },
    ]);
  });

  test("of probes is the newest, of needs all that is needed", () => {
    bench.gate.push({ type: "probe", row: 0, col: 0, uids: [1] });
    bench.gate.push({ type: "need", uids: [1, 2] });
    bench.gate.push({ type: "probe", row: 5, col: 6, uids: [1] });
    bench.gate.push({ type: "need", uids: [2, 3] });
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([
      { type: "probe", row: 5, col: 6, uids: [1] },
      { type: "need", uids: [1, 2, 3] },
    ]);
  });

  test("is never merged across a change of the list", () => {
    bench.gate.push(edit(1, 0, 1));
    bench.gate.push({ type: "undo" });
    bench.gate.push(edit(1, 0, 2));
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([edit(1, 0, 1), { type: "undo" }, edit(1, 0, 2)]);
  });

  test("for a kernel that never answers does not grow without bound, and the last values are kept", () => {
    for (let i = 0; i < 5000; i++) bench.gate.push(edit(1, i % 16, i, `step ${i}`));
    expect(bench.gate.unanswered.length).toBeLessThanOrEqual(MOST_WAITING + 1);
    bench.drain();
    const kernel = new Map<number, number>();
    for (const request of bench.requests) apply(kernel, request);
    expect([...kernel.values()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, i) => 4984 + i),
    );
  });

  test("a steady stream of other requests does not hold a drag back", () => {
    for (let i = 0; i < 20; i++) {
      bench.gate.push(edit(1, 0, i));
      bench.gate.push({ type: "set", name: "pixel", value: [i, i] });
      bench.gate.push({ type: "probe", row: i, col: i, uids: [1] });
      bench.answer();
    }
    const types = bench.requests.map(({ type }) => type);
    for (const type of ["edit", "set", "probe"] as const) {
      expect(types.filter((one) => one === type).length).toBeGreaterThan(5);
    }
  });
});

/** A kernel of one filter as far as the property below needs one. */
function apply(kernel: Map<number, number>, request: Request): void {
  if (request.type === "edit") {
    for (const { uid, taps, bias } of request.edits) {
      taps?.index.forEach((tap, i) => void kernel.set(uid * 100 + tap, unpackNumber(taps.value[i])));
      if (bias !== undefined) kernel.set(uid * 100 + 99, unpackNumber(bias));
    }
  } else if (request.type === "replace") {
    const values = floatsOf(request.kernels);
    const size = values.length / request.uids.length;
    request.uids.forEach((uid, i) => {
      for (let tap = 0; tap < size; tap++) kernel.set(uid * 100 + tap, values[i * size + tap] ?? 0);
    });
  }
}

describe("under any load", () => {
  const uid = fc.integer({ min: 1, max: 3 });
  const value = fc.integer({ min: -9, max: 9 });
  const gesture = fc.constantFrom("a", "b", "c");
  const weights = fc.oneof(
    fc.record({ uid, tap: fc.nat(3), value, gesture }).map((e) => edit(e.uid, e.tap, e.value, e.gesture)),
    fc
      .record({ uid, bias: value, gesture })
      .map(({ gesture: name, ...one }): Request => ({ type: "edit", edits: [one], gesture: name })),
    fc.record({ uids: fc.uniqueArray(uid, { minLength: 1 }), value, gesture }).map(
      ({ uids, value: v, gesture: name }): Request => ({
        type: "replace",
        uids,
        shape: [2, 2, 1],
        kernels: bytes(...uids.flatMap((u) => [v, v + u, v, v - u])),
        gesture: name,
      }),
    ),
  );
  const other = fc.constantFrom<Request>(
    { type: "undo" },
    { type: "redo" },
    { type: "reset" },
    { type: "remove", uid: 2 },
    { type: "move", uid: 1, to: 0 },
  );
  const setting = fc
    .record({ name: fc.constantFrom("cmap" as const, "selected" as const), value })
    .map((one): Request => ({ type: "set", ...one }));
  const need = fc.uniqueArray(uid, { minLength: 1 }).map((uids): Request => ({ type: "need", uids }));
  const event = fc.oneof(
    { weight: 8, arbitrary: weights },
    { weight: 2, arbitrary: other },
    { weight: 2, arbitrary: setting },
    { weight: 1, arbitrary: need },
    { weight: 6, arbitrary: fc.constant("answer" as const) },
    { weight: 1, arbitrary: fc.constant("late" as const) },
  );

  test("at most one is in flight, nothing is lost or doubled, and the order of what cannot be merged is kept", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const one = new Bench();
        const asked: Request[] = [];
        let answered = 0;
        for (const what of events) {
          if (what === "answer") {
            if (one.sent.length > answered) {
              answered++;
              one.answer();
            }
          } else if (what === "late") one.clock.pass(LATE_MS);
          else {
            asked.push(what);
            one.gate.push(what);
          }
          expect(one.sent.length - answered).toBeLessThanOrEqual(1);
        }
        one.drain();
        expect(one.gate.state).toBe("idle");

        const fixed = (requests: readonly Request[]) =>
          requests.filter(({ type }) => !["edit", "replace", "set", "need", "probe"].includes(type));
        expect(fixed(one.requests)).toEqual(fixed(asked));
        expect(ends(one.requests)).toEqual(ends(asked));
        expect(settings(one.requests)).toEqual(settings(asked));
        expect(needed(one.requests)).toEqual(needed(asked));
        expect(one.requests.length).toBeLessThanOrEqual(asked.length);
      }),
      { numRuns: 500 },
    );
  });

  /** Weights before each request that cannot be merged across, and at the end; and which gestures changed them. */
  function ends(requests: readonly Request[]): unknown[] {
    const kernel = new Map<number, number>();
    const snapshots: unknown[] = [];
    let gestures: string[] = [];
    const close = () => {
      snapshots.push(
        [...kernel].sort(([a], [b]) => a - b),
        gestures,
      );
      gestures = [];
    };
    for (const request of requests) {
      apply(kernel, request);
      if (request.type === "edit" || request.type === "replace") {
        if (gestures.at(-1) !== request.gesture) gestures.push(request.gesture);
      } else if (!["set", "need", "probe"].includes(request.type)) close();
    }
    close();
    return snapshots;
  }

  function settings(requests: readonly Request[]): Record<string, unknown> {
    return Object.fromEntries(requests.flatMap((r) => (r.type === "set" ? [[r.name, r.value]] : [])));
  }

  function needed(requests: readonly Request[]): Uid[] {
    return [...new Set(requests.flatMap((r) => (r.type === "need" ? r.uids : [])))].sort();
  }
});
