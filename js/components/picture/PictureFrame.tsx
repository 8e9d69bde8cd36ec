/** The focusable frame around one picture: canvas, marks, and everything pointer and keys do to the shared viewport. */
import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Size, SourceWindow } from "../../lens/colors.ts";
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
} from "../../lens/viewport.ts";
import type { LensModel } from "../../model/lens.ts";
import { consume } from "../consume.ts";
import { panZoom } from "./panZoom.ts";
import { type Resolution, useCanvas } from "./useCanvas.ts";

export interface PictureFrameProps {
  lens: LensModel;
  /** The picture's size and where it lies among the others. */
  where(): { size: Size; place: Placement };
  /** What a screen reader says of the picture. */
  label: string;
  /** Reads the signals that the pixels depend on, the viewport and `where` aside. */
  watch(): void;
  /** Fills the canvas with a part of the picture. Like `where` it reads signals: a rendering comes after it. */
  paint(context: CanvasRenderingContext2D, window: SourceWindow): void;
  hover(pixel: Pixel | null): void;
  pick(pixel: Pixel): void;
  /** Where an output pixel lies in this picture. */
  locate(output: Pixel): Pixel;
  /** Marks to draw over the pixels, as SVG in CSS pixels; rendered only while near the screen. */
  marks(view: View): ComponentChildren;
}

/** One press of + or −, and the share of the box that an arrow key pans by. */
export const ZOOM_STEP = 1.5;
const PAN_SHARE = 0.15;

const ARROWS: Record<string, readonly [rows: number, cols: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** For the figure around a frame: its width follows from the picture's shape and the height that there is. */
export function aspect({ rows, cols }: Size): Record<string, number> {
  return { "--cl-aspect": cols / rows };
}

/** Pixels that a canvas may have beyond those of the screen. */
const MOST_PIXELS = 2 ** 19;

/**
 * A picture that is drawn smaller than it is gets a canvas of its own size, which the browser then averages: to leave
 * pixels out would make thin lines vanish. A very large one is thinned out first, to keep up with the hand.
 */
export function resolution(device: Resolution, { scale }: View, box: Box): Resolution {
  const [width, height] = [Math.round(box.width / scale), Math.round(box.height / scale)];
  const thin = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  return width * thin > device.width
    ? { width: Math.round(width * thin), height: Math.round(height * thin) }
    : device;
}

export function PictureFrame(props: PictureFrameProps) {
  const { lens, label } = props;
  const frame = useRef<HTMLDivElement>(null);
  const zoomed = useComputed(() => lens.viewport.value.zoom > 1);
  const latest = useRef(props);
  latest.current = props;

  const { canvas, box, visible } = useCanvas(
    (context) => latest.current.paint(context, windowOf(viewOf(pane(), lens.viewport.peek()), box.peek())),
    () => {
      lens.viewport.value;
      latest.current.where();
      latest.current.watch();
    },
    (device) => resolution(device, viewOf(pane(), lens.viewport.peek()), box.peek()),
  );
  const pane = (): Pane => ({ ...latest.current.where(), box: box.peek() });

  useEffect(() => {
    if (!frame.current) return;
    return panZoom(frame.current, {
      viewport: lens.viewport,
      pane,
      limit: () => zoomLimit(lens.picture.peek()),
      hover: (pixel) => latest.current.hover(pixel),
      pick: (pixel) => latest.current.pick(pixel),
    });
  }, [lens]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!pressed(event.key, event.shiftKey)) return;
    consume(event);
  };

  /** Whether the key meant something here. */
  const pressed = (key: string, shift: boolean): boolean => {
    const { width, height } = box.peek();
    const viewport = lens.viewport.peek();
    const zoom = (factor: number) => {
      const limit = zoomLimit(lens.picture.peek());
      lens.viewport.value = zoomAt(pane(), viewport, factor, limit, width / 2, height / 2);
      return true;
    };
    if (key === "+" || key === "=") return zoom(ZOOM_STEP);
    if (key === "-" || key === "_") return zoom(1 / ZOOM_STEP);
    if (key === "0") {
      lens.viewport.value = WHOLE;
      return true;
    }
    const pinned = lens.pixel.peek();
    if (key === "Escape" && pinned) {
      lens.pin(null);
      return true;
    }
    if (key === "Enter" || key === " ") {
      const view = viewOf(pane(), viewport);
      const middle = (start: number, room: number, most: number) =>
        Math.min(Math.max(Math.floor(start + room / view.scale / 2), 0), most - 1);
      props.pick({ row: middle(view.top, height, view.rows), col: middle(view.left, width, view.cols) });
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
    const [rows, cols] = lens.geometry.peek().output_shape;
    const within = (index: number, count: number) => Math.min(Math.max(index, 0), count - 1);
    const next = { row: within(row + down, rows), col: within(col + right, cols) };
    lens.pin([next.row, next.col]);
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
      <Marks {...props} box={box} visible={visible} />
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
