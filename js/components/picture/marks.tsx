/** Marks over a picture: each line is drawn light on a dark casing, so that it shows on every colour. */
import { type Pixel, rectOf, type View } from "../../lens/viewport.ts";

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

/**
 * The receptive field of an output pixel over the layer's input: the window, dashed where it lies in the padding, and
 * its taps where dilation leaves gaps between them.
 */
export function WindowMark(props: { view: View; rows: number[]; cols: number[]; kind: "hover" | "pin" }) {
  const { view, rows, cols, kind } = props;
  const [first, last] = [rows[0], rows.at(-1)];
  const [left, right] = [cols[0], cols.at(-1)];
  if (first === undefined || last === undefined || left === undefined || right === undefined) return null;
  const whole = rectOf(view, first, left, last - first + 1, right - left + 1);
  const inside = {
    top: Math.max(first, 0),
    left: Math.max(left, 0),
    bottom: Math.min(last, view.rows - 1),
    right: Math.min(right, view.cols - 1),
  };
  const [height, width] = [inside.bottom - inside.top + 1, inside.right - inside.left + 1];
  const padded = inside.top > first || inside.left > left || inside.bottom < last || inside.right < right;
  const gaps = last - first >= rows.length || right - left >= cols.length;
  const taps = gaps && view.scale >= TAP && rows.length * cols.length <= MOST_TAPS;
  return (
    <>
      {taps &&
        rows.flatMap((row) => cols.map((col) => <path class="cl-tap" d={box(rectOf(view, row, col))} />))}
      {padded && <Line d={box(whole)} kind={kind} dashed />}
      {height > 0 && width > 0 && (
        <Line d={ticked(atLeast(rectOf(view, inside.top, inside.left, height, width), 3))} kind={kind} />
      )}
    </>
  );
}
