import fc from "fast-check";
import { expect, test } from "vitest";
import { reshaped, windowAt } from "../maths/geometry.ts";
import {
  outputAt,
  type Pane,
  panBy,
  pixelAt,
  placeOutput,
  placeOver,
  rectOf,
  reveal,
  type Viewport,
  viewOf,
  WHOLE,
  windowOf,
  zoomAt,
  zoomLimit,
} from "../paint/viewport.ts";
import type { Geometry } from "../protocol/records.ts";
import { fixture } from "./fake-host.ts";

const base: Geometry = fixture().model.get("_state").geometry;

const panes = fc
  .record({
    rows: fc.integer({ min: 8, max: 900 }),
    cols: fc.integer({ min: 8, max: 900 }),
    width: fc.integer({ min: 40, max: 800 }),
  })
  .map(({ rows, cols, width }): Pane => {
    const size = { rows, cols };
    return { size, box: { width, height: (width * rows) / cols }, place: placeOver(size) };
  });

const geometries = fc
  .record({
    rows: fc.integer({ min: 20, max: 300 }),
    cols: fc.integer({ min: 20, max: 300 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilation: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    padding: fc.constantFrom("valid" as const, "same" as const),
  })
  .map(({ rows, cols, kernel, strides, dilation, padding }) =>
    reshaped(base, {
      input_shape: [rows, cols, 1],
      kernel_size: kernel,
      strides,
      dilation_rate: dilation,
      padding,
    }),
  );

test("unmagnified, the whole picture fills its box", () => {
  fc.assert(
    fc.property(panes, (pane) => {
      const window = windowOf(viewOf(pane, WHOLE), pane.box);
      expect(window.x).toBeCloseTo(0, 6);
      expect(window.y).toBeCloseTo(0, 6);
      expect(window.width).toBeCloseTo(pane.size.cols, 6);
      expect(window.height).toBeCloseTo(pane.size.rows, 6);
    }),
  );
});

test("the whole map is shown unmagnified although it is smaller than the image", () => {
  fc.assert(
    fc.property(geometries, (geometry) => {
      const [rows, cols] = geometry.output_shape;
      const view = viewOf(
        { size: { rows, cols }, box: { width: cols, height: rows }, place: placeOutput(geometry) },
        WHOLE,
      );
      expect([view.left, view.top, view.scale]).toEqual([0, 0, 1]);
    }),
  );
});

test("zooming keeps what lies under the pointer, away from the edges", () => {
  const size = { rows: 100, cols: 200 };
  const pane: Pane = { size, box: { width: 400, height: 200 }, place: placeOver(size) };
  const viewport = zoomAt(pane, WHOLE, 4, zoomLimit(size), 200, 100);
  expect(viewport).toEqual({ x: 0.5, y: 0.5, zoom: 4 });
  const before = viewOf(pane, viewport);
  const after = viewOf(pane, zoomAt(pane, viewport, 2, zoomLimit(size), 150, 60));
  expect(after.left + 150 / after.scale).toBeCloseTo(before.left + 150 / before.scale, 9);
  expect(after.top + 60 / after.scale).toBeCloseTo(before.top + 60 / before.scale, 9);
});

test("magnification stays between the whole picture and a handful of pixels", () => {
  fc.assert(
    fc.property(
      panes,
      fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { maxLength: 8 }),
      (pane, factors) => {
        const limit = zoomLimit(pane.size);
        let viewport = WHOLE;
        for (const factor of factors) viewport = zoomAt(pane, viewport, factor, limit, 10, 10);
        expect(viewport.zoom).toBeGreaterThanOrEqual(1);
        expect(viewport.zoom).toBeLessThanOrEqual(limit);
      },
    ),
  );
});

test("however far it is dragged, most of the box still shows the picture", () => {
  fc.assert(
    fc.property(
      panes,
      fc.integer({ min: -5000, max: 5000 }),
      fc.integer({ min: -5000, max: 5000 }),
      (pane, dx, dy) => {
        const viewport = panBy(pane, { x: 0.5, y: 0.5, zoom: 3 }, dx, dy);
        const window = windowOf(viewOf(pane, viewport), pane.box);
        expect(window.x).toBeGreaterThanOrEqual(-0.13 * window.width);
        expect(window.x + window.width).toBeLessThanOrEqual(pane.size.cols + 0.13 * window.width);
      },
    ),
  );
});

test("a drag past the edge does not have to be dragged back", () => {
  const size = { rows: 100, cols: 100 };
  const pane: Pane = { size, box: { width: 100, height: 100 }, place: placeOver(size) };
  const start: Viewport = { x: 0.5, y: 0.5, zoom: 2 };
  const pushed = panBy(pane, start, 5000, 0);
  expect(viewOf(pane, panBy(pane, pushed, -10, 0)).left).toBeCloseTo(viewOf(pane, pushed).left + 5, 9);
});

test("a point in a pixel's rectangle is that pixel", () => {
  fc.assert(
    fc.property(panes, fc.nat(), fc.nat(), (pane, a, b) => {
      const pixel = { row: a % pane.size.rows, col: b % pane.size.cols };
      const view = viewOf(pane, { x: 0.4, y: 0.6, zoom: 2 });
      const rect = rectOf(view, pixel.row, pixel.col);
      expect(pixelAt(view, rect.x + rect.width / 2, rect.y + rect.height / 2)).toEqual(pixel);
    }),
  );
});

test("beside the picture there is no pixel", () => {
  const pane: Pane = {
    size: { rows: 10, cols: 20 },
    box: { width: 200, height: 200 },
    place: placeOver({ rows: 10, cols: 20 }),
  };
  expect(pixelAt(viewOf(pane, WHOLE), 100, 20)).toBeNull();
  expect(pixelAt(viewOf(pane, WHOLE), 100, 100)).toEqual({ row: 5, col: 10 });
});

test("a pixel that is revealed lies in the box", () => {
  fc.assert(
    fc.property(panes, fc.nat(), fc.nat(), (pane, a, b) => {
      const pixel = { row: a % pane.size.rows, col: b % pane.size.cols };
      const zoom = Math.min(3, zoomLimit(pane.size));
      const rect = rectOf(viewOf(pane, reveal(pane, { x: 0.5, y: 0.5, zoom }, pixel)), pixel.row, pixel.col);
      expect(rect.x).toBeGreaterThanOrEqual(-1e-6);
      expect(rect.x + rect.width).toBeLessThanOrEqual(pane.box.width + 1e-6);
    }),
  );
});

test("at one viewport, a map shows the output pixels whose windows are centred on what the image shows", () => {
  fc.assert(
    fc.property(geometries, fc.nat(), fc.nat(), (geometry, a, b) => {
      const [rows, cols] = geometry.output_shape;
      const output = { row: a % rows, col: b % cols };
      const field = windowAt(geometry, output.row, output.col);
      const centre = (along: number[]) => ((along[0] ?? 0) + (along.at(-1) ?? 0) + 1) / 2;
      const place = placeOutput(geometry);
      const unit = {
        x: centre(field.cols) / geometry.input_shape[1],
        y: centre(field.rows) / geometry.input_shape[0],
      };
      expect(place.x.start + place.x.step * unit.x).toBeCloseTo(output.col + 0.5, 6);
      expect(place.y.start + place.y.step * unit.y).toBeCloseTo(output.row + 0.5, 6);
    }),
  );
});

test("the output pixel under an input pixel is one whose window lies around it", () => {
  // 5 columns, kernel of 3, valid: outputs 0, 1, 2 are centred on inputs 1, 2, 3; the outermost columns have none.
  const geometry = reshaped(base, { input_shape: [5, 5, 1], kernel_size: [3, 3] });
  const at = (col: number) => outputAt(geometry, placeOutput(geometry), { row: 2, col })?.col ?? null;
  expect([0, 1, 2, 3, 4].map(at)).toEqual([null, 0, 1, 2, null]);
});
