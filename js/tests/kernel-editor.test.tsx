// @vitest-environment happy-dom
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AddFilter } from "../components/filter/AddFilter.tsx";
import { FilterCard } from "../components/filter/FilterCard.tsx";
import type { LensModel } from "../model/lens.ts";
import { Lens } from "../model/store.ts";
import { type FixtureOptions, fixture } from "./fake-host.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** What reached the page around the lens, as a notebook's own shortcuts would see it. */
const leaked: string[] = [];
const onPageKey = (event: KeyboardEvent) => leaked.push(event.key);
let lens: Lens;
let kernel: FakeKernel;
let root: HTMLElement;

function Cards({ lens }: { lens: LensModel }) {
  return (
    <div class="convlens">
      {lens.filters.value.map((filter, index) => (
        <FilterCard key={filter.uid} lens={lens} filter={filter} index={index} />
      ))}
      <AddFilter lens={lens} />
    </div>
  );
}

async function show(options: FixtureOptions = {}): Promise<void> {
  const made = fixture(options);
  kernel = made.kernel;
  kernel.onRequest = () => kernel.pump();
  lens = new Lens(made.model.afm);
  render(<Cards lens={lens} />, root);
  await vi.waitFor(() => expect(cells().length).toBeGreaterThan(0));
}

beforeEach(() => {
  root = document.body.appendChild(document.createElement("div"));
  document.addEventListener("keydown", onPageKey);
  leaked.length = 0;
});

afterEach(() => {
  render(null, root);
  lens.dispose();
  root.remove();
  document.removeEventListener("keydown", onPageKey);
});

const cells = () => [...root.querySelectorAll<HTMLElement>('[role="gridcell"]')];
const card = (index = 0) => root.querySelectorAll<HTMLElement>("[data-card]")[index] as HTMLElement;
const cell = (row: number, col: number, channel = 0, of = 0) =>
  card(of).querySelector(`[data-at="${channel},${row},${col}"]`) as HTMLElement;
const focus = () => document.activeElement as HTMLElement;
const input = () => focus() as HTMLInputElement;
const label = () => focus().getAttribute("aria-label");
const settled = () => vi.waitFor(() => expect(kernel.waiting).toEqual([]));
const marked = () => cells().filter((one) => one.getAttribute("aria-selected") === "true");
/** Python's kernel of a filter. */
const python = (index = 0) => [...(kernel.filters[index]?.kernel ?? [])];

function press(key: string, keys: Partial<KeyboardEventInit> = {}): void {
  const event = { key, bubbles: true, cancelable: true, composed: true, ...keys };
  focus().dispatchEvent(new KeyboardEvent("keydown", event));
}

async function open(row: number, col: number): Promise<void> {
  cell(row, col).focus();
  press("Enter");
  await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
}

/** Type over what the open cell holds. */
function type(text: string): void {
  input().value = text;
  input().dispatchEvent(new Event("input", { bubbles: true }));
}

describe("the grid for a screen reader", () => {
  it("names its cells by row, column and value, counting from 0 as Python does", async () => {
    await show();
    const grid = root.querySelector('[role="grid"]');
    expect(grid?.getAttribute("aria-label")).toBe("Kernel of Filter 1");
    expect(grid?.querySelectorAll('[role="row"]').length).toBe(4);
    expect(cell(1, 2).getAttribute("aria-label")).toBe("row 1, column 2: 1");
    expect(cell(0, 0).getAttribute("aria-label")).toBe("row 0, column 0: −1");
  });

  it("tells the exact number where the cell has room for less", async () => {
    await show({ kernels: [Float32Array.of(1 / 9)], size: 1 });
    expect(cell(0, 0).textContent).toBe("0.111");
    expect(cell(0, 0).getAttribute("aria-label")).toBe("row 0, column 0: 0.111");
    expect(cell(0, 0).title).toBe("0.11111111");
  });

  it("has one tab stop, which follows the focus", async () => {
    await show();
    const stops = () => [...card().querySelectorAll('[role="gridcell"][tabindex="0"]')];
    expect(stops()).toEqual([cell(0, 0)]);
    cell(0, 0).focus();
    press("ArrowDown");
    await vi.waitFor(() => expect(focus()).toBe(cell(1, 0)));
    expect(stops()).toEqual([cell(1, 0)]);
  });

  it("names the planes of a colour kernel by their colours", async () => {
    await show({ channels: 3 });
    const names = [...card().querySelectorAll('[role="grid"]')].map((grid) =>
      grid.getAttribute("aria-label"),
    );
    expect(names).toEqual(["red", "green", "blue"].map((c) => `Kernel of Filter 1, ${c}`));
  });
});

