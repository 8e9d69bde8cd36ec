/** The text of an open cell. Enter goes down, Tab goes right, Escape gives up; refused text stays where it is. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { KernelSession, OpenCell } from "./kernelSession.ts";

export interface CellInputProps {
  session: KernelSession;
  open: OpenCell;
  label: string;
  noteId: string;
}

export function CellInput({ session, open, label, noteId }: CellInputProps) {
  const input = useRef<HTMLInputElement>(null);
  const refused = session.note.value?.alert === true;

  useLayoutEffect(() => {
    const element = input.current;
    if (!element) return;
    element.value = open.text;
    element.focus();
    if (open.typed) element.setSelectionRange(open.text.length, open.text.length);
    else element.select();
  }, [open]);

  const take = (down: number, right: number, all = false) => {
    if (!session.commit(all)) return;
    session.refocus();
    session.advance(down, right);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // Everything typed here is text; only Alt with an arrow is the card's.
    if (!event.altKey) event.stopPropagation();
    if (event.isComposing) return;
    const back = event.shiftKey ? -1 : 1;
    if (event.key === "Enter")
      take(event.ctrlKey || event.metaKey ? 0 : back, 0, event.ctrlKey || event.metaKey);
    else if (event.key === "Tab") take(0, back);
    else if (event.key === "Escape") {
      session.closeCell();
      session.refocus();
    } else return;
    event.preventDefault();
  };

  return (
    <input
      ref={input}
      class="cl-kinput"
      type="text"
      inputMode="text"
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      enterkeyhint="done"
      aria-label={label}
      aria-invalid={refused}
      aria-describedby={refused ? noteId : undefined}
      onKeyDown={onKeyDown}
      onInput={(event) => {
        session.draft = event.currentTarget.value;
        if (refused) session.note.value = null;
      }}
      // Leaving the kernel takes what was typed; text that is refused stays, to be corrected.
      onBlur={() => session.open.peek() === open && session.commit()}
      onCopy={stop}
      onCut={stop}
      onPaste={stop}
    />
  );
}

function stop(event: Event): void {
  event.stopPropagation();
}
