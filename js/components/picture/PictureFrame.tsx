/** The focusable frame around one picture: canvas, marks, and everything pointer and keys do to the shared viewport. */
import { type Signal, useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Size, SourceWindow } from "../../paint/grid.ts";
import {
  type Box,
  type Pane,
  type Pixel,
  type Placement,
  panBy,
  reveal,
  type View,
  viewOf,
  WHOLE,
  windowOf,
  zoomAt,
  zoomLimit,
} from "../../paint/viewport.ts";
import type { LensView } from "../../state/lens-view.ts";
import { CURVE_ASPECT } from "../ui/arrangement.ts";
import { consume } from "../ui/consume.ts";
import { panZoom } from "./panZoom.ts";
import { type Resolution, useCanvas } from "./useCanvas.ts";

export interface PictureFrameProps {
  lens: LensView;
  /** The picture's size and where it lies among the others. */
  where(): { size: Size; place: Placement };
  /** What a screen reader says of the picture. */
  label: string;
  /** Reads the signals that the pixels depend on, except the viewport and `where`. */
  watch(): void;
  /** Rows and columns of what the whole picture is drawn from; null where that is reduced to the screen. */
  drawn?(): Size | null;
  /**
   * Fills the canvas, which covers this many device pixels, with a part of the picture. Like `where` it reads signals:
   * a rendering comes after it.
   */
  paint(context: CanvasRenderingContext2D, window: SourceWindow, device: Resolution): void;
  hover(pixel: Pixel | null): void;
  pick(pixel: Pixel): void;
  /** The pixel that keys move in this picture, where it is not the pinned one of the layer's maps. */
  cursor?: Signal<[number, number] | null>;
  /** Where an output pixel lies in this picture. */
  locate(output: Pixel): Pixel;
  /** Marks to draw over the pixels, as SVG in CSS pixels; rendered only while near the screen. */
  marks(view: View): ComponentChildren;
  /** What lies below the pixels, which then have the overlay's opacity. */
  under?: ComponentChildren;
  /** Enlarge this picture's filter, or shrink it again; with the pixel that was double-clicked. */
  open?: (pixel: Pixel | null) => void;
  /** What is shown over a corner of the picture. */
  children?: ComponentChildren;
}

/** One press of + or −, and the share of the box that an arrow key pans by. */
export const ZOOM_STEP = 1.5;
const PAN_SHARE = 0.15;

/** What zooming is limited by: the image, or the maps where the input is a latent vector. */
export function sizeInView({ picture, geometry }: LensView): Size {
  const [rows, cols] = geometry.value.output_shape;
  return picture.value.record.latent ? { rows, cols } : picture.value;
}

