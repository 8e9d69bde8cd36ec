/** Signals as curves: where a line through the values goes on a canvas, and what of it a pixel column can show. */
import { bytesOf } from "../protocol/bytes.ts";
import type { MapRecord } from "../protocol/records.ts";
import { levelValue } from "./colors.ts";
import type { MapView, Picture } from "./drawable.ts";
import { type Size, type SourceWindow, wholeGrid, within } from "./grid.ts";
import type { Range } from "./ranges.ts";

/** Colours of the channels, in rotation; each has a contrast of 3 : 1 or more on white and on black. */
const COLORS = ["#2a78c2", "#c8641a", "#2a9468", "#a45cc7"];
const ZERO = "#8888";
/** Share of the height above and below the range. */
const ROOM = 0.06;

/** Height on a canvas for a value: the ends of the range leave room for the line. */
export function heightOf(value: number, [low, high]: Readonly<Range>, height: number): number {
  const share = high > low ? (Math.min(Math.max(value, low), high) - low) / (high - low) : 0.5;
  return height * (1 - ROOM - share * (1 - 2 * ROOM));
}

/**
 * The points of the line, x and y alternately; NaN where it is broken, at values that are not finite. Where a pixel
 * column covers several steps, it gets their least and greatest value: no spike is lost, however long the signal.
 */
export function curvePoints(
  values: Float32Array,
  { x: start, width: span }: Pick<SourceWindow, "x" | "width">,
  display: Readonly<Range>,
  width: number,
  height: number,
): number[] {
  const points: number[] = [];
  const scale = width / span;
  const put = (x: number, value: number) =>
    Number.isFinite(value) ? points.push(x, heightOf(value, display, height)) : points.push(NaN, NaN);
  if (scale >= 1) {
    const [from, to] = [
      Math.max(0, Math.floor(start) - 1),
      Math.min(values.length, Math.ceil(start + span) + 1),
    ];
    for (let i = from; i < to; i++) put((i + 0.5 - start) * scale, values[i] as number);
    return points;
  }
  for (let x = 0; x < width; x++) {
    const from = Math.max(0, Math.floor(start + x / scale));
    const to = Math.min(values.length, Math.floor(start + (x + 1) / scale));
    let [least, most] = [Infinity, -Infinity];
    let broken = from >= to;
    for (let i = from; i < to; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) broken = true;
      else {
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    if (least <= most) {
      // From the end of the column before to the nearer of both, so that the line does not cross itself.
      const rises = (points.at(-1) ?? 0) >= heightOf((least + most) / 2, display, height);
      for (const value of rises ? [least, most] : [most, least]) put(x + 0.5, value);
    }
    if (broken) points.push(NaN, NaN);
  }
  return points;
}

type Context = CanvasRenderingContext2D;

function stroke(context: Context, points: readonly number[], color: string, line: number): void {
  context.strokeStyle = color;
  context.lineWidth = line;
  context.lineJoin = "round";
  context.beginPath();
  let pen = false;
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i] as number, points[i + 1] as number];
    if (Number.isNaN(x)) pen = false;
    else if (pen) context.lineTo(x, y);
    else context.moveTo(x, y);
    pen = !Number.isNaN(x);
  }
  context.stroke();
}

/** Draw signals over one range, each with its part that is in sight; and where 0 is. */
export function paintCurves(
  context: Context,
  curves: readonly Float32Array[],
  window: Pick<SourceWindow, "x" | "width">,
  display: Readonly<Range>,
): void {
  const { width, height } = context.canvas;
  const line = Math.max(1, 1.5 * (globalThis.devicePixelRatio ?? 1));
  context.clearRect(0, 0, width, height);
  if (display[0] <= 0 && display[1] >= 0) {
    const y = Math.round(heightOf(0, display, height)) + 0.5;
    stroke(context, [0, y, width, y], ZERO, line / 2);
  }
  curves.forEach((values, i) => {
    stroke(
      context,
      curvePoints(values, window, display, width, height),
      COLORS[i % COLORS.length] as string,
      line,
    );
  });
}

/** What of a map, or of a plane in levels, makes a curve. */
type Curved = Pick<MapView, "preview"> & { keras: Pick<MapRecord, "range" | "levels" | "flags"> | null };

/** Keras's levels, or the preview's numbers after the activation; empty where there is no map yet. */
export function mapCurve({ keras, preview }: Curved): Float32Array {
  if (preview) {
    const values = preview.values.slice();
    preview.activation?.apply?.(values, 0, values.length);
    return values;
  }
  if (!keras) return new Float32Array();
  const numbers = Float32Array.from({ length: 256 }, (_, level) =>
    keras.range[0] === keras.range[1] ? keras.range[0] : levelValue(level, keras.range),
  );
  const flags = keras.flags && bytesOf(keras.flags);
  return Float32Array.from(bytesOf(keras.levels), (level, i) => {
    const flag = flags?.[i] ?? 0;
    // What lies beyond a fixed range is drawn at its end.
    return flag > 0 && flag < 4 ? NaN : (numbers[level] as number);
  });
}

/** Draw a map as a curve. */
export function paintMapCurve(
  context: Context,
  window: SourceWindow,
  map: Curved & Size,
  display: Readonly<Range>,
): void {
  const values = mapCurve(map);
  const over = values.length ? within(window, wholeGrid(map, [1, values.length])) : window;
  paintCurves(context, [values], over, display);
}

/** Draw all channels of a signal. */
export function paintSignal(
  context: Context,
  window: SourceWindow,
  picture: Picture,
  range: Readonly<Range>,
): void {
  const { drawn, channels } = picture;
  const planes = Array.from({ length: channels }, (_, channel) => drawn.plane(channel));
  paintCurves(context, planes, within(window, wholeGrid(picture, [1, drawn.cols])), range);
}
