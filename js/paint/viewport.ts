/**
 * Which part of a picture lies in the box it is drawn in. The image and every map share one viewport, in unit
 * coordinates of the image; each turns it into a window of its own pixels.
 */

import { extent } from "../maths/geometry.ts";
import { kindOf } from "../maths/kinds.ts";
import type { Geometry } from "../protocol/records.ts";
import type { Size, SourceWindow } from "./grid.ts";

/** Centre in unit coordinates of the image, and magnification over "the whole picture fits". */
export interface Viewport {
  x: number;
  y: number;
  zoom: number;
}

/** CSS pixels. */
export interface Box {
  width: number;
  height: number;
}

export interface Pixel {
  row: number;
  col: number;
}

/** By axis: pixel coordinate = start + step × unit coordinate of the image. */
export interface Placement {
  x: { start: number; step: number };
  y: { start: number; step: number };
}

/** A picture in its box. */
export interface Pane {
  size: Size;
  box: Box;
  place: Placement;
}

/** The source coordinates at the box's left and top edge, and CSS pixels for one source pixel. */
export interface View extends Size {
  left: number;
  top: number;
  scale: number;
  /** The same downwards: different from across where the picture is a curve. */
  down: number;
}

export const WHOLE: Viewport = { x: 0.5, y: 0.5, zoom: 1 };

/** Share of the window by which a magnified picture may be pushed past its edge, so that padding can be seen. */
const SLACK = 0.12;
/** Pixels across at the greatest magnification. */
const FEWEST_PIXELS = 6;

/** A picture that covers the image: the image itself, or a map deep in a model, stretched over it. */
export function placeOver(size: Size): Placement {
  return { x: { start: 0, step: size.cols }, y: { start: 0, step: size.rows } };
}

/**
 * Where a layer's output pixels lie over its input: the window of pixel o is centred at
 * o × stride − pad + (extent − 1) / 2; a transposed convolution turns that round.
 */
export function placeOutput(geometry: Geometry): Placement {
  const axis = (i: 0 | 1) => {
    const size = geometry.input_shape[i];
    const stride = geometry.strides[i];
    if (kindOf(geometry).spreads) {
      return { start: (geometry.output_shape[i] - size * stride) / 2, step: size * stride };
    }
    const reach =
      (extent(geometry.kernel_size[i], geometry.dilation_rate[i]) - 1) / 2 - geometry.pads[i === 0 ? 0 : 2];
    return { start: 0.5 - (0.5 + reach) / stride, step: size / stride };
  };
  return { x: axis(1), y: axis(0) };
}

export function viewOf({ size, box, place }: Pane, { x, y, zoom }: Viewport): View {
  const scale = Math.max(fitScale(size, box) * zoom, 1e-6);
  const down = size.curve ? Math.max(box.height, 1e-6) : scale;
  return {
    ...size,
    left: edge(place.x.start + x * place.x.step, box.width / scale, size.cols, zoom),
    top: edge(place.y.start + y * place.y.step, box.height / down, size.rows, zoom),
    scale,
    down,
  };
}

/** The part of the source that a box of this size shows. */
export function windowOf(view: View, { width, height }: Box): SourceWindow {
  return { x: view.left, y: view.top, width: width / view.scale, height: height / view.down };
}

/** The part of the image that lies below a part of a picture placed over it. */
export function throughPlacement({ x, y }: Placement, window: SourceWindow, image: Size): SourceWindow {
  return {
    x: ((window.x - x.start) / x.step) * image.cols,
    y: ((window.y - y.start) / y.step) * image.rows,
    width: (window.width / x.step) * image.cols,
    height: (window.height / y.step) * image.rows,
  };
}

function fitScale(size: Size, box: Box): number {
  return size.curve ? box.width / size.cols : Math.min(box.width / size.cols, box.height / size.rows);
}

/** First source coordinate of a window of `span` around `centre`, kept over the picture. */
function edge(centre: number, span: number, size: number, zoom: number): number {
  if (span >= size) return (size - span) / 2;
  const slack = SLACK * span * (1 - 1 / zoom);
  return Math.min(Math.max(centre - span / 2, -slack), size - span + slack);
}

