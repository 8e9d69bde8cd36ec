/** Follow a pointer from press to release; `done` is given whether the browser cancelled it. */
export function followPointer(
  event: PointerEvent,
  move: (event: PointerEvent) => void,
  done: (cancelled: boolean) => void,
): void {
  const target = event.target as HTMLElement;
  const stop = new AbortController();
  const listen = (
    type: "pointermove" | "pointerup" | "pointercancel",
    handle: (event: PointerEvent) => void,
  ) =>
    target.addEventListener(type, (e) => e.pointerId === event.pointerId && handle(e), {
      signal: stop.signal,
    });
  const end = ({ type }: PointerEvent) => {
    stop.abort();
    done(type === "pointercancel");
  };
  target.setPointerCapture?.(event.pointerId);
  listen("pointermove", move);
  listen("pointerup", end);
  listen("pointercancel", end);
}
