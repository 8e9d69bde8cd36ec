import { describe, expect, test } from "vitest";
import { bytesOf } from "../protocol/bytes.ts";
import { readMessage } from "../protocol/messages.ts";

describe("a message from the kernel", () => {
  const map = {
    stage: "activation",
    range: [0, "Infinity"],
    shape: [3, 3],
    levels: { $buffer: 1 },
    flags: null,
    counts: { nan: 0, posinf: 0, neginf: 0, zeros: 1 },
  };
  const record = { uid: 1, rev: 2, kernel: { $buffer: 0 }, bias: "NaN", first_channel: 0, map };
  const history = { undo: 0, redo: 0 };
  const message = { type: "filters", generation: 1, history, filters: [record], serial: 1 };
  const buffers = [new ArrayBuffer(4), new ArrayBuffer(9)];
  const answer = { ...message, type: "answer", client: "a", seq: 1, ok: true };
  const field = {
    rows: [-1, 2],
    cols: [3, 5],
    inside: [
      [0, 2],
      [3, 4, 5],
    ],
    note: "",
  };
  const patch = { rows: [0], cols: [0], values: { $buffer: 0 } };

  test("a receptive field is read, and one that is not known", () => {
    for (const told of [field, { rows: null, cols: null, inside: null, note: "why" }]) {
      const read = readMessage({ ...answer, patch: { ...patch, field: told } }, buffers);
      expect(read?.type === "answer" && read.patch?.field).toEqual(told);
    }
  });

  test("is read with its bytes and its numbers in place", () => {
    const read = readMessage(message, buffers);
    expect(read?.filters[0]?.bias).toBeNaN();
    expect(bytesOf(read?.filters[0]?.map?.levels ?? new ArrayBuffer(0))).toHaveLength(9);
  });

  test("of another widget's making is not ours", () => {
    expect(readMessage({ type: "something" }, [])).toBeNull();
    expect(readMessage("text", [])).toBeNull();
    expect(readMessage(null, [])).toBeNull();
  });

  test.each([
    ["no generation", { ...message, generation: undefined }],
    ["no history", { ...message, history: null }],
    ["no number of its own", { ...message, serial: undefined }],
    ["filters that are no list", { ...message, filters: {} }],
    ["a uid that is no number", { ...message, filters: [{ ...record, uid: "1" }] }],
    ["a kernel without bytes", { ...message, filters: [{ ...record, kernel: [1, 2] }] }],
    ["a bias that is no number", { ...message, filters: [{ ...record, bias: "one" }] }],
    ["a map of an unknown stage", { ...message, filters: [{ ...record, map: { ...map, stage: "x" } }] }],
    ["a receptive field of halves", { ...answer, patch: { ...patch, field: { ...field, rows: [0.5, 1] } } }],
    ["a patch without a receptive field", { ...answer, patch }],
    ["an answer without its number", { ...message, type: "answer", client: "a", ok: true }],
  ])("with %s is refused", (_, broken) => {
    expect(() => readMessage(broken, buffers)).toThrow();
  });
});