describe("keys", () => {
  it("moves with the arrows and stops at the rim; Home, End and Control go further", async () => {
    await show();
    cell(0, 0).focus();
    for (const [key, ctrlKey, row, col] of [
      ["ArrowUp", false, 0, 0],
      ["ArrowRight", false, 0, 1],
      ["End", false, 0, 3],
      ["ArrowRight", false, 0, 3],
      ["ArrowDown", true, 3, 3],
      ["Home", true, 0, 0],
    ] as const) {
      press(key, { ctrlKey });
      await vi.waitFor(() => expect(focus()).toBe(cell(row, col)));
    }
  });

  it("selects a range with Shift and everything with Control+A", async () => {
    await show();
    cell(1, 1).focus();
    press("ArrowDown", { shiftKey: true });
    press("ArrowRight", { shiftKey: true });
    await vi.waitFor(() => expect(marked()).toEqual([cell(1, 1), cell(1, 2), cell(2, 1), cell(2, 2)]));
    press("a", { ctrlKey: true });
    await vi.waitFor(() => expect(marked().length).toBe(16));
  });

  it("steps with + and −, and loses none of them however fast they come", async () => {
    await show();
    cell(0, 2).focus();
    for (let i = 0; i < 5; i++) press("+");
    press("-");
    await settled();
    await vi.waitFor(() => expect(python()[2]).toBe(Math.fround(1.4)));
  });

  it("zeroes the selection with Delete, as one step of the history", async () => {
    await show();
    cell(0, 0).focus();
    press("ArrowRight", { shiftKey: true });
    press("Delete");
    await vi.waitFor(() => expect(python().slice(0, 4)).toEqual([0, 0, 1, 1]));
    press("z", { ctrlKey: true });
    await vi.waitFor(() => expect(python().slice(0, 4)).toEqual([-1, -1, 1, 1]));
    press("y", { ctrlKey: true });
    await vi.waitFor(() => expect(python().slice(0, 4)).toEqual([0, 0, 1, 1]));
  });

  it("lets none of its keys reach the notebook, and those it does not know pass", async () => {
    await show();
    cell(0, 0).focus();
    for (const key of ["ArrowDown", "Delete", "Backspace", "+", "-"]) press(key);
    for (const key of ["z", "y", "a", "c", "v"]) press(key, { ctrlKey: true });
    for (const key of ["x", "d", "a", "b"]) {
      press(key);
      await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
      press("d");
      press("Escape");
      await vi.waitFor(() => expect(focus().getAttribute("role")).toBe("gridcell"));
    }
    expect(leaked).toEqual([]);
    press("s", { ctrlKey: true });
    expect(leaked).toEqual(["s"]);
  });
});

