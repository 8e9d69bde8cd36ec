import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { LATE_MS, MOST_WAITING } from "../connection/request-queue.ts";
import { floatsOf, unpackNumber } from "../protocol/bytes.ts";
import type { Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";

import { Bench, bytes, edit } from "./queue-bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("what piles up", () => {
  beforeEach(() =>
    bench.queue.push({ type: "hello", generation: 1, revs: [], image: 1, again: false, picture: "none" }),
  );

  test("of a drag goes out as one request with the newest value of each tap", () => {
    for (let i = 0; i < 50; i++) bench.queue.push(edit(1, i % 2, i));
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([
      { type: "edit", edits: [{ uid: 1, taps: { index: [0, 1], value: [48, 49] } }], gesture: "g" },
    ]);
  });

  test("of two gestures stays two undo steps, in order", () => {
    bench.queue.push(edit(1, 0, 1, "a"));
    bench.queue.push(edit(1, 0, 2, "b"));
    bench.queue.push(edit(1, 0, 3, "b"));
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([edit(1, 0, 1, "a"), edit(1, 0, 3, "b")]);
  });

  test("of latent vectors is the newest, behind what changes the list", () => {
    bench.queue.push({ type: "vector", data: bytes(1, 2) });
    bench.queue.push({ type: "remove", uid: 1 });
    bench.queue.push({ type: "vector", data: bytes(3, 4) });
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([
      { type: "remove", uid: 1 },
      { type: "vector", data: bytes(3, 4) },
    ]);
  });

  test("a whole kernel supersedes the taps before it and takes in those after it", () => {
    bench.queue.push(edit(1, 0, 5));
    bench.queue.push({ type: "replace", uids: [1], shape: [1, 2, 1], kernels: bytes(7, 8), gesture: "g" });
    bench.queue.push(edit(1, 1, 9));
    bench.drain();
    expect(bench.requests).toHaveLength(2);
    const request = bench.requests[1];
    expect(request?.type === "replace" && [...floatsOf(request.kernels)]).toEqual([7, 9]);
  });

  test("a bias survives the kernel that is replaced beside it", () => {
    bench.queue.push({ type: "edit", edits: [{ uid: 1, bias: 4 }], gesture: "g" });
    bench.queue.push({ type: "replace", uids: [1], shape: [1, 1, 1], kernels: bytes(7), gesture: "g" });
    bench.drain();
    expect(bench.requests.slice(1).map(({ type }) => type)).toEqual(["replace", "edit"]);
    expect(bench.requests[2]).toMatchObject({ edits: [{ uid: 1, bias: 4 }] });
  });

  test("of one setting is its newest value, of another setting is kept", () => {
    bench.queue.push({ type: "set", name: "selected", value: 1 });
    bench.queue.push({ type: "set", name: "cmap", value: "gray" });
    bench.queue.push({ type: "set", name: "selected", value: 2 });
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([
      { type: "set", name: "selected", value: 2 },
      { type: "set", name: "cmap", value: "gray" },
    ]);
  });

  test("of probes is the newest, of needs all that is needed", () => {
    bench.queue.push({ type: "probe", row: 0, col: 0, uids: [1] });
    bench.queue.push({ type: "need", uids: [1, 2] });
    bench.queue.push({ type: "probe", row: 5, col: 6, uids: [1] });
    bench.queue.push({ type: "need", uids: [2, 3] });
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([
      { type: "probe", row: 5, col: 6, uids: [1] },
      { type: "need", uids: [1, 2, 3] },
    ]);
  });

  test("is never merged across a change of the list", () => {
    bench.queue.push(edit(1, 0, 1));
    bench.queue.push({ type: "undo" });
    bench.queue.push(edit(1, 0, 2));
    bench.drain();
    expect(bench.requests.slice(1)).toEqual([edit(1, 0, 1), { type: "undo" }, edit(1, 0, 2)]);
  });

  test("for a kernel that never answers does not grow without bound, and the last values are kept", () => {
    for (let i = 0; i < 5000; i++) bench.queue.push(edit(1, i % 16, i, `step ${i}`));
    expect(bench.queue.unanswered.length).toBeLessThanOrEqual(MOST_WAITING + 1);
    bench.drain();
    const kernel = new Map<number, number>();
    for (const request of bench.requests) apply(kernel, request);
    expect([...kernel.values()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, i) => 4984 + i),
    );
  });

  test("a steady stream of other requests does not hold a drag back", () => {
    for (let i = 0; i < 20; i++) {
      bench.queue.push(edit(1, 0, i));
      bench.queue.push({ type: "set", name: "pixel", value: [i, i] });
      bench.queue.push({ type: "probe", row: i, col: i, uids: [1] });
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
            one.queue.push(what);
          }
          expect(one.sent.length - answered).toBeLessThanOrEqual(1);
        }
        one.drain();
        expect(one.queue.state).toBe("idle");

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

describe("edits of a separable filter's parts", () => {
  const part = (tap: number, value: number, gesture = "g", uid = 1): Request => ({
    type: "factors",
    uid,
    edit: { part: "depthwise", index: [tap], value: [value] },
    gesture,
  });
  const edits = () => bench.requests.flatMap((request) => (request.type === "factors" ? [request] : []));

  test("of one gesture wait as one request with the newest value of each tap, like those of a kernel", () => {
    bench.queue.push({ type: "stats" });
    for (const [tap, value] of [
      [0, 1],
      [1, 2],
      [0, 3],
    ] as const)
      bench.queue.push(part(tap, value));
    bench.queue.push({ type: "plane", channel: 0 });
    bench.queue.push(part(2, 4));
    bench.drain();
    expect(edits()).toEqual([
      {
        type: "factors",
        uid: 1,
        edit: { part: "depthwise", index: [0, 1, 2], value: [3, 2, 4] },
        gesture: "g",
      },
    ]);
  });

  test("of two gestures, of two filters, or around another edit stay apart and in order", () => {
    bench.queue.push({ type: "stats" });
    bench.queue.push(part(0, 1, "a"));
    bench.queue.push(part(0, 2, "b"));
    bench.queue.push(part(0, 3, "b", 2));
    bench.queue.push(edit(1, 0, 5, "c"));
    bench.queue.push(part(0, 4, "b", 2));
    bench.drain();
    expect(edits().map((request) => request.edit?.value)).toEqual([[1], [2], [3], [4]]);
    expect(bench.requests.map(({ type }) => type)).toEqual([
      "stats",
      "factors",
      "factors",
      "factors",
      "edit",
      "factors",
    ]);
  });
});
