// @vitest-environment happy-dom
/** A latent vector in the place of an image: what is shown of it, and how its numbers are changed. */
import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { floatsOf } from "../protocol/bytes.ts";
import type { LayerRecord } from "../protocol/records.ts";
import { mounted, unmountAll } from "./mounted.tsx";

const LAYER: LayerRecord = {
  path: "up",
  class_name: "Conv2D",
  input_shape: [24, 32, 1],
  output_shape: [21, 29, 4],
  kernel_size: [4, 4],
  filters: 4,
};
const NUMBERS = Array.from({ length: 11 }, (_, i) => Math.fround(i / 4 - 1));

const show = (vector: readonly number[] = NUMBERS) => mounted({ layers: [LAYER], vector });
type Shown = ReturnType<typeof show>;

const strip = ({ root }: Shown) => root.querySelector(".cl-vector") as HTMLElement;
const cells = (shown: Shown) => [...strip(shown).querySelectorAll<HTMLElement>('[role="gridcell"]')];
const label = (cell: Element | undefined) => cell?.getAttribute("aria-label");
const put = (numbers: readonly number[], at: number, value: number) =>
  numbers.map((one, i) => (i === at ? value : one));
const focus = () => document.activeElement as HTMLElement;

async function press(key: string, init: KeyboardEventInit = {}): Promise<void> {
  await act(() => {
    focus().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }));
  });
}

async function type(shown: Shown, number: number, text: string): Promise<void> {
  await act(() => cells(shown)[number]?.focus());
  await press("Enter");
  const input = focus() as HTMLInputElement;
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await press("Enter");
}

afterEach(unmountAll);

describe("the strip", () => {
  test("has every number as a cell that says which it is", () => {
    const shown = show();
    expect(cells(shown)).toHaveLength(11);
    expect(cells(shown).slice(0, 4).map(label)).toEqual([
      "number 0: −1",
      "number 1: −0.75",
      "number 2: −0.5",
      "number 3: −0.25",
    ]);
    expect(strip(shown).querySelector('[role="grid"]')?.getAttribute("aria-label")).toBe("Latent vector");
    expect(strip(shown).querySelector("figcaption")?.textContent).toBe("latent vector (11,)");
    expect(shown.root.querySelector("canvas[class*=image], .cl-file")).toBeNull();
  });

  test("of a vector longer than a page holds shows the first numbers, and keeps the others", async () => {
    const shown = show(Array.from({ length: 1030 }, (_, i) => i));
    expect(cells(shown)).toHaveLength(1024);
    expect(strip(shown).textContent).toContain("The first 1024 of 1030 numbers; lens.image has them all.");
    await type(shown, 0, "7");
    act(() => shown.python.pump());
    expect(shown.python.vector).toEqual([7, ...Array.from({ length: 1029 }, (_, i) => i + 1)]);
  });
});

describe("an edit", () => {
  test("is shown at once, sent as the whole vector, and no step of history", async () => {
    const shown = show();
    await type(shown, 2, "1/2");
    expect(label(cells(shown)[2])).toBe("number 2: 0.5");
    const sent = shown.python.waiting.map(({ content }) => content as { type: string });
    expect(sent.filter(({ type }) => type === "vector")).toHaveLength(1);
    expect(shown.python.vector).toEqual(NUMBERS);
    act(() => shown.python.pump());
    expect(shown.python.vector).toEqual(put(NUMBERS, 2, 0.5));
    expect(label(cells(shown)[2])).toBe("number 2: 0.5");
    expect(shown.lens.history.value).toEqual({ undo: 0, redo: 0 });
  });

  test("steps by keys, one after another before Python answers, and all arrive", async () => {
    const shown = show();
    await act(() => cells(shown)[4]?.focus());
    await press("+");
    await press("+");
    const once = [...(shown.lens.network.vector.value as Float32Array)];
    expect(once[4]).toBeGreaterThan(0);
    act(() => shown.python.pump());
    expect(shown.python.vector).toEqual(once);
    expect(put(once, 4, 0)).toEqual(NUMBERS);
  });

  test("Python's own vector takes the place of what is shown", () => {
    const shown = show();
    const other = new DataView(Float32Array.from(NUMBERS, (value) => -value).buffer);
    const image = shown.model.afm.get("_image");
    act(() => shown.python.assignTrait("_image", { ...image, version: 2, data: other }));
    expect(label(cells(shown)[0])).toBe("number 0: 1");
  });

  test("that Python refuses is taken back, with the reason", async () => {
    const shown = show();
    await type(shown, 1, "nan");
    act(() => shown.python.pump());
    expect(label(cells(shown)[1])).toBe("number 1: −0.75");
    expect(shown.lens.problem.value?.text).toContain("takes no NaN");
  });

  test("while Python is not connected is not made, and that is said", async () => {
    const shown = show();
    shown.model.deliver = () => {
      throw new Error("no kernel");
    };
    act(() => shown.lens.select(1));
    await type(shown, 1, "3");
    expect(label(cells(shown)[1])).toBe("number 1: −0.75");
    expect(shown.lens.problem.value?.text).toContain("running kernel");
  });

  test("Ctrl+Z in the strip takes back no edit of a filter", async () => {
    const shown = show();
    const uid = shown.lens.filters.value[0]?.uid ?? 0;
    act(() => shown.lens.edit([{ uid, taps: { index: [0], value: [9] } }]));
    act(() => shown.python.pump());
    await act(() => cells(shown)[0]?.focus());
    await press("z", { ctrlKey: true });
    act(() => shown.python.pump());
    expect(shown.lens.history.value.undo).toBe(1);
  });
});

describe("the keys", () => {
  test("go no further than the last number, also where the last row lacks cells", async () => {
    const shown = show();
    await act(() => cells(shown)[3]?.focus());
    await press("End", { ctrlKey: true });
    await vi.waitFor(() => expect(label(focus())).toMatch(/^number 10:/));
    await press("ArrowRight");
    expect(label(focus())).toMatch(/^number 10:/);
    await press("Home", { ctrlKey: true });
    await vi.waitFor(() => expect(label(focus())).toMatch(/^number 0:/));
    // Down from the last column of the first row, where the row below is shorter.
    await press("End");
    for (let i = 0; i < 11; i++) await press("ArrowDown");
    await vi.waitFor(() => expect(label(focus())).toMatch(/^number 10:/));
  });
});

test("what the page sends is float32, as Python reads it", async () => {
  const shown = show([0.1, 0.2]);
  await type(shown, 0, "0.3");
  const [message] = shown.python.waiting.filter(
    ({ content }) => (content as { type: string }).type === "vector",
  );
  expect(message?.buffers).toHaveLength(1);
  expect([...floatsOf(message?.buffers?.[0] as ArrayBuffer)]).toEqual([Math.fround(0.3), Math.fround(0.2)]);
});