describe("an open cell", () => {
  it("takes a fraction on Enter and goes down, as a spreadsheet does", async () => {
    await show();
    await open(0, 0);
    expect(input().value).toBe("-1");
    type("1/9");
    press("Enter");
    await vi.waitFor(() => expect(focus()).toBe(cell(1, 0)));
    await settled();
    expect(python()[0]).toBe(Math.fround(1 / 9));
  });

  it("goes right on Tab and back on Shift+Tab, over the ends of rows", async () => {
    await show();
    await open(0, 3);
    press("Tab");
    await vi.waitFor(() => expect(focus()).toBe(cell(1, 0)));
    await open(1, 0);
    press("Tab", { shiftKey: true });
    await vi.waitFor(() => expect(focus()).toBe(cell(0, 3)));
  });

  it("opens by a double click, by Enter and by F2 on the number that is there", async () => {
    await show();
    for (const way of ["dblclick", "Enter", "F2"]) {
      const at = cell(2, 3);
      at.focus();
      if (way === "dblclick") at.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
      else press(way);
      await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
      expect(input().value).toBe("1");
      press("Escape");
      await vi.waitFor(() => expect(focus()).toBe(cell(2, 3)));
    }
    expect(kernel.history.undo).toBe(0);
  });

  it("gives up on Escape", async () => {
    await show();
    await open(0, 0);
    type("7");
    press("Escape");
    await vi.waitFor(() => expect(focus()).toBe(cell(0, 0)));
    expect(python()[0]).toBe(-1);
    expect(lens.history.value.undo).toBe(0);
  });

  it.each(["√2", "abc", "", "1e400"])(
    "keeps %j in place with the reason, and the old value",
    async (text) => {
      await show();
      await open(0, 0);
      type(text);
      press("Enter");
      await vi.waitFor(() => expect(card().querySelector('[role="alert"]')?.textContent).toMatch(/\.$/));
      expect(input().value).toBe(text);
      expect(input().getAttribute("aria-invalid")).toBe("true");
      const described = input().getAttribute("aria-describedby") ?? "";
      expect(document.getElementById(described)?.getAttribute("role")).toBe("alert");
      expect(python()[0]).toBe(-1);
    },
  );

  it("opens by typing, and takes a minus sign and a digit for a negative number, not for a step", async () => {
    await show();
    cell(0, 2).focus();
    press("-");
    press("5");
    await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
    expect(input().value).toBe("-5");
    press("Enter");
    await vi.waitFor(() => expect(python()[2]).toBe(-5));
    press("z", { ctrlKey: true });
    await vi.waitFor(() => expect(python()[2]).toBe(1));
  });

  it("gives every selected cell the number on Control+Enter", async () => {
    await show();
    cell(3, 2).focus();
    press("ArrowRight", { shiftKey: true });
    press("8");
    await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
    press("Enter", { ctrlKey: true });
    await vi.waitFor(() => expect(python().slice(12)).toEqual([-1, -1, 8, 8]));
  });
});

describe("the clipboard", () => {
  function clip(kind: "copy" | "cut" | "paste", text = ""): { text: string; event: Event } {
    const board = { text };
    const event = new Event(kind, { bubbles: true, cancelable: true });
    Object.assign(event, {
      clipboardData: {
        getData: () => board.text,
        setData: (_: string, value: string) => {
          board.text = value;
        },
      },
    });
    // Where a browser sends it while nothing that is focused holds text.
    document.body.dispatchEvent(event);
    return { text: board.text, event };
  }

  it("copies a range as tab-separated text and keeps the event from the notebook", async () => {
    await show();
    cell(0, 1).focus();
    press("ArrowDown", { shiftKey: true });
    press("ArrowRight", { shiftKey: true });
    const { text, event } = clip("copy");
    expect(text).toBe("-1\t1\n-1\t1");
    expect(event.defaultPrevented).toBe(true);
  });

  it("cuts and pastes, saying what did not fit", async () => {
    await show();
    cell(0, 0).focus();
    expect(clip("cut").text).toBe("-1");
    await vi.waitFor(() => expect(python()[0]).toBe(0));
    cell(3, 3).focus();
    clip("paste", "array([[5., 6.],\n       [7., 8.]], dtype=float32)");
    await vi.waitFor(() => expect(python()[15]).toBe(5));
    expect(card().querySelector('[role="status"]')?.textContent).toBe(
      "Pasted 1 × 1 cells; 1 row below and 1 column on the right did not fit.",
    );
  });

  it("fills the selection with a single number", async () => {
    await show();
    cell(0, 0).focus();
    press("a", { ctrlKey: true });
    clip("paste", "1/4");
    await vi.waitFor(() => expect(new Set(python())).toEqual(new Set([0.25])));
  });

  it("refuses what is no block of numbers and changes nothing", async () => {
    await show();
    cell(0, 0).focus();
    clip("paste", "hello\tworld");
    await vi.waitFor(() =>
      expect(card().querySelector('[role="alert"]')?.textContent).toMatch(/^Not pasted/),
    );
    expect(python()[0]).toBe(-1);
  });

  it("leaves copies made elsewhere on the page alone", async () => {
    await show();
    cell(0, 0).focus();
    cell(0, 0).blur();
    expect(clip("copy").event.defaultPrevented).toBe(false);
  });
});

