/** A canvas that is painted at most twice a frame, in device pixels, and only while it is near the screen. */
import { effect, type Signal, untracked, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Box } from "../../paint/viewport.ts";
import { browserSchedule, OncePerFrame } from "../../preview/frames.ts";

export type Paint = (context: CanvasRenderingContext2D) => void;

/** Width and height of a canvas in its own pixels. */
export interface Resolution {
  width: number;
  height: number;
}

export interface CanvasHandle {
  canvas: RefObject<HTMLCanvasElement | null>;
  /** Size in CSS pixels; zero until it is laid out. */
  box: Signal<Box>;
  /** Whether it is near the screen. */
  visible: Signal<boolean>;
}

/** How many pixels the canvas gets, from the device pixels that it covers. */
export type Resolve = (device: Resolution) => Resolution;

const NEAR = "200px";

/**
 * `watch` reads the signals that the picture depends on; so must `paint` and `resolve`, for they run before anything is
 * rendered. The first change after a repaint is painted at once: while the browser waits for the frame, not in it.
 */
export function useCanvas(paint: Paint, watch: () => void, resolve: Resolve): CanvasHandle {
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useSignal<Box>({ width: 0, height: 0 });
  const visible = useSignal(false);
  const latest = useRef({ paint, watch, resolve });
  latest.current = { paint, watch, resolve };

  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    let stale = true;
    let device = { width: 0, height: 0 };

    const draw = () => {
      if (device.width === 0 || device.height === 0) return;
      stale = false;
      const { width, height } = latest.current.resolve(device);
      if (element.width !== width) element.width = width;
      if (element.height !== height) element.height = height;
      element.style.imageRendering = width > device.width ? "auto" : "pixelated";
      latest.current.paint(context);
    };
    const frames = new OncePerFrame(browserSchedule, () => {
      if (stale && visible.peek()) draw();
    });

    const sizes = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      const exact = entry.devicePixelContentBoxSize?.[0];
      device = exact
        ? { width: exact.inlineSize, height: exact.blockSize }
        : { width: Math.round(width * devicePixelRatio), height: Math.round(height * devicePixelRatio) };
      box.value = { width, height };
      if (visible.peek()) draw();
      else stale = true;
    });
    try {
      sizes.observe(element, { box: "device-pixel-content-box" });
    } catch {
      sizes.observe(element); // Safari
    }
    const sight = new IntersectionObserver(
      (entries) => {
        visible.value = entries.at(-1)?.isIntersecting ?? false;
        if (visible.peek() && stale) draw();
      },
      { rootMargin: NEAR },
    );
    sight.observe(element);
    // Paper also shows what is off the screen.
    const onPrint = () => {
      if (stale) draw();
    };
    addEventListener("beforeprint", onPrint);
    const unwatch = effect(() => {
      if (visible.value) latest.current.watch();
      stale = true;
      if (visible.peek()) untracked(() => frames.request());
    });
    return () => {
      unwatch();
      removeEventListener("beforeprint", onPrint);
      sight.disconnect();
      sizes.disconnect();
      // Then a requested frame has nothing to do.
      stale = false;
    };
  }, [box, visible]);

  return { canvas, box, visible };
}
