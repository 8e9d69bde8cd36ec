// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { card, cell, kernelInPython, press, python, settled, show, type } from "./filter-cards.tsx";

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
    await vi.waitFor(() => expect(kernelInPython()[2]).toBe(Math.fround(1.25)));
    expect(python.history.undo).toBe(1);
  });

  it("is taken back when the pointer is taken away, and changes nothing within three pixels", async () => {
    await show();
    const at = cell(0, 2);
    pointer("pointerdown", 100, at);
    pointer("pointermove", 50, at);
    pointer("pointercancel", 50, at);
    await settled();
    await vi.waitFor(() => expect(kernelInPython()[2]).toBe(1));
    const steps = python.history.undo;
    pointer("pointerdown", 100, at);
    pointer("pointermove", 98, at);
    pointer("pointerup", 98, at);
    expect(python.history.undo).toBe(steps);
  });

  it("is not what a finger does before it has tapped the cell: the page scrolls; a tap brings a slider", async () => {
    await show();
    const at = cell(0, 2);
    pointer("pointerdown", 100, at, "touch");
    pointer("pointermove", 50, at, "touch");
    pointer("pointerup", 50, at, "touch");
    at.focus();
    await vi.waitFor(() => expect(card().querySelector('input[type="range"]')).not.toBeNull());
    expect(kernelInPython()[2]).toBe(1);
    const slider = card().querySelector('input[type="range"]') as HTMLInputElement;
    slider.value = "0.5";
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    slider.dispatchEvent(new Event("change", { bubbles: true }));
    await vi.waitFor(() => expect(kernelInPython()[2]).toBe(0.5));
    // From here on the finger drags the cell as a mouse does, a hundredth of 1 a pixel; any other cell still scrolls.
    const drag = (target: Element) => {
      pointer("pointerdown", 100, target, "touch");
      for (let y = 99; y >= 75; y--) pointer("pointermove", y, target, "touch");
      pointer("pointerup", 75, target, "touch");
    };
    drag(at);
    await vi.waitFor(() => expect(kernelInPython()[2]).toBe(0.75));
    drag(cell(0, 3));
    await settled();
    expect(kernelInPython()[3]).toBe(1);
  });

  it("keeps the slider in sight with the cell that is tapped, wherever on the screen that is", async () => {
    const scrolled = vi.spyOn(Element.prototype, "scrollIntoView");
    await show();
    for (const [times, at] of [cell(0, 2), cell(3, 0)].entries()) {
      pointer("pointerdown", 100, at, "touch");
      pointer("pointerup", 100, at, "touch");
      at.focus();
      await vi.waitFor(() => expect(scrolled).toHaveBeenCalledTimes(times + 1));
      expect(scrolled.mock.contexts[times]).toBe(card().querySelector(".cl-kslider"));
      expect(scrolled).toHaveBeenLastCalledWith({ block: "nearest" });
    }
    scrolled.mockRestore();
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
    await vi.waitFor(() => expect(kernelInPython().slice(4, 8)).toEqual([0.25, 0.25, 0.25, 0.25]));
    expect([...kernelInPython().slice(0, 4), ...kernelInPython().slice(8)]).not.toContain(0.25);
    expect(python.history.undo).toBe(1);
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
    await vi.waitFor(() => expect(kernelInPython()[2]).toBeGreaterThan(1));
    expect(kernelInPython()[3]).toBe(1);
  });
});
