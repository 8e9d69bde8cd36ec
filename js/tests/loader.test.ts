/** A page imports the front end once for each text of it, whatever becomes of the lenses that show it. */
import type { AnyModel } from "@anywidget/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import loader from "../loader.ts";

/** Addresses that were made and not revoked. */
const open = new Set<string>();
const texts: string[] = [];
const log: unknown[] = [];

/** A front end that reports which of its copies was asked for what; `text` makes the next copy a different one. */
const bundle = (text: string) => `
  globalThis.copies = (globalThis.copies ?? 0) + 1;
  const copy = globalThis.copies;
  const told = (what) => ({ model }) => (globalThis.told.push([${JSON.stringify(text)}, copy, what, model.get("name")]), () => copy);
  export default { initialize: told("initialize"), render: told("render") };
`;

function modelOf(name: string, text: unknown) {
  const traits: Record<string, unknown> = { name, _bundle: text };
  return { get: (key: string) => traits[key] } as unknown as AnyModel<{ _bundle: string }>;
}

beforeEach(() => {
  log.length = 0;
  texts.length = 0;
  Object.assign(globalThis, { told: log, copies: 0 });
  // Node imports no `blob:`. As there, each address is another module.
  class Text {
    text: string;
    constructor([text]: [string]) {
      this.text = text;
    }
  }
  vi.stubGlobal("Blob", Text);
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    const { text } = blob as unknown as Text;
    texts.push(text);
    const url = `data:text/javascript,${encodeURIComponent(text)}//${texts.length}.${Math.random()}`;
    open.add(url);
    return url;
  });
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void open.delete(url));
});

afterEach(() => void vi.unstubAllGlobals());

test("two lenses of one version, made at once or one after the other, share one module", async () => {
  const [one, two] = [modelOf("one", bundle("a")), modelOf("two", bundle("a"))];
  await Promise.all([loader.initialize({ model: one }), loader.initialize({ model: two })]);
  await loader.render({ model: two });
  await loader.initialize({ model: modelOf("three", bundle("a")) });
  expect(log).toEqual([
    ["a", 1, "initialize", "one"],
    ["a", 1, "initialize", "two"],
    ["a", 1, "render", "two"],
    ["a", 1, "initialize", "three"],
  ]);
  expect(texts).toHaveLength(1);
  expect(open.size).toBe(0);
});

test("what ends a view or a lens is handed to the host", async () => {
  const end = await loader.render({ model: modelOf("one", bundle("ends")) });
  expect((end as () => number)()).toBe(1);
});

test("of two versions on one page each lens has its own", async () => {
  for (const text of ["old", "new", "old"]) await loader.render({ model: modelOf("one", bundle(text)) });
  expect(log.map((told) => (told as unknown[]).slice(0, 2))).toEqual([
    ["old", 1],
    ["new", 2],
    ["old", 1],
  ]);
});

test("a host that does not wait for initialize still gets it before render", async () => {
  const model = modelOf("one", bundle("order"));
  const both = [loader.initialize({ model }), loader.render({ model })];
  await Promise.all(both);
  expect(log.map((told) => (told as unknown[])[2])).toEqual(["initialize", "render"]);
});

test.each([
  ["damaged, and is tried again", "export default {", 2],
  ["missing", undefined, 1],
])("a front end that is %s leaves the host an error and other lenses alone", async (_, text, tries) => {
  await expect(loader.initialize({ model: modelOf("one", text) })).rejects.toThrow();
  await expect(loader.render({ model: modelOf("two", text) })).rejects.toThrow();
  expect(texts).toHaveLength(tries);
  expect(open.size).toBe(0);
  await loader.render({ model: modelOf("three", bundle("whole")) });
  expect((log as unknown[][]).map(([name]) => name)).toEqual(["whole"]);
});
