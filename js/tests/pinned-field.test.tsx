// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { App } from "../components/App.tsx";
import { DeepFieldMark } from "../components/picture/marks.tsx";
import { fieldSentence, fieldWords } from "../components/picture/pinnedField.ts";
import type { FieldRecord } from "../protocol/messages.ts";
import { Lens } from "../state/lens.ts";
import { fixture } from "./fake-host.ts";

const IMAGE = { rows: 20, cols: 30 };
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const field = (given: Partial<FieldRecord> = {}): FieldRecord => ({
  rows: [-3, 7],
  cols: [4, 14],
  inside: [range(0, 7), range(4, 14)],
  note: "",
  ...given,
});

afterEach(() => vi.unstubAllGlobals());

test("a field is said in rows and columns of the image, those in the padding included", () => {
  expect(fieldWords(field(), IMAGE)).toBe("rows −3 to 7, cols 4 to 14");
  const sentence = fieldSentence(field(), IMAGE);
  expect(sentence).toContain("rows −3 to 7, cols 4 to 14 of the image: 11 × 11 pixels");
  expect(sentence).toContain("those outside the image are padding");
  expect(fieldSentence(field({ rows: [2, 7], note: "Mind this." }), IMAGE)).toMatch(
    /11 pixels\. Mind this\.$/,
  );
});

test("a field that covers the image is the whole image", () => {
  const all = field({ rows: [-9, 28], cols: [0, 29], inside: [range(0, 19), range(0, 29)] });
  expect(fieldWords(all, IMAGE)).toBe("the whole image");
  expect(fieldSentence(all, IMAGE)).toContain("depends on the whole image: 38 × 30 pixels");
});

test("where it is not known there is the reason and nothing else", () => {
  const unknown = field({ rows: null, cols: null, inside: null, note: "Only its author knows." });
  expect(fieldWords(unknown, IMAGE)).toBeNull();
  expect(fieldSentence(unknown, IMAGE)).toBe("Only its author knows.");
});

/** Path data of all lines and taps, the casings aside. */
function drawn(one: FieldRecord): { solid: string[]; dashed: string[]; taps: string[] } {
  const root = document.createElement("div");
  const view = { ...IMAGE, left: 0, top: 0, scale: 10, down: 10 };
  act(() =>
    render(
      <svg aria-hidden="true">
        <DeepFieldMark view={view} field={one} />
      </svg>,
      root,
    ),
  );
  const paths = (selector: string) =>
    [...root.querySelectorAll(selector)].map((path) => path.getAttribute("d") ?? "");
  return {
    solid: paths(".cl-mark:not([data-dashed]) .cl-line"),
    dashed: paths("[data-dashed] .cl-line"),
    taps: paths(".cl-tap"),
  };
}

test("the outline lies around what is read, dashed around the padding", () => {
  const { solid, dashed, taps } = drawn(field());
  expect(solid).toHaveLength(1);
  expect(solid[0]).toMatch(/^M40 0h110v80h-110Z/);
  expect(dashed).toEqual(["M40 -30h110v110h-110Z"]);
  expect(taps).toEqual([]);
});

test("where strides or dilation leave gaps each pixel that is read is drawn", () => {
  const { taps, dashed } = drawn(field({ rows: [2, 6], cols: [4, 5], inside: [[2, 4, 6], range(4, 5)] }));
  expect(taps).toHaveLength(6);
  expect(taps[2]).toBe("M40 40h10v10h-10Z");
  expect(dashed).toEqual([]);
});

test("a field all in the padding has a dashed outline, one that is not known none", () => {
  const past = drawn(field({ rows: [-2, -1], inside: null }));
  expect([past.solid, past.dashed.length]).toEqual([[], 1]);
  const unknown = drawn(field({ rows: null, cols: null, inside: null, note: "why" }));
  expect([unknown.solid, unknown.dashed]).toEqual([[], []]);
});

function deep(told: FieldRecord) {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  const layer = {
    path: "conv",
    class_name: "Conv2D",
    input_shape: [20, 30, 1] as [number, number, number],
    output_shape: [17, 27, 4] as [number, number, number],
    kernel_size: [4, 4] as [number, number],
    filters: 4,
  };
  const { python, model } = fixture({ ...IMAGE, layers: [layer] });
  python.field = told;
  const lens = new Lens(model.afm);
  const root = document.body.appendChild(document.createElement("div"));
  lens.addView(root);
  act(() => render(<App lens={lens} />, root));
  act(() => python.pump());
  const text = (selector: string) => root.querySelector(selector)?.textContent ?? "";
  const name = () => root.querySelector(".cl-image .cl-frame")?.getAttribute("aria-label") ?? "";
  const close = () => {
    act(() => render(null, root));
    lens.dispose();
    root.remove();
  };
  const until = (check: () => void) =>
    vi.waitFor(() => {
      act(() => python.pump());
      check();
    });
  return { lens, root, text, name, until, close };
}

test("pinning a pixel inside a model names its field under the image, in the image's name and in the strip", async () => {
  const { lens, root, text, name, until, close } = deep(field());
  expect(name()).not.toContain("depends");
  act(() => lens.pin([2, 3]));
  await until(() => expect(name()).toContain("The pinned pixel depends on rows −3 to 7, cols 4 to 14"));
  expect(text(".cl-image output")).toBe("rows −3 to 7, cols 4 to 14");
  expect(root.querySelector(".cl-image output")?.hasAttribute("data-pinned")).toBe(true);
  expect(text(".cl-strip")).toContain(
    "Through the layers before this one, the pixel depends on rows −3 to 7",
  );
  act(() => lens.pin(null));
  expect(name()).not.toContain("depends");
  expect(text(".cl-image output")).toBe("");
  close();
});

test("a field that is not known says why under the image and in the strip", async () => {
  const note = "It is not known which pixels of the image this one depends on: layer 'turn' turns it.";
  const { lens, text, name, until, close } = deep(field({ rows: null, cols: null, inside: null, note }));
  act(() => lens.pin([2, 3]));
  await until(() => expect(text(".cl-image .cl-notes")).toContain(note));
  expect(text(".cl-strip")).toContain(note);
  expect(text(".cl-image output")).toBe("");
  expect(name()).not.toContain("depends");
  close();
});
