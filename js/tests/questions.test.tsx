// @vitest-environment happy-dom
/** A newcomer's questions in the help panel, and what a press on one shows. */
import { readFileSync } from "node:fs";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import type { MapView } from "../paint/drawable.ts";
import { notablePixel } from "../paint/notable-pixel.ts";
import { mounted, unmountAll } from "./mounted.tsx";

afterEach(unmountAll);

const KERNELS = [Float32Array.of(1, 0, 0, -1), Float32Array.of(-1, 0, 0, 1)];
const PIXELS = Uint8Array.from({ length: 30 }, (_, i) => (i * 97) % 251);

function help() {
  const { lens, root, python } = mounted({
    rows: 5,
    cols: 6,
    pixels: PIXELS,
    size: 2,
    kernels: KERNELS,
    settings: { activation: "relu" },
  });
  const press = (element: Element | null | undefined) => {
    if (!(element instanceof HTMLElement)) throw new Error("nothing to press");
    act(() => element.click());
    act(() => python.pump());
  };
  const face = root.querySelector('[aria-label="Questions, keys and gestures"]');
  const question = (ask: string) =>
    [...root.querySelectorAll(".cl-questions button")].find(({ textContent }) => textContent === ask);
  const tab = () => root.querySelector("[role=tab][aria-selected=true]")?.textContent;
  return { lens, root, press, face, question, tab };
}

test("the questions are those of the documentation's page", () => {
  const page = readFileSync("docs/tutorial-questions.md", "utf8");
  const asked = [...page.matchAll(/^## (.*)$/gm)].map(([, ask]) => ask);
  const { root } = help();
  expect([...root.querySelectorAll(".cl-questions button")].map((one) => one.textContent)).toEqual(asked);
});

test.each([
  ["Why set weights?", "Shapes"],
  ["What do stride, padding and dilation do?", "Layer"],
  ["Does Keras flip the kernel?", "This pixel"],
])("%s opens %s and closes the panel", (ask, name) => {
  const { press, face, question, tab } = help();
  press(face);
  expect(face?.getAttribute("aria-expanded")).toBe("true");
  press(question(ask));
  expect(face?.getAttribute("aria-expanded")).toBe("false");
  expect(tab()).toBe(name);
  expect(document.activeElement?.textContent).toBe(name);
});

/** What a kernel sums up to at a pixel of the map. */
const sum = (kernel: Float32Array, [row, col]: readonly [number, number]) =>
  (kernel[0] as number) * (PIXELS[row * 6 + col] as number) +
  (kernel[3] as number) * (PIXELS[(row + 1) * 6 + col + 1] as number);

test("why it is black is shown at a pixel whose sum is below 0, of the filter whose zeros were pressed", () => {
  const { lens, root, press, face, question, tab } = help();
  press(face);
  press(question("Why is half of the map black?"));
  expect(sum(KERNELS[0] as Float32Array, lens.pixel.value as [number, number])).toBeLessThan(0);
  press(root.querySelector('[data-card="1"] button.cl-zeros'));
  expect(lens.selected.value).toBe(1);
  expect(sum(KERNELS[1] as Float32Array, lens.pixel.value as [number, number])).toBeLessThan(0);
  expect(tab()).toBe("This pixel");
});

test("a pixel that is pinned is kept where any pixel shows the answer", () => {
  const { lens, press, face, question } = help();
  act(() => lens.pin([3, 1]));
  press(face);
  press(question("What does the bias do?"));
  expect(lens.pixel.value).toEqual([3, 1]);
});

test("the greatest and the least are found whatever the map is drawn from, of equals the middle one", () => {
  const map = (given: Partial<MapView>) =>
    ({ rows: 3, cols: 3, keras: null, preview: null, ...given }) as MapView;
  const preview = (values: number[]) =>
    map({
      preview: {
        values: Float32Array.from(values),
        activation: null,
        ends: null,
        least: 0,
        large: undefined,
      },
    });
  expect(notablePixel(map({}), "least")).toBeNull();
  expect(notablePixel(preview([0, 0, 0, 0, 0, 0, 0, 5, 0]), "greatest")).toEqual([2, 1]);
  expect(notablePixel(preview([0, 0, 0, 0, 0, 0, 0, 5, 0]), "least")).toEqual([1, 1]);
  expect(notablePixel(preview(new Array(9).fill(Number.NaN)), "least")).toBeNull();
  // Two levels, each the mean of half of a map of 8 × 3.
  const keras = { shape: [2, 1], levels: Uint8Array.of(0, 255), flags: null, range: [0, 1] };
  expect(notablePixel(map({ rows: 8, keras } as unknown as Partial<MapView>), "greatest")).toEqual([6, 1]);
});
