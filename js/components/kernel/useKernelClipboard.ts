/**
 * Copy, cut and paste of cells by the browser's own events, which also work on plain http, where the asynchronous
 * clipboard is missing. A browser sends them to the body while a cell has the focus, since nothing in it is marked as
 * text; so the document is listened to for as long as a cell has the focus, ahead of the notebook.
 */
import { useLayoutEffect, useMemo } from "preact/hooks";
import type { KernelSession } from "./kernelSession.ts";

const EVENTS = ["copy", "cut", "paste"] as const;

export interface KernelClipboard {
  listen(document: Document): void;
  ignore(): void;
}

export function useKernelClipboard(session: KernelSession): KernelClipboard {
  const clipboard = useMemo(() => {
    let listening: Document | null = null;
    const handle = (event: Event) => onClipboard(event as ClipboardEvent, session);
    const ignore = () => {
      for (const type of EVENTS) listening?.removeEventListener(type, handle, true);
      listening = null;
    };
    return {
      ignore,
      listen(document: Document) {
        ignore();
        listening = document;
        for (const type of EVENTS) document.addEventListener(type, handle, true);
      },
    };
  }, [session]);
  // A layout effect: it is undone even when the view is removed before it was painted.
  useLayoutEffect(() => clipboard.ignore, [clipboard]);
  return clipboard;
}

function onClipboard(event: ClipboardEvent, session: KernelSession): void {
  const data = event.clipboardData;
  if (!data || session.open.peek()) return;
  if (event.type === "paste") {
    const text = data.getData("text/plain");
    // A picture is for the input image.
    if (text.trim() === "") return;
    session.paste(text);
  } else {
    data.setData("text/plain", session.copy());
    if (event.type === "cut") session.edits.fill(0);
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}
