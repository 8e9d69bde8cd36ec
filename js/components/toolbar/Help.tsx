/** Which keys and gestures do what, in a small panel. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../icons.tsx";
import { useUniqueId } from "../useUniqueId.ts";

const PICTURES: readonly [keys: string, what: string][] = [
  ["click, Enter", "pin a pixel, or let it go"],
  ["arrows", "move the pinned pixel; pan where none is pinned"],
  ["Shift + arrows, drag", "pan"],
  ["+  −  0", "zoom in, out, whole picture"],
  ["wheel, pinch", "zoom (the wheel once the picture has the focus)"],
  ["double-click", "whole picture"],
  ["Escape", "let the pinned pixel go"],
];

const CELLS: readonly [keys: string, what: string][] = [
  ["drag up or down", "change a cell"],
  ["type, Enter, double-click", "write a number: 0.5, 1/9, 2e-3"],
  ["arrows, Shift + arrows", "move, select a range"],
  ["+  −  Delete", "step up, step down, set to 0"],
  ["Ctrl + C, Ctrl + V", "copy, paste as a table"],
  ["Ctrl + Z, Ctrl + Y", "undo, redo"],
];

export function Help() {
  const open = useSignal(false);
  const panel = useUniqueId();
  const root = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open.value) return;
    const away = (event: Event) => {
      if (!event.composedPath().includes(root.current as EventTarget)) open.value = false;
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      open.value = false;
      root.current?.querySelector("button")?.focus();
    };
    const stop = new AbortController();
    document.addEventListener("pointerdown", away, stop);
    root.current?.addEventListener("keydown", onKey, stop);
    return () => stop.abort();
  }, [open.value]);

  return (
    <div ref={root} class="cl-help">
      <button
        type="button"
        class="cl-button"
        title="Keys and gestures"
        aria-label="Keys and gestures"
        aria-expanded={open.value}
        aria-controls={panel}
        onClick={() => {
          open.value = !open.peek();
        }}
      >
        <Icon name="help" />
      </button>
      <section id={panel} class="cl-panel" aria-label="Keys and gestures" hidden={!open.value}>
        <Keys title="Image and maps" rows={PICTURES} />
        <Keys title="Kernel cells" rows={CELLS} />
      </section>
    </div>
  );
}

function Keys({ title, rows }: { title: string; rows: readonly (readonly [string, string])[] }) {
  return (
    <>
      <strong>{title}</strong>
      <dl>
        {rows.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
