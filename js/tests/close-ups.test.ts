import { describe, expect, test } from "vitest";
import type { Grid } from "../paint/grid.ts";
import type { MapRecord } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import type { Query } from "../queries/ask.ts";
import { CloseUps } from "../queries/close-ups.ts";

const SIZE = { rows: 2000, cols: 3000 };
const FILTER = { uid: 1, rev: 4 };
const map = (rows: number, cols: number): MapRecord => ({
  stage: "activation",
  range: [0, 1],
  shape: [rows, cols],
  levels: new Uint8Array(rows * cols),
  flags: null,
  counts: { nan: 0, posinf: 0, neginf: 0, zeros: 0 },
});
const whole = (rows: number, cols: number): Grid => ({ part: [0, 2000, 0, 3000], shape: [rows, cols] });
const CLOSE: Grid = { part: [500, 900, 600, 1200], shape: [200, 300] };

function setUp(answer: { rev: number; map: MapRecord | null } = { rev: 4, map: map(200, 300) }) {
  const pushed: Request[] = [];
  const asked: Query[] = [];
  let due: (() => void) | null = null;
  const clock = {
    after: (_ms: number, callback: () => void) => {
      due = callback;
      return () => {
        due = null;
      };
    },
  };
  const queries = {
    ask: async (query: Query) => {
      asked.push(query);
      return { type: "answer" as const, client: "", seq: 0, ok: true, close_up: answer };
    },
  };
  const closeUps = new CloseUps({ push: (request) => void pushed.push(request) }, queries, clock as never);
  const rest = async () => {
    due?.();
    due = null;
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return { closeUps, pushed, asked, rest };
}

describe("a large map", () => {
  test("that came at the size of the screen is drawn as it is", async () => {
    const { closeUps, pushed, asked, rest } = setUp();
    expect(closeUps.find(FILTER, "", map(200, 300), whole(200, 300), SIZE)).toBeNull();
    await rest();
    expect(pushed).toEqual([{ type: "screen", shape: [200, 300] }]);
    expect(asked).toEqual([]);
  });

  test("in part is asked for once, when the view rests, and found from then on", async () => {
    const { closeUps, asked, rest } = setUp();
    const before = closeUps.arrived.value;
    for (let i = 0; i < 3; i++) expect(closeUps.find(FILTER, "", map(200, 300), CLOSE, SIZE)).toBeNull();
    expect(asked).toEqual([]);
    await rest();
    expect(asked).toEqual([{ type: "close_up", uid: 1, window: CLOSE.part, shape: CLOSE.shape }]);
    expect(closeUps.arrived.value).toBe(before + 1);
    expect(closeUps.find(FILTER, "", map(200, 300), CLOSE, SIZE)?.grid).toEqual(CLOSE);
    await rest();
    expect(asked.length).toBe(1);
  });

  test("of other weights, another range or another part is not mixed up with it", async () => {
    const { closeUps, rest } = setUp();
    closeUps.find(FILTER, "", map(200, 300), CLOSE, SIZE);
    await rest();
    expect(closeUps.find({ ...FILTER, rev: 5 }, "", map(200, 300), CLOSE, SIZE)).toBeNull();
    expect(closeUps.find(FILTER, [0, 1], map(200, 300), CLOSE, SIZE)).toBeNull();
    expect(closeUps.find(FILTER, "", map(200, 300), { ...CLOSE, part: [0, 400, 0, 600] }, SIZE)).toBeNull();
  });

  test("answered for other weights is not kept", async () => {
    const { closeUps, rest } = setUp({ rev: 5, map: map(200, 300) });
    closeUps.find(FILTER, "", map(200, 300), CLOSE, SIZE);
    await rest();
    expect(closeUps.find(FILTER, "", map(200, 300), CLOSE, SIZE)).toBeNull();
  });

  test("in a smaller view of the same lens does not take the larger one's size", async () => {
    const { closeUps, pushed, rest } = setUp();
    for (const shape of [whole(200, 300), whole(190, 285), whole(100, 150), whole(400, 600)]) {
      closeUps.find(FILTER, "", map(200, 300), shape, SIZE);
      await rest();
    }
    expect(pushed.map((one) => (one as { shape: number[] }).shape)).toEqual([
      [200, 300],
      [100, 150],
      [400, 600],
    ]);
  });
});
