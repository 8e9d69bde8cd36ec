import { expect, test } from "vitest";
import {
  type Arrangement,
  arrange,
  arrangeFocus,
  kernelWidth,
  type Room,
  SPACE,
  type Subject,
} from "../maths/arrangement.ts";

/** The tutorial: a photograph of 600 × 512, whose maps have 597 × 509, through four 4 × 4 kernels. */
const TUTORIAL: Subject = {
  picture: [597, 509],
  filters: 4,
  kernel: [4, 4],
  planes: 1,
  deep: false,
  tools: 104,
};
const LANDSCAPE: Subject = { ...TUTORIAL, picture: [424, 637] };
const room = (width: number, height: number): Room => ({
  width,
  height,
  bars: 41,
  overview: 0,
  coarse: false,
});
/** JupyterLab at 1280 × 720 without its sidebar, and at 1400 × 1100 with it: lens and visible part of the notebook. */
const LAPTOP = room(1112, 599);
const DESK = room(968, 979);

const area = ({ width, height }: { width: number; height: number }) => width * height;

/** Height of everything down to the last row of cards, from the same lengths that the style sheets have. */
function bottom({ filters }: Subject, at: Arrangement, { bars }: Room): number {
  const rows = Math.ceil(filters / at.columns);
  const kernel = at.kernel === "above" ? at.block : 0;
  const card = SPACE.cardY + SPACE.head + kernel + at.map.height + SPACE.legend;
  return bars + SPACE.pad + rows * card + (rows - 1) * SPACE.gap + SPACE.pad;
}

function across(at: Arrangement): number {
  const card = at.kernel === "beside" ? at.place.width + SPACE.gap + at.map.width : kernelWidth(at);
  const cards = at.columns * (SPACE.gap + SPACE.cardX + card);
  return 2 * SPACE.pad + at.image.width + cards;
}

test("on a laptop the tutorial's four maps are in sight, of at least 42,000 square pixels each", () => {
  const at = arrange(TUTORIAL, LAPTOP);
  expect([at.kernel, at.columns]).toEqual(["above", 4]);
  expect(area(at.map)).toBeGreaterThanOrEqual(42_000);
  expect(bottom(TUTORIAL, at, LAPTOP)).toBeLessThanOrEqual(LAPTOP.height);
  // The image is as large as the maps, so that one is compared with the other.
  expect(Math.abs(at.image.width - at.map.width)).toBeLessThanOrEqual(1);
});

test("beside a sidebar on a larger screen they are in sight with at least 60,000", () => {
  const at = arrange(TUTORIAL, DESK);
  expect([at.kernel, at.columns]).toEqual(["beside", 2]);
  expect(area(at.map)).toBeGreaterThanOrEqual(60_000);
  expect(bottom(TUTORIAL, at, DESK)).toBeLessThanOrEqual(DESK.height);
});

test("a wide picture has its kernels on the left and two maps a row", () => {
  const at = arrange(LANDSCAPE, LAPTOP);
  expect([at.kernel, at.columns]).toEqual(["beside", 2]);
  expect(bottom(LANDSCAPE, at, LAPTOP)).toBeLessThanOrEqual(LAPTOP.height);
});

test("maps grow with the room, in either direction", () => {
  for (const subject of [TUTORIAL, LANDSCAPE]) {
    let last = 0;
    for (const scale of [1, 1.1, 1.25, 1.5, 2]) {
      const now = area(arrange(subject, room(1112 * scale, 599 * scale)).map);
      expect(now).toBeGreaterThan(last);
      last = now;
    }
  }
});

test("nothing is wider than the lens, whatever the picture, the filters, the kernels and the room", () => {
  for (const width of [480, 620, 820, 1112, 1400, 2200])
    for (const height of [360, 599, 979])
      for (const picture of [
        [597, 509],
        [424, 637],
        [5, 7],
        [1, 500],
        [900, 60],
      ] as const)
        for (const filters of [1, 2, 3, 4, 6, 16])
          for (const size of [1, 3, 5, 9, 15])
            for (const planes of [1, 3]) {
              const subject = { ...TUTORIAL, picture, filters, kernel: [size, size] as const, planes };
              const at = arrange(subject, room(width, height));
              const where = `${width} × ${height}: ${filters} of ${picture}, kernels ${size}, ${planes} planes`;
              if (at.kernel !== "folded") expect(across(at), where).toBeLessThanOrEqual(width + 1);
              for (const length of [...Object.values(at.map), ...Object.values(at.image)])
                expect(length, where).toBeGreaterThanOrEqual(40);
            }
});

test("three planes over a map that the height bounds are no wider than their card", () => {
  // A kernel of 3 × 3 × 3, two planes side by side with 8 px between them, in cells of 28 px with a line between them.
  const subject: Subject = { ...TUTORIAL, picture: [46, 38], kernel: [3, 3], planes: 3 };
  const planes = 2 * (3 * 29 + 1) + 8;
  for (const height of [520, 560, 599, 700, 979]) {
    const at = arrange(subject, room(1112, height));
    if (at.kernel !== "above") continue;
    expect(at.place.width).toBeGreaterThanOrEqual(planes);
    expect(kernelWidth(at)).toBeGreaterThanOrEqual(at.place.width);
    expect(across(at)).toBeLessThanOrEqual(1112 + 1);
  }
});

