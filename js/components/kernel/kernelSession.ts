/** What a person is doing in one kernel: the selected cells, the open cell, the paint tool. Knows no DOM. */
import { batch, signal } from "@preact/signals";
import { type Block, formatBlock, parseBlock } from "../../maths/number-block.ts";
import { exactNumber, parseNumber } from "../../maths/numbers.ts";
import type { EditableKernel } from "./editableKernel.ts";
import { KernelEdits } from "./kernelEdits.ts";

export interface Place {
  channel: number;
  row: number;
  col: number;
}

/** A rectangle of one plane; the head is the cell that has the focus. */
export interface Selection {
  anchor: Place;
  head: Place;
}

export interface Note {
  text: string;
  alert: boolean;
}

export interface OpenCell {
  text: string;
  /** Typing replaces the number: the caret goes after the typed character. Otherwise the whole number is selected. */
  typed: boolean;
}

export class KernelSession {
  readonly edits: KernelEdits;
  readonly selection = signal<Selection | null>(null);
  readonly open = signal<OpenCell | null>(null);
  readonly note = signal<Note | null>(null);
  readonly painting = signal(false);
  readonly paintValue = signal(1);
  /** The last pointer was a finger: cells are changed with a slider. */
  readonly touch = signal(false);
  /** Plane on show where there are too many for all. */
  readonly channel = signal(0);
  /** What the open cell holds at this moment. */
  draft = "";
  /** Set when the head must get the focus at the next rendering. */
  wantsFocus = false;

  constructor(readonly kernel: EditableKernel) {
    this.edits = new KernelEdits(kernel, () => this.selected());
  }

  get size(): readonly [rows: number, cols: number, channels: number] {
    return this.kernel.size.peek();
  }

  // -- selection -----------------------------------------------------------------------------------

  /** Select one cell, or everything between the anchor and it. */
  select(head: Place, extend = false): void {
    const anchor = this.selection.peek()?.anchor;
    batch(() => {
      this.note.value = this.#leaveCell();
      this.channel.value = head.channel;
      this.selection.value = { anchor: extend && anchor?.channel === head.channel ? anchor : head, head };
    });
  }

  /** Move the head by rows, columns and channels, stopping at the edge; Infinity goes to the edge. */
  move(down: number, right: number, extend = false, deeper = 0): void {
    const head = this.selection.peek()?.head;
    if (!head) return;
    const [rows, cols, channels] = this.size;
    const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
    this.wantsFocus = true;
    const row = clamp(head.row + down, rows);
    // A vector's last row may lack cells.
    const here = Math.min(cols, this.kernel.values.peek().length / channels - row * cols);
    this.select(
      { channel: clamp(head.channel + deeper, channels), row, col: clamp(head.col + right, here) },
      extend,
    );
  }

  /** On to the next cell after an entry: down stops at the edge, right continues in the next row, as text does. */
  advance(down: number, right: number): void {
    const head = this.selection.peek()?.head;
    const [rows, cols] = this.size;
    if (!head) return;
    const wraps = right !== 0 && (head.col + right < 0 || head.col + right >= cols);
    const room = head.row + right >= 0 && head.row + right < rows;
    if (wraps && room) this.move(right, -right * (cols - 1));
    else this.move(down, right);
  }

  selectAll(): void {
    this.move(-Infinity, -Infinity);
    this.move(Infinity, Infinity, true);
  }

  /** Forget the selection: these are other cells. */
  reset(): void {
    batch(() => {
      this.closeCell();
      this.selection.value = null;
    });
  }

  /** Give the head the focus although the selection is as it was. */
  refocus(): void {
    const now = this.selection.peek();
    this.wantsFocus = true;
    this.selection.value = now && { ...now };
  }

  /** The selected rectangle, or null. */
  range(): (Place & { rows: number; cols: number }) | null {
    const now = this.selection.value;
    if (!now) return null;
    const { anchor, head } = now;
    return {
      channel: head.channel,
      row: Math.min(anchor.row, head.row),
      col: Math.min(anchor.col, head.col),
      rows: Math.abs(anchor.row - head.row) + 1,
      cols: Math.abs(anchor.col - head.col) + 1,
    };
  }

