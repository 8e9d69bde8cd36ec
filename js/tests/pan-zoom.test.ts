// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test } from "vitest";
import { panZoom } from "../components/picture/panZoom.ts";
import { type Pane, type Pixel, placeOver, WHOLE, zoomLimit } from "../paint/viewport.ts";

const size = { rows: 100, cols: 200 };
const pane: Pane = { size, box: { width: 400, height: 200 }, place: placeOver(size) };

const viewport = signal(WHOLE);
let frame: HTMLDivElement;
let hovered: (Pixel | null)[];
let picked: Pixel[];
let stop: () => void;

beforeEach(() => {
  viewport.value = WHOLE;
  [hovered, picked] = [[], []];
  frame = document.body.appendChild(document.createElement("div"));
  frame.tabIndex = 0;
  frame.getBoundingClientRect = () => new DOMRect(1000, 50, 400, 200);
  stop = panZoom(frame, {
    viewport,
    pane: () => pane,
    limit: () => zoomLimit(size),
    hover: (pixel) => hovered.push(pixel),
    pick: (pixel) => picked.push(pixel),
  });
});

afterEach(() => {
  stop();
  frame.remove();
});

/** A pointer event at (x, y) within the frame. */
function pointer(type: string, x: number, y: number, pointerId = 1) {
  frame.dispatchEvent(
    new PointerEvent(type, { pointerId, button: 0, clientX: 1000 + x, clientY: 50 + y, bubbles: true }),
  );
}

function wheel(deltaY: number): WheelEvent {
  const event = new WheelEvent("wheel", {
    deltaY,
    clientX: 1200,
    clientY: 150,
    bubbles: true,
    cancelable: true,
  });
  frame.dispatchEvent(event);
  return event;
}

test("where a full screen magnifies the lens, the pixel under the pointer is the one that is seen there", () => {
  // A box of 400 × 200 pixels takes 800 × 400 on the screen: (600, 100) there is (300, 50) in it, and 2 a pixel.
  Object.assign(frame, { currentCSSZoom: 2 });
  pointer("pointermove", 600, 100);
  expect(hovered).toEqual([{ row: 25, col: 150 }]);
});

test("the wheel scrolls the page until the picture has the focus", () => {
  expect(wheel(-100).defaultPrevented).toBe(false);
  expect(viewport.value).toEqual(WHOLE);
  frame.focus();
  expect(wheel(-100).defaultPrevented).toBe(true);
  expect(viewport.value.zoom).toBeGreaterThan(1);
});

test("a click picks the pixel under it", () => {
  pointer("pointerdown", 100, 50);
  pointer("pointerup", 101, 51);
  // 2 CSS pixels a pixel: (101, 51) lies in column 50, row 25.
  expect(picked).toEqual([{ row: 25, col: 50 }]);
});

test("a drag pans a magnified picture and picks nothing", () => {
  viewport.value = { x: 0.5, y: 0.5, zoom: 4 };
  pointer("pointerdown", 200, 100);
  for (const x of [210, 230, 260]) pointer("pointermove", x, 100);
  pointer("pointerup", 260, 100);
  // 60 CSS pixels to the right at 8 a pixel: the window moves 7.5 of 200 columns to the left.
  expect(viewport.value.x).toBeCloseTo(0.5 - 7.5 / 200, 9);
  expect(picked).toEqual([]);
});

test("a drag over the whole picture leaves it where it is", () => {
  pointer("pointerdown", 200, 100);
  pointer("pointermove", 260, 100);
  pointer("pointerup", 260, 100);
  expect(viewport.value).toEqual(WHOLE);
  expect(picked).toEqual([]);
});

test("two fingers magnify by the ratio of their distances and pick nothing", () => {
  pointer("pointerdown", 180, 100, 1);
  pointer("pointerdown", 220, 100, 2);
  pointer("pointermove", 160, 100, 1);
  pointer("pointermove", 240, 100, 2);
  pointer("pointerup", 160, 100, 1);
  pointer("pointerup", 240, 100, 2);
  expect(viewport.value.zoom).toBeCloseTo(80 / 40, 9);
  expect(picked).toEqual([]);
});

test("a finger that the page takes to scroll picks nothing", () => {
  pointer("pointerdown", 180, 100);
  pointer("pointercancel", 180, 100);
  expect(picked).toEqual([]);
});

test("the pixel under the pointer is told, and that there is none once it has left", () => {
  pointer("pointermove", 3, 5);
  pointer("pointerleave", -1, 5);
  expect(hovered).toEqual([{ row: 2, col: 1 }, null]);
});

test("a double click shows the whole picture", () => {
  viewport.value = { x: 0.3, y: 0.6, zoom: 5 };
  frame.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
  expect(viewport.value).toEqual(WHOLE);
});