describe("dragging a cell", () => {
  function pointer(type: string, clientY: number, target: Element, pointerType = "mouse"): void {
    const place = {
      clientX: 5,
      clientY,
      pointerId: 1,
      pointerType,
      button: 0,
      bubbles: true,
      cancelable: true,
    };
    target.dispatchEvent(new PointerEvent(type, place));
  }

  it("changes its value by a hundredth of the kernel's power of ten a pixel, as one step of the history", async () => {
    await show();
    const at = cell(0, 2);
    pointer("pointerdown", 100, at);
    for (let y = 99; y >= 75; y--) pointer("pointermove", y, at);
    pointer("pointerup", 75, at);
    await settled();
    await vi.waitFor(() => expect(python()[2]).toBe(Math.fround(1.25)));
    expect(kernel.history.undo).toBe(1);
  });

  it("is taken back when the pointer is taken away, and changes nothing within three pixels", async () => {
    await show();
    const at = cell(0, 2);
    pointer("pointerdown", 100, at);
    pointer("pointermove", 50, at);
    pointer("pointercancel", 50, at);
    await settled();
    await vi.waitFor(() => expect(python()[2]).toBe(1));
    const steps = kernel.history.undo;
    pointer("pointerdown", 100, at);
    pointer("pointermove", 98, at);
    pointer("pointerup", 98, at);
    expect(kernel.history.undo).toBe(steps);
  });

  it("is not what a finger does: the page scrolls, and a slider appears for the tapped cell", async () => {
    await show();
    const at = cell(0, 2);
    pointer("pointerdown", 100, at, "touch");
    pointer("pointermove", 50, at, "touch");
    pointer("pointerup", 50, at, "touch");
    at.focus();
    await vi.waitFor(() => expect(card().querySelector('input[type="range"]')).not.toBeNull());
    expect(python()[2]).toBe(1);
    const slider = card().querySelector('input[type="range"]') as HTMLInputElement;
    slider.value = "0.5";
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    slider.dispatchEvent(new Event("change", { bubbles: true }));
    await vi.waitFor(() => expect(python()[2]).toBe(0.5));
  });
});