/** The viewport that shows the source coordinate (x, y) at the box's point (px, py), as far as the edges allow. */
function showing(pane: Pane, x: number, y: number, px: number, py: number, zoom: number): Viewport {
  if (zoom <= 1) return WHOLE;
  const { size, box, place } = pane;
  const scale = fitScale(size, box) * zoom;
  const down = size.curve ? box.height : scale;
  const unit = (centre: number, axis: { start: number; step: number }) => (centre - axis.start) / axis.step;
  const view = viewOf(pane, {
    x: unit(x + (box.width / 2 - px) / scale, place.x),
    y: unit(y + (box.height / 2 - py) / down, place.y),
    zoom,
  });
  // Take the centre from what is drawn, so that a drag past an edge does not pile up.
  return {
    x: unit(view.left + box.width / scale / 2, place.x),
    y: unit(view.top + box.height / down / 2, place.y),
    zoom,
  };
}

export function zoomLimit(image: Size): number {
  return Math.max(1, Math.max(image.rows, image.cols) / FEWEST_PIXELS);
}

/** Magnify by `factor`, keeping what lies under the box's point (px, py). */
export function zoomAt(
  pane: Pane,
  viewport: Viewport,
  factor: number,
  limit: number,
  px: number,
  py: number,
) {
  const view = viewOf(pane, viewport);
  const zoom = Math.min(Math.max(viewport.zoom * factor, 1), limit);
  return showing(pane, view.left + px / view.scale, view.top + py / view.down, px, py, zoom);
}

/** Move the picture by (dx, dy) CSS pixels. */
export function panBy(pane: Pane, viewport: Viewport, dx: number, dy: number): Viewport {
  const view = viewOf(pane, viewport);
  return showing(pane, view.left, view.top, dx, dy, viewport.zoom);
}

/** The same viewport, moved no further than it takes to bring a pixel inside. */
export function reveal(pane: Pane, viewport: Viewport, { row, col }: Pixel): Viewport {
  const rect = rectOf(viewOf(pane, viewport), row, col);
  const shift = (start: number, length: number, room: number) =>
    start < 0 ? -start : Math.min(0, room - start - length);
  const dx = shift(rect.x, rect.width, pane.box.width);
  const dy = shift(rect.y, rect.height, pane.box.height);
  return dx === 0 && dy === 0 ? viewport : panBy(pane, viewport, dx, dy);
}

/** The same with this many rows and columns around the pixel, as far as there is room for them. */
export function revealAround(
  pane: Pane,
  viewport: Viewport,
  { row, col }: Pixel,
  [rows, cols]: readonly [number, number],
): Viewport {
  const corners = [
    { row: row - rows, col: col - cols },
    { row: row + rows, col: col + cols },
    { row, col },
  ];
  return corners.reduce((shown, corner) => reveal(pane, shown, corner), viewport);
}

/** The pixel under a point of the box, or null beside the picture. */
export function pixelAt(view: View, px: number, py: number): Pixel | null {
  const row = Math.floor(view.top + py / view.down);
  const col = Math.floor(view.left + px / view.scale);
  return row >= 0 && row < view.rows && col >= 0 && col < view.cols ? { row, col } : null;
}

/** Where a block of pixels lies in the box, in CSS pixels; beyond the box too. */
export function rectOf(view: View, row: number, col: number, rows = 1, cols = 1) {
  return {
    x: (col - view.left) * view.scale,
    y: (row - view.top) * view.down,
    width: cols * view.scale,
    height: rows * view.down,
  };
}

/** The output pixel whose window lies around an input pixel, or null where there is none. */
export function outputAt(geometry: Geometry, place: Placement, { row, col }: Pixel): Pixel | null {
  const [rows, cols] = geometry.output_shape;
  const [inRows, inCols] = geometry.input_shape;
  const r = Math.floor(place.y.start + (place.y.step * (row + 0.5)) / inRows);
  const c = Math.floor(place.x.start + (place.x.step * (col + 0.5)) / inCols);
  return r >= 0 && r < rows && c >= 0 && c < cols ? { row: r, col: c } : null;
}
