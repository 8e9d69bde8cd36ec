/** Wheel, drag, pinch, hover and click on one picture, turned into changes of the shared viewport. */
import type { Signal } from "@preact/signals";
import {
  type Pane,
  type Pixel,
  panBy,
  pixelAt,
  type Viewport,
  viewOf,
  WHOLE,
  zoomAt,
} from "../../paint/viewport.ts";
import { consume } from "../ui/consume.ts";
import { zoomOf } from "../ui/fullScreen.ts";

export interface PanZoomTarget {
  viewport: Signal<Viewport>;
  pane(): Pane;
  /** Greatest magnification. */
  limit(): number;
  hover(pixel: Pixel | null): void;
  pick(pixel: Pixel): void;
  /** What a double click does instead of showing the whole picture. */
  open?: ((pixel: Pixel | null) => void) | undefined;
}

/** CSS pixels that a pointer may move in a click. */
const CLICK = 4;
const LINE = 16;

/** Listen on `element`, whose content box is the pane's box; returns a function that stops it. */
export function panZoom(element: HTMLElement, target: PanZoomTarget): () => void {
  const down = new Map<number, { x: number; y: number }>();
  let dragging = false;
  let pinched = false;
  let start = { x: 0, y: 0 };

  const point = (event: { clientX: number; clientY: number }) => {
    const rect = element.getBoundingClientRect();
    const zoom = zoomOf(element);
    return {
      x: (event.clientX - rect.left) / zoom - element.clientLeft,
      y: (event.clientY - rect.top) / zoom - element.clientTop,
    };
  };
  const pixel = (at: { x: number; y: number }) =>
    pixelAt(viewOf(target.pane(), target.viewport.peek()), at.x, at.y);
  const zoom = (factor: number, at: { x: number; y: number }) => {
    target.viewport.value = zoomAt(target.pane(), target.viewport.peek(), factor, target.limit(), at.x, at.y);
  };
  const pan = (dx: number, dy: number) => {
    target.viewport.value = panBy(target.pane(), target.viewport.peek(), dx, dy);
  };

  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const at = point(event);
    if (down.size === 0) {
      start = at;
      dragging = false;
      pinched = false;
    }
    down.set(event.pointerId, at);
  };

  const onMove = (event: PointerEvent) => {
    const at = point(event);
    const last = down.get(event.pointerId);
    if (last && down.size === 2) {
      pinch(event.pointerId, last, at);
    } else if (last && target.viewport.peek().zoom > 1) {
      if (!dragging && Math.hypot(at.x - start.x, at.y - start.y) > CLICK) {
        dragging = true;
        element.setPointerCapture(event.pointerId);
      }
      if (dragging) pan(at.x - last.x, at.y - last.y);
    }
    if (last && (dragging || down.size === 2)) down.set(event.pointerId, at);
    target.hover(dragging ? null : pixel(at));
  };

  const pinch = (id: number, from: { x: number; y: number }, to: { x: number; y: number }) => {
    pinched = true;
    const other = [...down].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const spread = (p: { x: number; y: number }) => Math.hypot(p.x - other.x, p.y - other.y);
    pan((to.x - from.x) / 2, (to.y - from.y) / 2);
    if (spread(from) > 0)
      zoom(spread(to) / spread(from), { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 });
  };

  const onUp = (event: PointerEvent) => {
    if (!down.delete(event.pointerId) || down.size > 0) return;
    const at = point(event);
    if (dragging || pinched || Math.hypot(at.x - start.x, at.y - start.y) > CLICK) return;
    const picked = pixel(at);
    if (picked) target.pick(picked);
  };

  const onCancel = (event: PointerEvent) => {
    down.delete(event.pointerId);
    target.hover(null);
  };

  const onWheel = (event: WheelEvent) => {
    // Without the focus the wheel belongs to the page, or the notebook could not be scrolled past the lens.
    if (!element.matches(":focus")) return;
    consume(event);
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), point(event));
  };

  // Two fingers are the lens's; one finger scrolls the page until the picture is magnified (`touch-action` in maps.css).
  const onTouch = (event: TouchEvent) => {
    if (event.touches.length > 1 && event.cancelable) event.preventDefault();
  };

  const stop = new AbortController();
  const { signal } = stop;
  element.addEventListener("pointerdown", onDown, { signal });
  element.addEventListener("pointermove", onMove, { signal });
  element.addEventListener("pointerup", onUp, { signal });
  element.addEventListener("pointercancel", onCancel, { signal });
  element.addEventListener("pointerleave", () => target.hover(null), { signal });
  element.addEventListener("lostpointercapture", (event) => down.delete(event.pointerId), { signal });
  element.addEventListener("wheel", onWheel, { passive: false, signal });
  element.addEventListener("touchmove", onTouch, { passive: false, signal });
  element.addEventListener(
    "dblclick",
    (event) => {
      if (target.open) target.open(pixel(point(event)));
      else target.viewport.value = WHOLE;
    },
    { signal },
  );
  return () => stop.abort();
}
