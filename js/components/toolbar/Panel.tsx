/** A button of the toolbar and the panel that it opens over what is below. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../ui/Button.tsx";
import { useUniqueId } from "../ui/useUniqueId.ts";

export interface PanelProps {
  /** Of the button and of the panel. */
  name: string;
  /** What the button shows. */
  face: ComponentChildren;
  class?: string;
  /** What it shows; a function gets the callback that closes it. */
  children: ComponentChildren | ((close: () => void) => ComponentChildren);
}

export function Panel({ name, face, class: kind = "", children }: PanelProps) {
  const open = useSignal(false);
  const panel = useUniqueId();
  const root = useRef<HTMLDivElement>(null);

  const close = () => {
    open.value = false;
  };

  useEffect(() => {
    if (!open.value) return;
    const away = (event: Event) => {
      if (!event.composedPath().includes(root.current as EventTarget)) close();
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
      root.current?.querySelector("button")?.focus();
    };
    const stop = new AbortController();
    document.addEventListener("pointerdown", away, stop);
    root.current?.addEventListener("keydown", onKey, stop);
    return () => stop.abort();
  }, [open.value]);

  return (
    <div ref={root} class={`cl-opens ${kind}`}>
      <Button
        bare
        label={name}
        aria-expanded={open.value}
        aria-controls={panel}
        onClick={() => {
          open.value = !open.peek();
        }}
      >
        {face}
      </Button>
      <section id={panel} class="cl-panel" aria-label={name} hidden={!open.value}>
        {typeof children === "function" ? children(close) : children}
      </section>
    </div>
  );
}
