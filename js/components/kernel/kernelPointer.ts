/** Mouse, pen and finger on the cells of a kernel: drag to change a value, hold to paint, tap to select, drag what was tapped. */
import { consume } from "../ui/consume.ts";
import { followPointer } from "../ui/followPointer.ts";
import type { KernelSession, Place } from "./kernelSession.ts";

/** Pixels before a press counts as a drag, so that a click never changes a value. */
const SLACK = 3;

/** The cell that an element lies in, from its `data-at="channel,row,col"`. */
export function placeOf(element: EventTarget | Element | null): Place | null {
  const cell = (element as Element | null)?.closest?.<HTMLElement>("[data-at]");
  if (!cell) return null;
  const [channel = 0, row = 0, col = 0] = (cell.dataset.at as string).split(",").map(Number);
  return { channel, row, col };
}

export function onCellPointerDown(event: PointerEvent, session: KernelSession): void {
  const target = event.target as Element;
  const place = placeOf(target);
  if (!place || event.button !== 0 || target.closest("input")) return;
  session.touch.value = event.pointerType === "touch";
  session.edits.endRun();
  if (session.painting.peek()) paint(event, session, place);
  // A finger scrolls the page as it does anywhere else, but on the cell that was tapped; the tap comes as focus and click.
  else if (!session.touch.peek() || session.contains(place)) drag(event, session, place);
}

/** Up is more, down is less: a hundred pixels are one to ten times the kernel's power of ten; Shift is ten times finer. */
function drag(event: PointerEvent, session: KernelSession, place: Place): void {
  const inside = session.contains(place);
  // A drag that begins inside the selection changes all of it.
  if (!inside || event.shiftKey) session.select(place, event.shiftKey);
  const grid = (event.currentTarget as HTMLElement).dataset;
  let last = event.clientY;
  let travelled = 0;
  let unit = 0;
  followPointer(
    event,
    (e) => {
      if (!session.edits.grabbed) {
        if (unit || Math.abs(e.clientY - last) < SLACK) return;
        unit = session.edits.unit() / 10;
        session.edits.grab();
        grid.dragging = "";
      }
      travelled += (last - e.clientY) * (e.shiftKey ? 0.1 : 1);
      last = e.clientY;
      // Back at the start the change is 0, whatever fractions of pixels added up to.
      travelled = Math.round(travelled * 1000) / 1000;
      session.edits.drag(travelled * unit, e.shiftKey ? unit / 10 : unit);
    },
    (cancelled) => {
      delete grid.dragging;
      if (session.edits.grabbed) {
        session.edits.release(cancelled);
        session.refocus();
      } else if (inside && !unit && !event.shiftKey) session.select(place);
    },
  );
}

function paint(event: PointerEvent, session: KernelSession, first: Place): void {
  const root = (event.target as Element).getRootNode() as Document | ShadowRoot;
  const editor = event.currentTarget as Element;
  const dab = (place: Place) => session.edits.paint(session.index(place), session.paintValue.peek());
  session.select(first);
  session.edits.grab([]);
  dab(first);
  followPointer(
    event,
    (e) => {
      const steps = e.getCoalescedEvents?.() ?? [];
      for (const step of steps.length ? steps : [e]) {
        const under = root.elementFromPoint(step.clientX, step.clientY);
        const place = under && editor.contains(under) ? placeOf(under) : null;
        if (place) dab(place);
      }
    },
    (cancelled) => session.edits.release(cancelled),
  );
}

/**
 * Steps that the wheel makes on a focused cell: one per notch of a mouse wheel, one every so often on a touch pad.
 * Returns a listener for one cell; it must not be passive, since the page must not scroll.
 */
export function cellWheel(session: KernelSession): (event: WheelEvent) => void {
  let rest = 0;
  return (event) => {
    if (event.ctrlKey || session.open.peek() || event.deltaY === 0) return;
    consume(event);
    const pixels = event.deltaY * (event.deltaMode === 0 ? 1 : 40);
    rest = Math.abs(pixels) >= 50 ? pixels : Math.sign(rest) === -Math.sign(pixels) ? pixels : rest + pixels;
    if (Math.abs(rest) < 50) return;
    session.edits.step(-Math.sign(rest), true, event.timeStamp);
    rest = 0;
  };
}