describe("paint and wheel", () => {
  function pointer(type: string, target: Element, over: Element): void {
    const init = { clientX: 5, clientY: 5, pointerId: 1, pointerType: "mouse", button: 0 };
    document.elementFromPoint = () => over;
    target.dispatchEvent(new PointerEvent(type, { ...init, bubbles: true, cancelable: true }));
  }

  it("gives the cells that are dragged over one value, as one step of the history", async () => {
    await show();
    const paint = [...card().querySelectorAll("button")].find((one) => one.textContent === "Paint");
    paint?.click();
    await vi.waitFor(() => expect(card().querySelectorAll(".cl-paint input")).toHaveLength(1));
    const value = card().querySelector(".cl-paint input") as HTMLInputElement;
    value.focus();
    type("1/4");
    press("Enter");
    pointer("pointerdown", cell(1, 0), cell(1, 0));
    for (const col of [1, 2, 3]) pointer("pointermove", cell(1, 0), cell(1, col));
    pointer("pointerup", cell(1, 0), cell(1, 3));
    await vi.waitFor(() => expect(python().slice(4, 8)).toEqual([0.25, 0.25, 0.25, 0.25]));
    expect([...python().slice(0, 4), ...python().slice(8)]).not.toContain(0.25);
    expect(kernel.history.undo).toBe(1);
  });

  it("changes a cell by the wheel only while that cell has the focus", async () => {
    await show();
    const wheel = (at: Element) => {
      const event = new WheelEvent("wheel", { deltaY: -120, bubbles: true, cancelable: true });
      at.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(wheel(cell(0, 2))).toBe(false);
    cell(0, 2).focus();
    expect(wheel(cell(0, 3))).toBe(false);
    expect(wheel(cell(0, 2))).toBe(true);
    await vi.waitFor(() => expect(python()[2]).toBeGreaterThan(1));
    expect(python()[3]).toBe(1);
  });
});

describe("a filter's menu", () => {
  async function menu(of = 0): Promise<HTMLElement[]> {
    const button = card(of).querySelector(".cl-more") as HTMLElement;
    button.focus();
    press("ArrowDown");
    await vi.waitFor(() => expect(focus().getAttribute("role")).toBe("menuitem"));
    return [...card(of).querySelectorAll<HTMLElement>('[role="menuitem"]')];
  }
  const item = (items: HTMLElement[], text: string) =>
    items.find((one) => one.textContent === text) as HTMLElement;

  it("opens on its first entry, walks with the arrows and by letter, and gives the focus back on Escape", async () => {
    await show();
    const items = await menu();
    expect(focus()).toBe(items[0]);
    press("ArrowUp");
    expect(focus().textContent).toBe("Delete");
    press("t");
    expect(focus().textContent).toBe("Transpose");
    press("Escape");
    await vi.waitFor(() => expect(label()).toBe("Operations on Filter 1"));
    expect(leaked).toEqual([]);
  });

  it("transposes the kernel that Python holds", async () => {
    await show();
    item(await menu(), "Transpose").click();
    await vi.waitFor(() =>
      expect(python()).toEqual([-1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1]),
    );
    expect(label()).toBe("Operations on Filter 1");
  });

  const ODD = [1, 2, 3, 4, 5, 6, 7, 8, 10];
  const norm = Math.hypot(...ODD);
  it.each([
    ["Negate", ODD.map((v) => -v)],
    ["Rotate 90° clockwise", [7, 4, 1, 8, 5, 2, 10, 6, 3]],
    ["Flip left–right", [3, 2, 1, 6, 5, 4, 10, 8, 7]],
    ["Flip top–bottom", [7, 8, 10, 4, 5, 6, 1, 2, 3]],
    ["Normalise: sum to 1", ODD.map((v) => v / 46)],
    ["Normalise: zero mean", ODD.map((v) => v - 46 / 9)],
    ["Normalise: unit norm", ODD.map((v) => v / norm)],
    ["Set to zero", ODD.map(() => 0)],
  ])("does what it says: %s", async (text, expected) => {
    await show({ size: 3, kernels: [Float32Array.from(ODD), Float32Array.from(ODD)] });
    item(await menu(), text).click();
    await vi.waitFor(() => expect(python()).toEqual(expected.map((v) => expect.closeTo(v, 5))));
    expect(python(1)).toEqual(ODD);
    expect(kernel.history.undo).toBe(1);
  });

  it("scales by any number that is typed", async () => {
    await show({ size: 3, kernels: [Float32Array.from(ODD)] });
    item(await menu(), "Scale…").click();
    await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
    type("1/2");
    press("Enter");
    await vi.waitFor(() => expect(python()).toEqual(ODD.map((v) => v / 2)));
  });

  it("duplicates a filter beside itself and deletes it again", async () => {
    await show();
    item(await menu(1), "Duplicate").click();
    const names = () => kernel.filters.map((one) => one.name);
    await vi.waitFor(() =>
      expect(names()).toEqual(["Filter 1", "Filter 2", "Filter 2 copy", "Filter 3", "Filter 4"]),
    );
    expect(python(2)).toEqual(python(1));
    await vi.waitFor(() => expect(root.querySelectorAll("[data-card]")).toHaveLength(5));
    item(await menu(2), "Delete").click();
    await vi.waitFor(() => expect(names()).toEqual(["Filter 1", "Filter 2", "Filter 3", "Filter 4"]));
  });

  it("says why a kernel that sums to 0 cannot be normalised to a sum of 1", async () => {
    await show();
    item(await menu(), "Normalise: sum to 1").click();
    await vi.waitFor(() =>
      expect(card().querySelector('[role="alert"]')?.textContent).toMatch(/^The kernel sums to 0/),
    );
  });

  it("offers no transpose where it would give one kernel of many another shape, and says so", async () => {
    const kernels = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)];
    await show({ kernels, size: 1, settings: { kernel_size: [1, 3] } });
    const transpose = item(await menu(), "Transpose");
    expect(transpose.getAttribute("aria-disabled")).toBe("true");
    expect(transpose.title).toMatch(/one shape, here 1 × 3/);
    transpose.click();
    expect(python()).toEqual([1, 2, 3]);
  });

  it("inside a model offers to zero a filter and says why it cannot be added, moved or removed", async () => {
    await show({ settings: { builtin: false, path: "block/conv" } });
    const items = await menu();
    for (const text of ["Duplicate", "Move down", "Delete"]) {
      expect(item(items, text).title).toMatch(/part of a model/);
    }
    lens.edit([{ uid: 1, bias: 3 }]);
    item(items, "Ablate: kernel and bias to 0").click();
    await vi.waitFor(() => expect(new Set(python())).toEqual(new Set([0])));
    expect(kernel.filters[0]?.bias).toBe(0);
    expect(root.querySelector<HTMLButtonElement>(".cl-add button")?.disabled).toBe(true);
  });

  it("resizes every kernel around its centre", async () => {
    await show();
    item(await menu(), "Resize all kernels…").click();
    await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
    type("2");
    press("Enter");
    await vi.waitFor(() => expect(kernel.geometry.kernel_size).toEqual([2, 2]));
    // Of four rows and columns the second is the centre, of two the first.
    expect(python()).toEqual([-1, 1, -1, 1]);
  });

  it("replaces the kernel by a preset, saying how another size is fitted", async () => {
    await show();
    item(await menu(), "Presets…").click();
    await vi.waitFor(() => expect(focus().className).toBe("cl-preset"));
    press("s");
    expect(focus().textContent).toBe("Sobel x3 × 3, padded to 4 × 4");
    focus().click();
    await vi.waitFor(() => expect(python()).toEqual([-1, 0, 1, 0, -2, 0, 2, 0, -1, 0, 1, 0, 0, 0, 0, 0]));
  });

  it("spreads a preset over colour channels without changing its weight", async () => {
    await show({ channels: 3, kernels: [new Float32Array(27)], size: 3 });
    item(await menu(), "Presets…").click();
    await vi.waitFor(() => expect(focus().className).toBe("cl-preset"));
    focus().click();
    const third = Math.fround(1 / 3);
    await vi.waitFor(() => expect(python().slice(12, 15)).toEqual([third, third, third]));
  });
});

