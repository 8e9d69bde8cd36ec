import { beforeEach, describe, expect, test } from "vitest";
import { GATHER_MS, LATE_MS, LOST_MS, MOST_LOST_MS } from "../connection/request-queue.ts";

import { Bench, edit } from "./queue-bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("one in flight", () => {
  test("the second request waits for the first one's answer", () => {
    bench.queue.push({ type: "undo" });
    bench.queue.push({ type: "redo" });
    expect(bench.requests).toEqual([{ type: "undo" }]);
    bench.answer();
    expect(bench.requests).toEqual([{ type: "undo" }, { type: "redo" }]);
  });

  test("an answer to anything but the request in flight changes nothing", () => {
    bench.queue.push({ type: "undo" });
    expect(bench.queue.answered(99)).toBeNull();
    expect(bench.queue.state).toBe("sending");
  });

  test("an answer later than 400 ms shows a busy kernel, and the answer ends it", () => {
    bench.queue.push({ type: "undo" });
    bench.clock.pass(LATE_MS - 1);
    expect(bench.queue.state).toBe("sending");
    bench.clock.pass(1);
    expect(bench.queue.state).toBe("late");
    bench.answer();
    expect(bench.queue.state).toBe("idle");
  });
});

describe("edits that wait when an answer comes", () => {
  beforeEach(() => {
    bench.queue.push(edit(1, 0, 1));
    bench.queue.push(edit(1, 0, 2));
    bench.arrive();
  });

  test("leave with the hand's next move, as one request", () => {
    expect(bench.requests).toEqual([edit(1, 0, 1)]);
    bench.queue.push(edit(1, 0, 3));
    expect(bench.requests).toEqual([edit(1, 0, 1), edit(1, 0, 3)]);
    bench.clock.pass(GATHER_MS);
    expect(bench.requests.length).toBe(2);
  });

  test("leave at once when the hand lets go", () => {
    bench.queue.flush();
    expect(bench.requests).toEqual([edit(1, 0, 1), edit(1, 0, 2)]);
  });

  test("leave at once where they are of another gesture", () => {
    const other = new Bench();
    other.queue.push(edit(1, 0, 1));
    other.queue.push(edit(1, 0, 2, "another"));
    other.arrive();
    expect(other.requests).toEqual([edit(1, 0, 1), edit(1, 0, 2, "another")]);
  });

  test("leave without it after a frame's time, and count as unanswered until then", () => {
    expect(bench.queue.unanswered).toEqual([edit(1, 0, 2)]);
    expect(bench.queue.state).toBe("sending");
    bench.clock.pass(GATHER_MS - 1);
    expect(bench.requests.length).toBe(1);
    bench.clock.pass(1);
    expect(bench.requests).toEqual([edit(1, 0, 1), edit(1, 0, 2)]);
  });

  test("are not held back by other messages that come meanwhile", () => {
    bench.clock.pass(GATHER_MS - 1);
    bench.queue.resume();
    bench.clock.pass(1);
    expect(bench.requests).toEqual([edit(1, 0, 1), edit(1, 0, 2)]);
  });

  test("do not leave for a kernel that is gone meanwhile", () => {
    bench.queue.close();
    bench.clock.pass(GATHER_MS);
    expect(bench.requests.length).toBe(1);
  });
});

describe("an answer that does not come", () => {
  const sent = () => bench.sent.map(({ seq }) => seq);

  test("is asked for again under the same number, at growing intervals, until it comes", () => {
    bench.queue.push({ type: "undo" });
    bench.queue.push({ type: "redo" });
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
    bench.queue.push({ type: "undo" });
    for (let ms = 0; ms < 3_600_000; ms += 1000) bench.clock.pass(1000);
    expect(bench.sent.length).toBeLessThan(6 + 3_600_000 / MOST_LOST_MS);
    bench.answer();
    const { length } = bench.sent;
    bench.clock.pass(MOST_LOST_MS);
    expect(bench.sent.length).toBe(length);
  });

  test("is not asked for while the kernel is known to run a cell, and soon after the cell", () => {
    bench.queue.push({ type: "undo" });
    bench.busy = true;
    for (let i = 0; i < 100; i++) bench.clock.pass(LOST_MS);
    expect(sent()).toEqual([1]);
    bench.busy = false;
    bench.clock.pass(LOST_MS);
    expect(sent()).toEqual([1, 1]);
  });

  test("is asked for at once when the connection is back", () => {
    bench.queue.again();
    expect(sent()).toEqual([]);
    bench.queue.push({ type: "undo" });
    bench.queue.again();
    expect(sent()).toEqual([1, 1]);
  });

  test("closes the queue where asking again finds no kernel", () => {
    bench.queue.push({ type: "undo" });
    bench.dead = true;
    bench.clock.pass(LOST_MS);
    expect(bench.queue.state).toBe("closed");
  });
});

describe("a host without a kernel", () => {
  test("closes the queue; nothing waits for a kernel that is not there", () => {
    bench.dead = true;
    bench.queue.push({ type: "undo" });
    bench.queue.push({ type: "redo" });
    expect(bench.queue.state).toBe("closed");
    expect(bench.queue.unanswered).toEqual([]);
  });

  test("that finds one again opens the queue", () => {
    bench.queue.close();
    bench.queue.open();
    bench.queue.push({ type: "undo" });
    expect(bench.requests).toEqual([{ type: "undo" }]);
  });
});
