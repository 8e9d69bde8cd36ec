import { describe, expect, test } from "vitest";
import {
  either,
  fields,
  list,
  nullable,
  number,
  oneOf,
  optional,
  pair,
  text,
  whole,
} from "../protocol/check.ts";

const check = fields({
  name: text,
  size: pair(whole),
  mean: nullable(number),
  tags: list(oneOf("a", "b")),
  note: optional(text),
});

describe("a record's check", () => {
  test("gives back the declared fields, numbers as numbers, and leaves out what is absent", () => {
    const read = check({ name: "x", size: [1, 2], mean: "-Infinity", tags: ["b"], more: 1 }, "a thing");
    expect(read).toEqual({ name: "x", size: [1, 2], mean: -Infinity, tags: ["b"] });
    expect(Object.keys(read)).not.toContain("note");
  });

  test.each([
    [{ name: 5 }, "name of a thing: expected text, got 5"],
    [{ size: [1, 2, 3] }, "size of a thing: expected two values, got [1,2,3]"],
    [{ size: [1, 0.5] }, "size of a thing[1]: expected a whole number, got 0.5"],
    [{ mean: "one" }, 'mean of a thing: expected a number, got "one"'],
    [{ tags: ["a", "c"] }, 'tags of a thing[1]: expected a or b, got "c"'],
    [{ tags: undefined }, "tags of a thing: expected a list, got undefined"],
  ])("refuses %j and says where, what was expected and what came", (broken, why) => {
    const given = { name: "x", size: [1, 2], mean: null, tags: [], ...broken };
    expect(() => check(given, "a thing")).toThrow(new TypeError(why));
  });

  test("takes either of two forms", () => {
    const range = either(oneOf("shared"), pair(number));
    expect(range("shared", "a range")).toBe("shared");
    expect(range([0, 1], "a range")).toEqual([0, 1]);
    expect(() => range("own", "a range")).toThrow(/a range/);
  });
});
