// biome-ignore-all lint/a11y/useSemanticElements: the ARIA grid pattern, whose cells CSS lays out.
// biome-ignore-all lint/a11y/useFocusableInteractive: of a grid, only its cells have the focus.
/**
 * One plane of a kernel as a heatmap with its numbers: an ARIA grid whose cells are real elements.
 * Rows and columns count from 0 here as in Python and in the maps' readouts.
 */
import type { ComponentChild } from "preact";
import { useRef } from "preact/hooks";
import { formatCell, readNumber } from "../../maths/numbers.ts";
import { type Tones, toneOf } from "../ui/cellColors.ts";
import { useCellSize } from "../ui/cellSize.ts";
import { CellInput } from "./CellInput.tsx";
import type { KernelSession } from "./kernelSession.ts";

export interface GridProps {
  session: KernelSession;
  values: Float32Array;
  /** Greatest magnitude in all planes. */
  most: number;
  tones: Tones;
  channel: number;
  /** Planes that are on show. */
  planes: number;
  label: string;
  noteId: string;
  /** What a cell's place is called. */
  placed: (row: number, col: number) => string;
}

export function KernelGrid(props: GridProps) {
  const { session, values, most, tones, channel, planes, label, noteId, placed } = props;
  const [rows, cols, channels] = session.size;
  const head = session.selection.value?.head;
  const open = session.open.value;
  const { side, fit } = useCellSize(cols, planes);
  const cell = useDrawnCells({ channel, tones });
  const shown = Array.from({ length: rows }, (_, row) => (
    <div role="row" class="cl-krow" key={row}>
      {Array.from({ length: cols }, (_, col) => {
        if (row * cols + col >= values.length) return null; // of a vector's last row
        const here = head?.channel === channel;
        const active = here ? head.row === row && head.col === col : row + col === 0;
        const value = values[(row * cols + col) * channels + channel] ?? 0;
        return cell(row * cols + col, {
          row,
          col,
          where: placed(row, col),
          value,
          text: formatCell(value, fit, most),
          level: toneOf(value, most),
          active,
          marked: session.contains({ channel, row, col }),
          input:
            active && here && open ? (
              <CellInput session={session} open={open} label={placed(row, col)} noteId={noteId} />
            ) : null,
        });
      })}
    </div>
  ));
  return (
    <div
      role="grid"
      class="cl-kgrid"
      style={{ "--cl-cols": cols, "--cl-side": `${side}px` }}
      data-side={side}
      aria-label={label}
      aria-rowcount={rows}
      aria-colcount={cols}
      aria-multiselectable="true"
    >
      {shown}
    </div>
  );
}

/** What all cells of a plane are drawn with. */
interface Look {
  channel: number;
  tones: Tones;
}

interface Cell {
  row: number;
  col: number;
  where: string;
  value: number;
  text: string;
  level: number;
  active: boolean;
  marked: boolean;
  input: ComponentChild;
}

function same(a: Cell, b: Cell): boolean {
  return (
    a.row === b.row &&
    a.col === b.col &&
    a.where === b.where &&
    Object.is(a.value, b.value) &&
    a.text === b.text &&
    a.level === b.level &&
    a.active === b.active &&
    a.marked === b.marked &&
    a.input === b.input
  );
}

/**
 * Returns a function that draws a cell: the same element unless something in it changed, since a drag draws every
 * frame.
 */
function useDrawnCells(look: Look): (index: number, cell: Cell) => ComponentChild {
  const drawn = useRef<{ look: Look; cells: { cell: Cell; element: ComponentChild }[] }>({ look, cells: [] });
  const before = drawn.current.look;
  if (before.channel !== look.channel || before.tones !== look.tones) drawn.current = { look, cells: [] };
  const { cells } = drawn.current;
  return (index, cell) => {
    const before = cells[index];
    if (before && same(before.cell, cell)) return before.element;
    const element = drawCell(cell, look);
    cells[index] = { cell, element };
    return element;
  };
}

function drawCell(cell: Cell, { channel, tones }: Look) {
  const { row, col, where, value, text, level, active, marked, input } = cell;
  const exact = readNumber(value);
  return (
    <div
      key={col}
      role="gridcell"
      class="cl-kcell"
      data-at={`${channel},${row},${col}`}
      data-odd={level < 0 || undefined}
      data-long={text.length > 4 || undefined}
      aria-label={`${where}: ${text}`}
      title={text === exact ? undefined : exact}
      aria-selected={marked}
      tabIndex={active ? 0 : -1}
      style={level < 0 ? undefined : { backgroundColor: tones.background[level], color: tones.text[level] }}
    >
      {input ?? text}
    </div>
  );
}
