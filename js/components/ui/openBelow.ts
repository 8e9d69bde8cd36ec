/** Lists in the top layer, since a notebook's output area clips everything else. */
import { zoomOf } from "./fullScreen.ts";

const MARGIN = 4;

/**
 * Show a popover beside the control that it belongs to. `onScroll` is called when something has scrolled the control away
 * from it, so that it is no longer where it should be. The result is the clean-up.
 */
export function openBelow(
  popover: HTMLElement,
  control: HTMLElement,
  side: "start" | "end",
  onScroll: () => void,
): () => void {
  // Showing a popover that is already shown is an error.
  if (popover.showPopover && !popover.matches(":popover-open")) popover.showPopover();
  place(popover, control, side);
  const document = popover.ownerDocument;
  const where = control.getBoundingClientRect();
  const scrolled = () => {
    const now = control.getBoundingClientRect();
    // A scroll that ended with the press that opened the popover is announced only afterwards, and moves nothing any
    // more.
    if (Math.abs(now.top - where.top) >= 1 || Math.abs(now.left - where.left) >= 1) onScroll();
  };
  document.addEventListener("scroll", scrolled, true);
  return () => document.removeEventListener("scroll", scrolled, true);
}

/** Below the control, or above it where there is more room; one edge on the control's, inside the window. */
function place(popover: HTMLElement, control: HTMLElement, side: "start" | "end"): void {
  const at = control.getBoundingClientRect();
  const view = popover.ownerDocument.documentElement;
  const zoom = zoomOf(popover);
  const px = (length: number) => `${length / zoom}px`;
  const height = popover.scrollHeight * zoom;
  const below = view.clientHeight - at.bottom - MARGIN;
  const above = at.top - MARGIN;
  const down = below >= height || below >= above;
  const room = Math.max(120, down ? below : above);
  popover.style.maxHeight = px(room - MARGIN);
  const width = popover.offsetWidth * zoom;
  const left = Math.min(side === "end" ? at.right - width : at.left, view.clientWidth - MARGIN - width);
  const top = Math.max(MARGIN, at.top - MARGIN / 2 - Math.min(height + 2, room - MARGIN));
  popover.style.top = px(down ? at.bottom + MARGIN / 2 : top);
  popover.style.left = px(Math.max(MARGIN, left));
}