  contains({ channel, row, col }: Place): boolean {
    const range = this.range();
    if (range?.channel !== channel) return false;
    return (
      row >= range.row && row < range.row + range.rows && col >= range.col && col < range.col + range.cols
    );
  }

  // -- values --------------------------------------------------------------------------------------

  /** Flat C-order index of a tap. */
  index({ channel, row, col }: Place): number {
    const [, cols, channels] = this.size;
    return (row * cols + col) * channels + channel;
  }

  /** Flat indices of the selected taps, row by row. */
  selected(): number[] {
    const range = this.range();
    return range ? this.#block(range) : [];
  }

  #block({ channel, row, col, rows, cols }: Place & { rows: number; cols: number }): number[] {
    return Array.from({ length: rows * cols }, (_, i) =>
      this.index({ channel, row: row + Math.floor(i / cols), col: col + (i % cols) }),
    );
  }

  // -- the open cell -------------------------------------------------------------------------------

  /** Open the head as text: its exact number, or what was typed. */
  openCell(typed?: string): void {
    const head = this.selection.peek()?.head;
    if (!head) return;
    const text = typed ?? exactNumber(this.edits.value(this.index(head)));
    this.draft = text;
    batch(() => {
      this.note.value = null;
      this.open.value = { text, typed: typed !== undefined };
    });
  }

  /** Take the draft as the cell's number, or as that of all selected cells. Refused text stays, with the reason. */
  commit(all = false): boolean {
    const now = this.selection.peek();
    if (!now || !this.open.peek()) return true;
    const parsed = parseNumber(this.draft);
    if (!parsed.ok) {
      this.note.value = { text: parsed.why, alert: true };
      return false;
    }
    const taps = all ? this.selected() : [this.index(now.head)];
    this.edits.set(taps.map((i) => [i, parsed.value]));
    this.closeCell();
    return true;
  }

  /** Close without a change. */
  closeCell(): void {
    this.edits.endRun();
    batch(() => {
      this.open.value = null;
      this.note.value = null;
    });
  }

  /** Another cell is chosen while one is open: its text is accepted or, if it is not a number, dropped with a note. */
  #leaveCell(): Note | null {
    if (!this.open.peek() || this.commit()) return null;
    const why = this.note.peek()?.text;
    this.closeCell();
    return { text: `${why} The cell keeps its number.`, alert: true };
  }

  // -- clipboard -----------------------------------------------------------------------------------

  copy(): string {
    const range = this.range();
    if (!range) return "";
    const values = Float32Array.from(this.selected(), (i) => this.edits.value(i));
    return formatBlock({ rows: range.rows, cols: range.cols, values });
  }

  /** Write a block from the top left of the selection; a single number fills the selection. */
  paste(text: string): void {
    const range = this.range();
    if (!range) return;
    const parsed = parseBlock(text);
    if (!parsed.ok) {
      this.note.value = { text: `Not pasted. ${parsed.why}`, alert: true };
      return;
    }
    const { block } = parsed;
    if (block.values.length === 1) {
      this.edits.fill(block.values[0] as number);
      return;
    }
    this.edits.endRun();
    const rows = Math.min(block.rows, this.size[0] - range.row);
    const cols = Math.min(block.cols, this.size[1] - range.col);
    const taps = this.#block({ ...range, rows, cols });
    const taken = (i: number) => block.values[Math.floor(i / cols) * block.cols + (i % cols)] as number;
    batch(() => {
      this.edits.set(taps.map((tap, i) => [tap, taken(i)]));
      this.select({ channel: range.channel, row: range.row, col: range.col });
      this.move(rows - 1, cols - 1, true);
      this.note.value = { text: leftOut(block, rows, cols), alert: false };
    });
  }
}

function leftOut(block: Block, rows: number, cols: number): string {
  const parts = [
    [block.rows - rows, "row", "below"] as const,
    [block.cols - cols, "column", "on the right"] as const,
  ]
    .filter(([count]) => count > 0)
    .map(([count, what, where]) => `${count} ${what}${count > 1 ? "s" : ""} ${where}`);
  const done = `Pasted ${rows} × ${cols} cells`;
  return parts.length ? `${done}; ${parts.join(" and ")} did not fit.` : `${done}.`;
}
