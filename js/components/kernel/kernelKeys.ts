/** The keys of a kernel's grid while no cell is open: a spreadsheet's, plus `+` and `-` to step. */
import { ARROWS } from "../ui/arrows.ts";
import type { KernelSession } from "./kernelSession.ts";

/** Act on a key of the grid. A key that is acted on reaches neither the page nor the notebook; others pass. */
export function onGridKey(event: KeyboardEvent, session: KernelSession): void {
  // Alt with an arrow moves the card; "Dead" and "Process" belong to an input method.
  if (event.altKey || event.isComposing) return;
  const used = event.ctrlKey || event.metaKey ? onChord(event, session) : onKey(event, session);
  if (!used) return;
  event.stopPropagation();
  // The browser makes its clipboard events from these keys, so they must not be cancelled.
  if (used !== "clipboard") event.preventDefault();
}

function onChord(event: KeyboardEvent, session: KernelSession): boolean | "clipboard" {
  const key = event.key.toLowerCase();
  if (key === "c" || key === "x" || key === "v") return "clipboard";
  const arrow = ARROWS[event.key];
  if (key === "a") session.selectAll();
  else if (key === "z" || key === "y") {
    session.edits.endRun();
    if (key === "y" || event.shiftKey) session.kernel.redo();
    else session.kernel.undo();
  } else if (arrow)
    session.move(arrow[0] && arrow[0] * Infinity, arrow[1] && arrow[1] * Infinity, event.shiftKey);
  else if (key === "home") session.move(-Infinity, -Infinity, event.shiftKey);
  else if (key === "end") session.move(Infinity, Infinity, event.shiftKey);
  else return false;
  return true;
}

function onKey(event: KeyboardEvent, session: KernelSession): boolean {
  const { key, shiftKey } = event;
  const arrow = ARROWS[key];
  if (key === "+" || key === "-" || key === "−") {
    const sign = key === "+" ? 1 : -1;
    session.edits.step(sign, event.repeat, event.timeStamp, event.repeat ? null : sign < 0 ? "-" : "");
    return true;
  }
  if (key.length === 1 && key !== " ") {
    if (/[\d.]/.test(key)) session.openCell(session.edits.typedSign(event.timeStamp) + key);
    else {
      session.edits.endRun();
      session.openCell(key);
    }
    return true;
  }
  if (key === "Shift") return false; // Held for "+" on many keyboards.
  session.edits.endRun();
  if (arrow) session.move(arrow[0], arrow[1], shiftKey);
  else if (key === "Home") session.move(0, -Infinity, shiftKey);
  else if (key === "End") session.move(0, Infinity, shiftKey);
  else if (key === "PageUp" || key === "PageDown") {
    if (session.size[2] < 2) return false;
    session.move(0, 0, false, key === "PageUp" ? -1 : 1);
  } else if (key === "Enter" || key === "F2") {
    // Shift+Enter runs the notebook's cell.
    if (shiftKey) return false;
    session.openCell();
  } else if (key === "Delete" || key === "Backspace") session.edits.fill(0);
  else if (key === " " && session.painting.peek()) session.edits.fill(session.paintValue.peek());
  else if (key === "Escape" && session.edits.grabbed) session.edits.release(true);
  else if (key === "Escape" && session.painting.peek()) session.painting.value = false;
  else return false;
  return true;
}
