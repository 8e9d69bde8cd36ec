/** The lens on the whole screen: who asks for it, and how much everything grows there. */
import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { LensView } from "../../state/lens-view.ts";

export interface FullScreen {
  on: boolean;
  toggle(): void;
}

/** Up to this width and height, in CSS pixels, nothing grows: what a notebook on a laptop shows of the lens. */
const WIDTH = 900;
const HEIGHT = 600;

export const isFull = (element: Element) =>
  (element.getRootNode() as Document | ShadowRoot).fullscreenElement === element;

/** What the `zoom` of a lens has to be. Where the browser does not say an element's zoom (Safari), places could not be told. */
export const growth = (element: Element): number =>
  isFull(element) && element.currentCSSZoom
    ? Math.max(1, Math.min(innerWidth / WIDTH, innerHeight / HEIGHT))
    : 1;

/** Of what the browser measures on the screen, in pixels of the element itself. */
export const zoomOf = (element: Element): number => element.currentCSSZoom ?? 1;

/** Null where the host does not let its outputs have the screen: a frame without `allow="fullscreen"`, an iPhone. */
export function useFullScreen(lens: LensView, root: RefObject<HTMLElement | null>): FullScreen | null {
  const on = useSignal(false);
  useEffect(() => {
    const element = root.current;
    element?.addEventListener("fullscreenchange", () => {
      on.value = isFull(element);
      // The arrow keys of a presenter's remote control step from there, and a person comes back to where they pressed.
      element.querySelector<HTMLElement>(".cl-full")?.focus();
    });
  }, [root, on]);
  if (!document.fullscreenEnabled) return null;
  return {
    on: on.value,
    toggle: () =>
      void (on.peek() ? document.exitFullscreen() : root.current?.requestFullscreen())?.catch(
        (error: Error) => lens.report("No full screen", error.message),
      ),
  };
}