test("tools below the cells have all the lines that they take, above the map", () => {
  // Lines of 185 px take 98 + 10 + 64, then 44 + 10 + 58, then 140.
  const subject: Subject = { ...TUTORIAL, planes: 3, toolWidths: [98, 64, 44, 58, 140] };
  const alone = arrange({ ...subject, toolWidths: [98] }, LAPTOP);
  const at = arrange(subject, LAPTOP);
  expect([alone.kernel, alone.toolsBeside]).toEqual(["above", false]);
  expect(Math.floor(alone.image.width)).toBeGreaterThanOrEqual(185);
  expect(bottom(subject, at, LAPTOP)).toBeLessThanOrEqual(LAPTOP.height);
  if (at.kernel === "above") expect(at.block).toBe(SPACE.note + at.place.height + 3 * SPACE.toolsY);
});

test("kernels that are edited by their parts stand beside the maps, in every room and in focus", () => {
  const subject: Subject = { ...TUTORIAL, deep: true, byParts: true };
  for (const [width, height] of [
    [1112, 599],
    [968, 979],
    [1400, 700],
    [640, 700],
  ] as const) {
    expect(arrange(subject, room(width, height)).kernel).not.toBe("above");
    expect(arrangeFocus(subject, room(width, height)).kernel).toBe("between");
  }
});

test("in a very tall room wide pictures stand in one column, where all are in sight and larger than two columns allow", () => {
  const tall = room(968, 1400);
  const at = arrange(LANDSCAPE, tall);
  expect(bottom(LANDSCAPE, at, tall)).toBeLessThanOrEqual(tall.height);
  // Image and two columns of cards share the width: maps no wider than a third of what borders and gaps leave.
  const most = (968 - 2 * SPACE.pad - 2 * (SPACE.gap + SPACE.cardX)) / 3;
  expect([at.kernel, at.columns]).toEqual(["beside", 1]);
  expect(area(at.map)).toBeGreaterThan(most * most * (424 / 637));
});

test("a kernel of 15 × 15 gets a place that its cells scroll in, and the maps stay in sight", () => {
  const subject: Subject = { ...TUTORIAL, kernel: [15, 15] };
  const at = arrange(subject, LAPTOP);
  const natural = 15 * (at.cell + 1) + 1;
  expect(at.place.width).toBeLessThan(natural);
  expect(bottom(subject, at, LAPTOP)).toBeLessThanOrEqual(LAPTOP.height);
});

test("of filters that cannot all be in sight, whole rows are, with maps that can be read", () => {
  const at = arrange({ ...TUTORIAL, filters: 16 }, LAPTOP);
  expect(area(at.map)).toBeGreaterThan(42_000);
  expect(SPACE.head + at.block + at.map.height + SPACE.legend).toBeLessThan(LAPTOP.height - LAPTOP.bars);
});

test("on a phone pictures are as wide as the lens and the kernels fold", () => {
  const at = arrange(TUTORIAL, room(316, 700));
  expect(at.kernel).toBe("folded");
  expect(at.columns).toBe(1);
  expect(at.image.width).toBeGreaterThan(0.95 * 316);
  expect(at.map.width).toBeGreaterThan(0.9 * 316);
});

test("cells are no smaller than a finger where the pointer is one", () => {
  for (const size of [3, 5, 15]) {
    const subject: Subject = { ...TUTORIAL, kernel: [size, size] };
    expect(arrange(subject, { ...LAPTOP, coarse: true }).cell).toBeGreaterThanOrEqual(34);
  }
});

test("in focus image, kernel, map and the pinned pixel's sum are in sight together on a laptop", () => {
  for (const subject of [TUTORIAL, LANDSCAPE]) {
    const at = arrangeFocus(subject, LAPTOP);
    const sum = at.sumHeight + SPACE.planeCaption + 2 * SPACE.gap;
    const kernel = at.kernel === "above" ? at.block : 0;
    const height =
      LAPTOP.bars +
      2 * SPACE.pad +
      SPACE.head +
      kernel +
      at.picture.height +
      SPACE.legend / 2 +
      SPACE.gap +
      sum;
    expect(height).toBeLessThanOrEqual(LAPTOP.height + 1);
    expect(at.sumHeight).toBe(4 * (at.sumCell + 1) + 1);
    expect(area(at.picture)).toBeGreaterThan(1.5 * area(arrange(subject, LAPTOP).map));
  }
});

test("in focus the sum has the height of its ledger where the kernel is lower", () => {
  // Five lines of 22 px, less the 22 px that the section has beside its planes.
  const signal: Subject = { ...TUTORIAL, picture: [1, 2.6], kernel: [1, 5], sumLines: 5 };
  expect(arrangeFocus(signal, LAPTOP).sumHeight).toBe(88);
});

test("on a tablet the cells of a small kernel are all in sight: the page scrolls under a finger, not the card", () => {
  const subject: Subject = {
    picture: [73, 61],
    filters: 4,
    kernel: [4, 4],
    planes: 1,
    deep: false,
    tools: 104,
  };
  const tablet: Room = { width: 652, height: 988, bars: 42, overview: 0, coarse: true };
  const { cell, place } = arrange(subject, tablet);
  expect(cell).toBeGreaterThanOrEqual(34);
  expect(place.height).toBeGreaterThanOrEqual(4 * (cell + 1) + 1);
});