describe("the list of filters", () => {
  const names = () => kernel.filters.map((one) => one.name);

  it("is put in order with Alt and the arrows, and the focus stays where it was", async () => {
    await show();
    cell(1, 1).focus();
    press("ArrowDown", { altKey: true });
    await vi.waitFor(() => expect(names()).toEqual(["Filter 2", "Filter 1", "Filter 3", "Filter 4"]));
    await vi.waitFor(() => expect(focus()).toBe(cell(1, 1, 0, 1)));
  });

  it("takes a new name on Enter and the old one back on Escape", async () => {
    await show();
    const name = card().querySelector(".cl-name") as HTMLInputElement;
    name.focus();
    type("Vertical");
    press("Enter");
    await vi.waitFor(() => expect(names()[0]).toBe("Vertical"));
    name.focus();
    type("Nonsense");
    press("Escape");
    expect(name.value).toBe("Vertical");
    expect(names()[0]).toBe("Vertical");
  });

  it("grows by a blank filter of the same shape", async () => {
    await show();
    root.querySelector<HTMLElement>(".cl-add button")?.click();
    await vi.waitFor(() => expect(names().length).toBe(5));
    expect(python(4)).toEqual(new Array(16).fill(0));
  });

  it("takes a bias as any number is typed, and refuses what is none", async () => {
    await show();
    const bias = card().querySelector(".cl-numfield input") as HTMLInputElement;
    bias.focus();
    type("-1/4");
    press("Enter");
    await vi.waitFor(() => expect(kernel.filters[0]?.bias).toBe(-0.25));
    type("much");
    press("Enter");
    await vi.waitFor(() => expect(bias.getAttribute("aria-invalid")).toBe("true"));
    expect(kernel.filters[0]?.bias).toBe(-0.25);
  });
});
