/** Marks over a picture: each line is drawn light on a dark casing, so that it shows on every colour. */
import { type Pixel, rectOf, type View } from "../../paint/viewport.ts";
import type { FieldRecord } from "../../protocol/messages.ts";

/** A mark never gets smaller than this, in CSS pixels. */
const LEAST = 9;
const TICK = 5;
/** Taps are drawn one by one where a pixel is at least this large and there are not too many. */
const TAP = 4;
const MOST_TAPS = 400;

interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

function atLeast({ x, y, width, height }: Rect, least: number): Rect {
  const [w, h] = [Math.max(width, least), Math.max(height, least)];
  return { x: x - (w - width) / 2, y: y - (h - height) / 2, width: w, height: h };
}

function Line({ d, kind, dashed = false }: { d: string; kind: string; dashed?: boolean }) {
  return (
    <g class={`cl-mark cl-mark-${kind}`} data-dashed={dashed || undefined}>
      <path class="cl-casing" d={d} />
      <path class="cl-line" d={d} />
    </g>
  );
}

const box = ({ x, y, width, height }: Rect) => `M${x} ${y}h${width}v${height}h${-width}Z`;

/** A box with four ticks, so that a small one can be found in a large picture. */
function ticked({ x, y, width, height }: Rect): string {
  const [cx, cy] = [x + width / 2, y + height / 2];
  const [right, bottom] = [x + width, y + height];
  const ticks = `M${cx} ${y - TICK}V${y}M${cx} ${bottom}v${TICK}M${x - TICK} ${cy}H${x}M${right} ${cy}h${TICK}`;
  return box({ x, y, width, height }) + ticks;
}

export function PixelMark({ view, pixel, kind }: { view: View; pixel: Pixel; kind: "hover" | "pin" }) {
  return <Line d={ticked(atLeast(rectOf(view, pixel.row, pixel.col), LEAST))} kind={kind} />;
}

/** First and last row and column. */
interface Ends {
  rows: readonly [number, number];
  cols: readonly [number, number];
}

function endsOf(rows: readonly number[], cols: readonly number[]): Ends | null {
  const [first, last, left, right] = [rows[0], rows.at(-1), cols[0], cols.at(-1)];
  if (first === undefined || last === undefined || left === undefined || right === undefined) return null;
  return { rows: [first, last], cols: [left, right] };
}

function blockOf(view: View, { rows, cols }: Ends): Rect {
  return rectOf(view, rows[0], cols[0], rows[1] - rows[0] + 1, cols[1] - cols[0] + 1);
}

interface FieldMarkProps {
  view: View;
  /** All that is read, padding included. */
  ends: Ends;
  /** The part of it that lies in the picture. */
  inside: Ends | null;
  /** What is read, row by row and column by column. */
  rows: readonly number[];
  cols: readonly number[];
  kind: "hover" | "pin";
}

/** A receptive field: dashed around what lies in the padding, and its taps where a dilation or stride leaves gaps. */
function FieldMark({ view, ends, inside, rows, cols, kind }: FieldMarkProps) {
  const read = endsOf(rows, cols);
  const gaps =
    read &&
    (read.rows[1] - read.rows[0] >= rows.length || read.cols[1] - read.cols[0] >= cols.length) &&
    view.scale >= TAP &&
    rows.length * cols.length <= MOST_TAPS;
  return (
    <>
      {gaps &&
        rows.flatMap((row) => cols.map((col) => <path class="cl-tap" d={box(rectOf(view, row, col))} />))}
      {String([inside?.rows, inside?.cols]) !== String([ends.rows, ends.cols]) && (
        <Line d={box(blockOf(view, ends))} kind={kind} dashed />
      )}
      {inside && <Line d={ticked(atLeast(blockOf(view, inside), 3))} kind={kind} />}
    </>
  );
}

/** The receptive field of an output pixel over the layer's input: the window of its kernel. */
export function WindowMark(props: { view: View; rows: number[]; cols: number[]; kind: "hover" | "pin" }) {
  const { view, rows, cols } = props;
  const ends = endsOf(rows, cols);
  if (!ends) return null;
  const within = ([first, last]: readonly [number, number], count: number) =>
    [Math.max(first, 0), Math.min(last, count - 1)] as const;
  const inside = { rows: within(ends.rows, view.rows), cols: within(ends.cols, view.cols) };
  const empty = inside.rows[0] > inside.rows[1] || inside.cols[0] > inside.cols[1];
  return <FieldMark {...props} ends={ends} inside={empty ? null : inside} />;
}

/** The receptive field, in the image, of an output pixel of a layer inside a model. */
export function DeepFieldMark({ view, field }: { view: View; field: FieldRecord }) {
  const { rows, cols, inside } = field;
  if (!rows || !cols) return null;
  const [readRows, readCols] = inside ?? [[], []];
  return (
    <FieldMark
      view={view}
      ends={{ rows, cols }}
      inside={endsOf(readRows, readCols)}
      rows={readRows}
      cols={readCols}
      kind="pin"
    />
  );
}