const ARROWS: Record<string, readonly [rows: number, cols: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** For the figure around a frame: its width follows from the picture's shape and the height that there is. */
export function aspect({ rows, cols, curve }: Size): Record<string, number> {
  return { "--cl-aspect": curve ? CURVE_ASPECT : cols / rows };
}

/**
 * A picture that is drawn smaller than what it is drawn from gets a canvas of that size, which the browser then averages: to
 * leave pixels out would make thin lines vanish.
 */
export function resolution(device: Resolution, view: View, box: Box, drawn: Size | null = view): Resolution {
  if (!drawn) return device;
  const along = (room: number, share: number) => Math.round((room / view.scale) * share);
  const width = along(box.width, drawn.cols / view.cols);
  return width > device.width ? { width, height: along(box.height, drawn.rows / view.rows) } : device;
}

export function PictureFrame(props: PictureFrameProps) {
  const { lens, label } = props;
  const frame = useRef<HTMLDivElement>(null);
  const zoomed = useComputed(() => lens.viewport.value.zoom > 1);
  const latest = useRef(props);
  latest.current = props;

  const shown = useRef<Resolution>({ width: 0, height: 0 });
  const view = () => viewOf(pane(), lens.viewport.peek());
  const { canvas, box, visible } = useCanvas(
    (context) => latest.current.paint(context, windowOf(view(), box.peek()), shown.current),
    () => {
      lens.viewport.value;
      latest.current.where();
      latest.current.watch();
    },
    (device) => {
      shown.current = device;
      return resolution(device, view(), box.peek(), latest.current.drawn?.());
    },
  );
  const pane = (): Pane => ({ ...latest.current.where(), box: box.peek() });

  useEffect(() => {
    if (!frame.current) return;
    return panZoom(frame.current, {
      viewport: lens.viewport,
      pane,
      limit: () => zoomLimit(sizeInView(lens)),
      hover: (pixel) => latest.current.hover(pixel),
      pick: (pixel) => latest.current.pick(pixel),
      open: latest.current.open && ((pixel) => latest.current.open?.(pixel)),
    });
  }, [lens]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!pressed(event.key, event.shiftKey)) return;
    consume(event);
  };

  const pin = (at: [number, number] | null) => {
    if (props.cursor) props.cursor.value = at;
    else lens.pin(at);
  };

  /** Whether the key was handled. */
  const pressed = (key: string, shift: boolean): boolean => {
    const { width, height } = box.peek();
    const viewport = lens.viewport.peek();
    const zoom = (factor: number) => {
      const limit = zoomLimit(sizeInView(lens));
      lens.viewport.value = zoomAt(pane(), viewport, factor, limit, width / 2, height / 2);
      return true;
    };
    if (key === "+" || key === "=") return zoom(ZOOM_STEP);
    if (key === "-" || key === "_") return zoom(1 / ZOOM_STEP);
    if (key === "0") {
      lens.viewport.value = WHOLE;
      return true;
    }
    const pinned = (props.cursor ?? lens.pixel).peek();
    if (key === "Enter" && props.open) {
      props.open(null);
      return true;
    }
    // In focus Escape leads back to all filters.
    if (key === "Escape" && pinned && lens.shared.view.peek() === "grid") {
      pin(null);
      return true;
    }
    if (key === "Enter" || key === " ") {
      const view = viewOf(pane(), viewport);
      const middle = (start: number, room: number, most: number) =>
        Math.min(Math.max(Math.floor(start + room / view.scale / 2), 0), most - 1);
      props.pick({
        row: view.curve ? 0 : middle(view.top, height, view.rows),
        col: middle(view.left, width, view.cols),
      });
      return true;
    }
    const arrow = ARROWS[key];
    if (!arrow) return false;
    if (pinned && !shift) {
      step(pinned, arrow);
      return true;
    }
    if (viewport.zoom <= 1) return false;
    lens.viewport.value = panBy(
      pane(),
      viewport,
      -arrow[1] * width * PAN_SHARE,
      -arrow[0] * height * PAN_SHARE,
    );
    return true;
  };

  const step = ([row, col]: [number, number], [down, right]: readonly [number, number]) => {
    const { rows: high, cols: wide } = latest.current.where().size;
    const [rows, cols] = props.cursor ? [high, wide] : lens.geometry.peek().output_shape;
    const within = (index: number, count: number) => Math.min(Math.max(index, 0), count - 1);
    const next = { row: within(row + down, rows), col: within(col + right, cols) };
    pin([next.row, next.col]);
    lens.viewport.value = reveal(pane(), lens.viewport.peek(), latest.current.locate(next));
  };

  return (
    <div
      ref={frame}
      class="cl-frame"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keys act on the picture; no native element is a pixel cursor.
      tabIndex={0}
      role="application"
      aria-roledescription="picture with a pixel cursor"
      aria-label={label}
      data-zoomed={zoomed}
      onKeyDown={onKeyDown}
    >
      <canvas ref={canvas} />
      {props.under}
      <Marks {...props} box={box} visible={visible} />
      {props.children}
    </div>
  );
}

function Marks({
  lens,
  where,
  marks,
  box,
  visible,
}: PictureFrameProps & Pick<ReturnType<typeof useCanvas>, "box" | "visible">) {
  if (!visible.value || box.value.width === 0) return null;
  return (
    <svg class="cl-marks" aria-hidden="true">
      {marks(viewOf({ ...where(), box: box.value }, lens.viewport.value))}
    </svg>
  );
}
