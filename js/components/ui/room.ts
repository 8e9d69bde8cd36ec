/** How much room the lens has: its own width, and the height of what scrolls it, without what its bars take. */
import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { Room } from "../../maths/arrangement.ts";
import { growth, isFull } from "./fullScreen.ts";

/** Until the lens is on the page. */
const UNKNOWN: Room = { width: 960, height: 700, bars: 42, overview: 0, coarse: false };
/** A scroller that shows less than this is a frame around one output, not the one that scrolls the page. */
const LEAST_HEIGHT = 360;
/** Changes of height that are not worth a new arrangement, such as a status bar that comes and goes. */
const STEADY = 24;
/** Share of the screen that a page inside another page is assumed to have. */
const FRAME_SHARE = 0.7;

/** The ancestors that scroll up and down, the nearest first, through shadow roots. */
function scrollers(element: Element): HTMLElement[] {
  const found: HTMLElement[] = [];
  const above = (one: Element) =>
    one.assignedSlot ?? one.parentElement ?? (one.getRootNode() as Partial<ShadowRoot>).host ?? null;
  for (let at = above(element); at && at !== document.documentElement; at = above(at)) {
    if (/auto|scroll/.test(getComputedStyle(at).overflowY)) found.push(at as HTMLElement);
  }
  return found;
}

/**
 * Heights that bound what is seen. A frame is as high as its content in many hosts (Colab, VS Code), so that its window says
 * nothing; and so is an output area that could scroll and does not. The outermost scroller is the page's own.
 */
export function visibleHeight(element: Element): number {
  const all = scrollers(element);
  const framed = window.parent !== window;
  const bounds = [framed ? screen.availHeight * FRAME_SHARE : window.innerHeight];
  all.forEach((one, i) => {
    const outermost = i === all.length - 1;
    const scrolls = one.scrollHeight > one.clientHeight + 1;
    if (one.clientHeight >= LEAST_HEIGHT && (scrolls || (outermost && !one.matches("body"))))
      bounds.push(one.clientHeight);
  });
  return Math.max(LEAST_HEIGHT, Math.min(...bounds));
}

export function useRoom(
  root: RefObject<HTMLElement | null>,
  bars: RefObject<HTMLElement | null>,
): ReadonlySignal<Room> {
  const room = useSignal<Room>(UNKNOWN);
  useLayoutEffect(() => {
    const element = root.current;
    const head = bars.current;
    if (!element || !head) return;
    const coarse = matchMedia("(pointer: coarse)");
    const measure = () => {
      const zoom = growth(element);
      element.style.zoom = `${zoom}`;
      const { clientWidth: width } = element;
      if (width === 0) return;
      const last = room.peek();
      const seen = isFull(element) ? innerHeight / zoom : visibleHeight(element);
      const height = Math.abs(seen - last.height) < STEADY ? last.height : seen;
      const next = { width, height, bars: head.offsetHeight, overview: 0, coarse: coarse.matches };
      if (JSON.stringify(next) !== JSON.stringify(last)) room.value = next;
    };
    const sizes = new ResizeObserver(measure);
    for (const one of [element, head, ...scrollers(element)]) sizes.observe(one);
    window.addEventListener("resize", measure);
    measure();
    return () => {
      sizes.disconnect();
      window.removeEventListener("resize", measure);
    };
  }, [root, bars, room]);
  return room;
}
