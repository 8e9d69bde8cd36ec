// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { Legend } from "../components/picture/Legend.tsx";
import { Provenance } from "../components/picture/Provenance.tsx";
import type { MapProbe } from "../components/picture/probe.ts";
import type { Provenance as From, MapView } from "../paint/drawable.ts";
import { GRAY, paletteOf } from "../paint/palette.ts";
import type { ValueRange } from "../protocol/records.ts";

const MAP: MapView = {
  provenance: "keras",
  rows: 10,
  cols: 20,
  keras: null,
  preview: null,
  range: [-1, 2.5],
  counts: { nan: 0, posinf: 0, neginf: 0, zeros: 0 },
  sampled: false,
  version: 1,
};

function legend(
  map: Partial<MapView>,
  mode: ValueRange,
  display: [number, number],
  value: number | null = null,
) {
  const root = document.createElement("div");
  const probe = signal<MapProbe | null>(
    value === null ? null : { pixel: { row: 0, col: 0 }, pinned: false, where: "", value, exact: true },
  );
  const palette = paletteOf(GRAY);
  act(() =>
    render(
      <Legend
        map={{ ...MAP, ...map }}
        mode={mode}
        display={display}
        table={GRAY}
        palette={palette}
        probe={probe}
      />,
      root,
    ),
  );
  return root;
}

const texts = (root: Element, selector: string) =>
  [...root.querySelectorAll(selector)].map((e) => e.textContent);

test("a range of some of the pixels says so", () => {
  const root = legend({ sampled: true }, "per_map", [-1, 2.5]);
  expect(texts(root, ".cl-legend-range > span")).toEqual(["≈−1", "this map's range", "≈2.5"]);
  expect(root.querySelector(".cl-rangewords")?.getAttribute("title")).toContain(
    "exact range is being computed",
  );
});

test("a legend has both ends of the range and says whose range it is", () => {
  expect(texts(legend({}, "per_map", [-1, 2.5]), ".cl-legend-range > span")).toEqual([
    "−1",
    "this map's range",
    "2.5",
  ]);
  expect(texts(legend({}, "symmetric", [-2.5, 2.5]), ".cl-legend-range > span")).toEqual([
    "−2.5",
    "0 in the middle",
    "2.5",
  ]);
});

test("a negative end has as many digits as a positive one", () => {
  const ends = texts(legend({}, "symmetric", [-19.4235, 19.4235]), ".cl-legend-range > .cl-number");
  expect(ends).toEqual(["−19.424", "19.424"]);
});

test("all digits of both ends are told by the words between them", () => {
  const words = legend({}, "symmetric", [-19.4235, 19.4235]).querySelector(".cl-rangewords");
  expect(words?.getAttribute("title")).toMatch(/^-19.4235 to 19.4235\. /);
});

test("a map of one value says that it is constant", () => {
  expect(legend({ range: [3, 3] }, "per_map", [3, 3]).textContent).toContain("constant, this map's range");
});

test("NaN and infinities are counted", () => {
  const counts = { nan: 12, posinf: 3, neginf: 1, zeros: 0 };
  expect(texts(legend({ counts }, "per_map", [-1, 2.5]), ".cl-odd > li")).toEqual([
    "12 NaN",
    "3 at +∞",
    "1 at −∞",
  ]);
});

test("a fixed range says on which side values are clipped", () => {
  expect(texts(legend({}, [0, 3], [0, 3]), ".cl-odd > li")).toEqual(["clipped below 0"]);
  expect(texts(legend({}, [-2, 1], [-2, 1]), ".cl-odd > li")).toEqual(["clipped above 1"]);
  expect(texts(legend({}, [-2, 3], [-2, 3]), ".cl-odd > li")).toEqual([]);
});

test("a map that is not there has no numbers in its legend", () => {
  const root = legend({ provenance: "waiting", range: [0, 0] }, [1, 2], [1, 2]);
  expect(texts(root, ".cl-legend-range > .cl-number")).toEqual(["–", "–"]);
  expect(texts(root, ".cl-odd > li")).toEqual([]);
});

test("the value under the pointer has its place on the colour bar", () => {
  const tick = (value: number | null) =>
    legend({}, "per_map", [-1, 3], value).querySelector<HTMLElement>(".cl-bar-tick")?.style.insetInlineStart;
  expect(tick(0)).toBe("25%");
  expect(tick(null)).toBeUndefined();
  expect(tick(4)).toBeUndefined();
});

test.each<[From, string]>([
  ["keras", "Keras"],
  ["preview", "preview"],
  ["stale", "stale"],
  ["waiting", "waiting"],
])("a map from %s is marked %s, in words and with an icon", (from, text) => {
  const root = document.createElement("div");
  const shown = marks(root, from);
  expect(shown.map((mark) => mark.textContent)).toEqual([text]);
  expect(shown[0]?.querySelector("svg")).not.toBeNull();
});

test("the mark of a prediction stays while Keras's maps come between the predictions, and leaves when the hand rests", () => {
  vi.useFakeTimers();
  const root = document.createElement("div");
  const mark = (from: From) => marks(root, from)[0]?.textContent;
  expect(mark("keras")).toBe("Keras");
  for (let move = 0; move < 5; move++) {
    expect(mark("preview")).toBe("preview");
    act(() => void vi.advanceTimersByTime(150));
    expect(mark("keras")).toBe("preview");
    act(() => void vi.advanceTimersByTime(150));
  }
  expect(mark("keras")).toBe("preview");
  act(() => void vi.advanceTimersByTime(50));
  expect(mark("keras")).toBe("Keras");
  // Nothing may be shown longer than it is true.
  expect(mark("stale")).toBe("stale");
  expect(mark("keras")).toBe("Keras");
});

afterEach(() => void vi.useRealTimers());

/** The marks that are shown once a map comes from there. */
function marks(root: Element, from: From): Element[] {
  act(() => render(<Provenance from={from} />, root));
  return [...root.querySelectorAll(".cl-provenance > span")].filter(
    (mark) => mark.getAttribute("aria-hidden") !== "true",
  );
}
