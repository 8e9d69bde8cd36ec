// @vitest-environment node
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const { internalNames } = (await import("../internal-names.mjs" as string)) as {
  internalNames: (options: object) => Promise<string[]>;
};
const OPTIONS = {
  entryPoints: [new URL("../widget.tsx", import.meta.url).pathname],
  outdir: "out",
  bundle: true,
  format: "esm",
  jsx: "automatic",
};
const names = await internalNames(OPTIONS);

test("no name is shortened that Python writes or reads", () => {
  const fields = ["record_types", "request_types"].flatMap((file) =>
    [...read(`src/convlens/protocol/${file}.py`).matchAll(/^ {4}(\w+): /gm)].map(([, name]) => name),
  );
  expect(fields.length).toBeGreaterThan(80);
  expect(names.filter((name) => fields.includes(name))).toEqual([]);
});

test("no name is shortened that a page, a host or a saved file knows", () => {
  const known = [
    "initialize",
    "render",
    "observe",
    "model",
    "el",
    "get",
    "set",
    "on",
    "off",
    "save_changes",
    "send",
  ];
  known.push("geometry", "kernels", "maps", "least", "greatest", "selected", "pixel", "activation");
  known.push(
    "convlens",
    "bias",
    "names",
    "connectionStatusChanged",
    "restarting",
    "autorestarting",
    "shiftKey",
  );
  expect(names.filter((name) => known.includes(name))).toEqual([]);
});

test("no name is shortened under which `dataset` has an attribute", () => {
  const attributes = [
    "dragged",
    "drop",
    "lit",
    "painting",
    "pinned",
    "marked",
    "provenance",
    "uid",
    "at",
    "card",
  ];
  expect(names.filter((name) => attributes.includes(name))).toEqual([]);
});

test("no name is shortened under which Preact or signals keep something on an element", () => {
  expect(names.filter((name) => name.length < 3 || name.startsWith("_"))).toEqual([]);
});

test("the bundle's own names are shortened, Preact's with them, the same ones at every build", async () => {
  expect(names).toEqual(expect.arrayContaining(["separableParts", "visibleFilters", "weightAxes"]));
  expect(names).toEqual(expect.arrayContaining(["shouldComponentUpdate", "getDerivedStateFromProps"]));
  expect(await internalNames(OPTIONS)).toEqual(names);
});
