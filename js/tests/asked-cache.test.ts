import { effect } from "@preact/signals";
import { expect, test } from "vitest";
import { AskedCache } from "../queries/asked-cache.ts";

test("a key is asked for once, until its answer is forgotten", () => {
  const cache = new AskedCache<string, number>(10);
  const slot = cache.ask("a");
  expect(slot).not.toBeNull();
  expect(cache.ask("a")).toBeNull();
  slot?.keep(5);
  expect(cache.peek("a")).toBe(5);
  expect(cache.ask("a")).toBeNull();
  cache.forget();
  expect(cache.peek("a")).toBeUndefined();
  expect(cache.ask("a")).not.toBeNull();
});

test("an answer that comes after everything was forgotten is not kept, and does not free the question asked since", () => {
  const cache = new AskedCache<string, number>(10);
  const late = cache.ask("a");
  cache.forget();
  const now = cache.ask("a");
  late?.keep(1);
  late?.release();
  expect(late?.forgotten).toBe(true);
  expect(cache.peek("a")).toBeUndefined();
  expect(cache.ask("a")).toBeNull();
  now?.keep(2);
  expect(cache.peek("a")).toBe(2);
});

test("what was kept longest ago goes when the sizes exceed the limit, the newest never", () => {
  const cache = new AskedCache<number, number[]>(5, ({ length }) => length);
  cache.keep(1, [1, 1]);
  cache.keep(2, [2, 2]);
  // Kept again, it is newer than the other, and its old size no longer counts.
  cache.keep(1, [3, 3, 3]);
  expect([...cache.keys()]).toEqual([2, 1]);
  cache.keep(3, [4]);
  expect([...cache.keys()]).toEqual([1, 3]);
  cache.keep(4, [0, 0, 0, 0, 0, 0, 0]);
  expect([...cache.keys()]).toEqual([4]);
});

test("a value that is out of date is asked for again and stays until the new one is here", () => {
  const cache = new AskedCache<string, number>(10);
  cache.keep("a", 1);
  const slot = cache.askAgain("a");
  expect(cache.askAgain("a")).toBeNull();
  expect(cache.peek("a")).toBe(1);
  slot?.keep(2);
  expect(cache.peek("a")).toBe(2);
});

test("failures may be asked for again, and so may what got no answer", () => {
  const cache = new AskedCache<string, number | Error>(10);
  cache.keep("bad", new Error("no"));
  cache.keep("good", 1);
  cache.ask("open");
  cache.retry((value) => value instanceof Error);
  expect(cache.ask("bad")).not.toBeNull();
  expect(cache.ask("good")).toBeNull();
  expect(cache.ask("open")).not.toBeNull();
});

test("an effect that reads a key runs again when its answer comes", () => {
  const cache = new AskedCache<string, number>(10);
  const seen: (number | undefined)[] = [];
  effect(() => void seen.push(cache.read("a")));
  cache.ask("a")?.keep(7);
  expect(seen.at(0)).toBeUndefined();
  expect(seen.at(-1)).toBe(7);
});
