// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import {
  card,
  cell,
  focus,
  input,
  kernelInPython,
  leaked,
  lens,
  marked,
  open,
  press,
  python,
  root,
  settled,
  show,
  type,
} from "./filter-cards.tsx";

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

describe("a 1 × 1 kernel", () => {
  it("shows all of its channels as colours, and the one that is pressed as a cell", async () => {
    await show({ channels: 6, size: 1, kernels: [Float32Array.of(0, 1, -1, 0.5, 0, 0.25)] });
    const marks = () => [...card().querySelectorAll<HTMLElement>(".cl-channels > i")];
    expect(marks().map(({ title }) => title)).toEqual(
      ["0", "1", "−1", "0.5", "0", "0.25"].map((text, k) => `${k}: ${text}`),
    );
    // Equal numbers have one colour, and the ends of the scale two.
    const colors = marks().map(({ style }) => style.background);
    expect([new Set(colors).size, colors[0] === colors[4]]).toEqual([5, true]);
    marks()[2]?.click();
    await vi.waitFor(() => expect(cell(0, 0, 2).textContent).toBe("−1"));
    expect(
      marks()
        .map(({ dataset }) => dataset.on !== undefined)
        .indexOf(true),
    ).toBe(2);
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
    await vi.waitFor(() => expect(kernelInPython()[2]).toBe(Math.fround(1.4)));
  });

  it("zeroes the selection with Delete, as one step of the history", async () => {
    await show();
    cell(0, 0).focus();
    press("ArrowRight", { shiftKey: true });
    press("Delete");
    await vi.waitFor(() => expect(kernelInPython().slice(0, 4)).toEqual([0, 0, 1, 1]));
    press("z", { ctrlKey: true });
    await vi.waitFor(() => expect(kernelInPython().slice(0, 4)).toEqual([-1, -1, 1, 1]));
    press("y", { ctrlKey: true });
    await vi.waitFor(() => expect(kernelInPython().slice(0, 4)).toEqual([0, 0, 1, 1]));
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
    expect(kernelInPython()[0]).toBe(Math.fround(1 / 9));
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
    expect(python.history.undo).toBe(0);
  });

  it("gives up on Escape", async () => {
    await show();
    await open(0, 0);
    type("7");
    press("Escape");
    await vi.waitFor(() => expect(focus()).toBe(cell(0, 0)));
    expect(kernelInPython()[0]).toBe(-1);
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
      expect(kernelInPython()[0]).toBe(-1);
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
    await vi.waitFor(() => expect(kernelInPython()[2]).toBe(-5));
    press("z", { ctrlKey: true });
    await vi.waitFor(() => expect(kernelInPython()[2]).toBe(1));
  });

  it("gives every selected cell the number on Control+Enter", async () => {
    await show();
    cell(3, 2).focus();
    press("ArrowRight", { shiftKey: true });
    press("8");
    await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
    press("Enter", { ctrlKey: true });
    await vi.waitFor(() => expect(kernelInPython().slice(12)).toEqual([-1, -1, 8, 8]));
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
    await vi.waitFor(() => expect(kernelInPython()[0]).toBe(0));
    cell(3, 3).focus();
    clip("paste", "array([[5., 6.],\n       [7., 8.]], dtype=float32)");
    await vi.waitFor(() => expect(kernelInPython()[15]).toBe(5));
    expect(card().querySelector('[role="status"]')?.textContent).toBe(
      "Pasted 1 × 1 cells; 1 row below and 1 column on the right did not fit.",
    );
  });

  it("fills the selection with a single number", async () => {
    await show();
    cell(0, 0).focus();
    press("a", { ctrlKey: true });
    clip("paste", "1/4");
    await vi.waitFor(() => expect(new Set(kernelInPython())).toEqual(new Set([0.25])));
  });

  it("refuses what is no block of numbers and changes nothing", async () => {
    await show();
    cell(0, 0).focus();
    clip("paste", "hello\tworld");
    await vi.waitFor(() =>
      expect(card().querySelector('[role="alert"]')?.textContent).toMatch(/^Not pasted/),
    );
    expect(kernelInPython()[0]).toBe(-1);
  });

  it("leaves copies made elsewhere on the page alone", async () => {
    await show();
    cell(0, 0).focus();
    cell(0, 0).blur();
    expect(clip("copy").event.defaultPrevented).toBe(false);
  });
});
