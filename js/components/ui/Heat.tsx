// biome-ignore-all lint/a11y/useSemanticElements: a table that CSS lays out as a grid loses its meaning in some browsers.
// biome-ignore-all lint/a11y/useFocusableInteractive: a table to read, not to operate.
/** One plane of numbers as a heatmap, with a ring around the tap that is pointed at in any plane of its group. */
import type { Signal } from "@preact/signals";
import type { CSSProperties } from "preact";
import { readNumber } from "../../maths/numbers.ts";

export interface HeatCell {
  text: string;
  value: number;
  /** Null for what is not a finite number. */
  colors: { background: string; color: string } | null;
  /** Why there is no input value to read: it lies in the padding. */
  padding?: string;
}

/** Row and column of a kernel cell. */
export type Tap = readonly [row: number, col: number];

export interface HeatProps {
  label: string;
  rows: number;
  cols: number;
  side: number;
  cell: (row: number, col: number) => HeatCell;
  over: Signal<Tap | null>;
  /** The drawing is turned by 180°. */
  turned?: boolean;
}

export function Heat({ label, rows, cols, side, cell, over, turned = false }: HeatProps) {
  const place = ([row, col]: Tap): Tap => (turned ? [rows - 1 - row, cols - 1 - col] : [row, col]);
  return (
    <div
      role="table"
      class="cl-kgrid cl-heat"
      aria-label={label}
      data-side={side}
      style={{ "--cl-cols": cols, "--cl-side": `${side}px` } as CSSProperties}
      onPointerMove={({ target }) => {
        const at = (target as HTMLElement).dataset.at?.split(",").map(Number);
        const [row, col] = over.peek() ?? [];
        if (!at) return;
        const next = place(at as unknown as Tap);
        if (next[0] !== row || next[1] !== col) over.value = next;
      }}
      onPointerLeave={() => {
        over.value = null;
      }}
    >
      {Array.from({ length: rows }, (_, row) => (
        <div role="row" class="cl-krow" key={row}>
          {Array.from({ length: cols }, (_, col) => {
            const { text, value, colors, padding } = cell(row, col);
            return (
              <div
                role="cell"
                class="cl-kcell"
                key={col}
                data-at={`${row},${col}`}
                data-odd={(!colors && !padding) || undefined}
                data-padding={padding !== undefined || undefined}
                data-long={text.length > 4 || undefined}
                title={padding ?? readNumber(value)}
                style={colors ?? undefined}
              >
                {text}
              </div>
            );
          })}
        </div>
      ))}
      <Ring over={over} place={place} />
    </div>
  );
}

function Ring({ over, place }: { over: Signal<Tap | null>; place: (tap: Tap) => Tap }) {
  if (!over.value) return null;
  const [row, col] = place(over.value);
  return <span class="cl-ring" style={{ "--cl-r": row, "--cl-c": col } as CSSProperties} />;
}
