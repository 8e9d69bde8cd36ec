/**
 * Where the parts of the lens are placed and how large the pictures are: a pure function of the picture's shape, the
 * number of filters, the kernel's size and the room. All lengths are CSS pixels; the style sheets take them from here
 * as variables.
 */

export interface Subject {
  /** Rows and columns of one picture; maps are close enough to the image for the arrangement. */
  picture: readonly [rows: number, cols: number];
  filters: number;
  kernel: readonly [rows: number, cols: number];
  /**
   * Planes of the kernel that are shown side by side; of a deeper kernel, a single plane and a control that chooses it.
   */
  planes: number;
  deep: boolean;
  /** Height of what is below the cells of each plane: a signal's stem plot. */
  stems?: number;
  /** Height of bias and tools where they are beside the cells. */
  tools: number;
  /** Their widths, one after another, where they stand below the cells: as many lines as they take. */
  toolWidths?: readonly number[];
  /** The kernel is edited by its parts, which stand one below the other: too high for what stands above a map. */
  byParts?: boolean;
  /** Lines of the pinned pixel's sum where it is written as a ledger. */
  sumLines?: number;
}

export interface Room {
  width: number;
  /** What can be seen without scrolling. */
  height: number;
  /** Height of the toolbar and of all other bars above the pictures. */
  bars: number;
  /** Height of what is above the cards but not above the image: the overview of a gallery. */
  overview: number;
  /** Whether the pointer is a finger: cells do not get smaller than one. */
  coarse: boolean;
}

export interface Extent {
  width: number;
  height: number;
}

/** Kernel over its map, left of it, or folded away until it is needed. */
export type KernelSide = "above" | "beside" | "folded";

export interface Arrangement {
  kernel: KernelSide;
  columns: number;
  map: Extent;
  image: Extent;
  /** Side of a kernel's cell. */
  cell: number;
  /** Room for the kernel's cells; more of them scroll inside it. */
  place: Extent;
  /** Whether bias and tools are to the right of the cells rather than below them. */
  toolsBeside: boolean;
  /** Height of cells, legend and tools together, where they are above the map. */
  block: number;
}

export interface FocusArrangement {
  /** Kernel between the image and the map, over both, or under both where the room is narrow. */
  kernel: "between" | "above" | "folded";
  picture: Extent;
  cell: number;
  place: Extent;
  block: number;
  /** Side of a cell in the pinned pixel's sum, and the height that its cells get. */
  sumCell: number;
  sumHeight: number;
}

/** The style sheets have the same lengths. */
export const SPACE = {
  /** Between the lens's edge and its parts, and between two parts. */
  pad: 10,
  gap: 10,
  /** Border and padding of a card, left and right together, and above and below. */
  cardX: 18,
  cardY: 14,
  head: 30,
  /** A kernel's legend, which shares its line with the note on the cell in hand. */
  note: 20,
  /** Range and caption under a map. */
  legend: 40,
  /** Bias and tools: their width beside the cells and the gap there, the height of a line of them below. */
  toolsX: 68,
  toolsGap: 8,
  toolsY: 32,
  /** Control that chooses a plane of a deep kernel. */
  picker: 32,
  planeCaption: 18,
  /** What the fonts of a host may add to the sum's height. */
  sumRoom: 24,
  /** A line of the sum as a ledger. */
  sumLine: 22,
  strip: 104,
} as const;

/** Lenses narrower than this have one column, and fold what is not a picture. */
export const NARROW = 480;

/** All filters are kept in sight as long as their maps have this many square pixels. */
const LEAST_AREA = 18_000;
/** Sides of a cell, the largest first: 24 is the least that can be hit, 34 for a finger. */
const CELLS = [46, 42, 38, 34, 30, 28, 24] as const;
const COMPACT = 28;
const FINGER = 34;
/** Kernels with more columns than this have the smallest cells. */
const FEW = 7;
/** A larger cell may cost this much of the map's area. */
const WORTH = 0.97;
/** Width of the image relative to the maps where the kernels are beside these. */
const IMAGE_SHARE = 0.8;
/** A picture is at least this high: a signal has one row. */
const LEAST_HEIGHT = 40;
const LEAST_WIDTH = 60;
/** Height of a card's content below which nothing is made smaller to be seen whole. */
const LEAST_SEEN = 340;
const MOST_COLUMNS = 6;

const gridOf = (cells: number, side: number) => cells * (side + 1) + 1;

/** Cells of all planes that are shown, two in a row. */
function naturalPlace({ kernel: [rows, cols], planes, deep, stems = 0 }: Subject, side: number): Extent {
  const across = Math.min(planes, 2);
  const down = Math.ceil(planes / across);
  const caption = planes > 1 ? SPACE.planeCaption : 0;
  return {
    width: across * gridOf(cols, side) + (across - 1) * 8,
    height: down * (gridOf(rows, side) + caption + stems) + (down - 1) * 8 + (deep ? SPACE.picker : 0),
  };
}

function leastCell({ kernel: [, cols] }: Subject, coarse: boolean): number {
  if (coarse) return FINGER;
  return cols <= FEW ? COMPACT : (CELLS.at(-1) ?? COMPACT);
}

/** A picture of this shape that is no wider and no higher than this. */
function pictureIn([rows, cols]: Subject["picture"], width: number, height: number): Extent {
  const aspect = cols / rows;
  const wide = Math.floor(Math.max(LEAST_WIDTH, Math.min(width, Math.max(height, LEAST_HEIGHT) * aspect)));
  return { width: wide, height: Math.max(LEAST_HEIGHT, Math.round(wide / aspect)) };
}

const area = ({ width, height }: Extent) => width * height;

/** Height of bias and tools below the cells, in lines of this width. */
function toolsBelow({ toolWidths = [] }: Subject, width: number): number {
  let lines = 1;
  let end = -SPACE.gap;
  for (const tool of toolWidths) {
    end += SPACE.gap + tool;
    if (end <= width || end === tool) continue;
    lines++;
    end = tool;
  }
  return lines * SPACE.toolsY;
}

/** Width of a kernel that stands above its map, with what stands beside its cells; a card is no narrower. */
export function kernelWidth({
  map,
  place,
  toolsBeside,
}: Pick<Arrangement, "map" | "place" | "toolsBeside">): number {
  return Math.max(map.width, place.width + (toolsBeside ? SPACE.toolsGap + SPACE.toolsX : 0));
}

/** Whether all cells are in sight: a kernel that scrolls inside its card takes the gestures that scroll the page. */
function isWhole(subject: Subject, { cell, place }: Pick<Arrangement, "cell" | "place">): boolean {
  return place.height >= naturalPlace(subject, cell).height;
}

/** One arrangement, with this many rows of cards in sight; null where it leaves no room for a map. */
function candidate(
  subject: Subject,
  room: Room,
  kernel: "above" | "beside",
  columns: number,
  rows: number,
  cell: number,
): Arrangement | null {
  const { pad, gap, cardX, cardY, head, note, legend, toolsX, toolsGap, toolsY } = SPACE;
  const width = room.width - 2 * pad - columns * (gap + cardX);
  const seen =
    (room.height - room.bars - room.overview - 2 * pad - (rows - 1) * gap) / rows - cardY - head - legend;
  // One row of cards is worth scrolling for where hardly anything can be seen at once.
  const height = rows > 1 ? seen : Math.max(seen, LEAST_SEEN);
  const natural = naturalPlace(subject, cell);
  const place = { ...natural };
  let map: Extent;
  let toolsBeside = false;
  let block = 0;
  let across: number;
  if (kernel === "above") {
    across = width / (columns + 1);
    place.width = Math.min(natural.width, Math.floor(across));
    place.height = Math.min(natural.height, Math.max(150, Math.floor(0.4 * height)));
    toolsBeside = across - place.width - toolsGap >= toolsX;
    const over = (width: number) => {
      const below = toolsBelow(subject, width);
      block = note + (toolsBeside ? Math.max(place.height, subject.tools) : place.height + below);
      return pictureIn(subject.picture, across, height - block);
    };
    map = over(across);
    // A map that the height bounds makes its card narrower, and the tools take more lines.
    map = over(kernelWidth({ map, place, toolsBeside }));
  } else {
    place.width = Math.min(
      Math.max(natural.width, subject.deep ? 150 : 112),
      Math.floor((0.45 * width) / columns),
    );
    const left = (width - columns * (place.width + gap)) / (columns + IMAGE_SHARE);
    across = IMAGE_SHARE * left;
    map = pictureIn(subject.picture, left, height);
    const most = Math.max(120, map.height + legend - note - toolsY);
    place.height = Math.min(natural.height, most);
    // The kernel and its tools may be higher than the map.
    if (Math.min(natural.height, 120) + note + toolsY > height + legend) return null;
  }
  if (across < LEAST_WIDTH || map.height > height + 0.5) return null;
  const image = pictureIn(subject.picture, across, room.height - room.bars - 2 * pad - head - legend);
  return { kernel, columns, map, image, cell, place, toolsBeside, block };
}

/** One column of pictures as wide as the lens; everything that is not a picture folds. */
function narrow(subject: Subject, room: Room): Arrangement {
  const width = room.width - 2 * 6;
  const natural = naturalPlace(subject, Math.max(FINGER, leastCell(subject, room.coarse)));
  const inside = width - 14;
  const most = Math.max(240, 1.5 * room.height);
  return {
    kernel: "folded",
    columns: 1,
    map: pictureIn(subject.picture, inside, most),
    image: pictureIn(subject.picture, width, most),
    cell: FINGER,
    place: { width: Math.min(natural.width, inside), height: Math.min(natural.height, inside) },
    toolsBeside: false,
    block: 0,
  };
}

/**
 * Every filter stays in sight while its map is not too small for that, and the maps are as large as they can be then; else
 * the arrangement with the larger maps is chosen, weighted by the share of filters in sight. Cells grow where that costs the maps next to nothing.
 */
export function arrange(subject: Subject, room: Room): Arrangement {
  if (room.width < NARROW) return narrow(subject, room);
  const least = leastCell(subject, room.coarse);
  let best: { at: Arrangement; kernel: "above" | "beside"; rows: number; score: number } | null = null;
  for (const kernel of subject.byParts ? (["beside"] as const) : (["above", "beside"] as const)) {
    for (let columns = 1; columns <= Math.min(subject.filters, MOST_COLUMNS); columns++) {
      for (let rows = Math.ceil(subject.filters / columns); rows > 0; rows--) {
        const at = candidate(subject, room, kernel, columns, rows, least);
        if (!at) continue;
        const share = Math.min(1, (columns * rows) / subject.filters);
        const whole = share === 1 && area(at.map) >= LEAST_AREA;
        const score = area(at.map) * share + (whole ? 1e9 : 0);
        if (!best || score > best.score) best = { at, kernel, rows, score };
      }
    }
  }
  if (!best) return narrow(subject, room);
  const { at, kernel, rows } = best;
  for (const cell of CELLS) {
    if (cell <= at.cell) break;
    const larger = candidate(subject, room, kernel, at.columns, rows, cell);
    const worth = larger && area(larger.map) >= WORTH * area(at.map) && larger.toolsBeside === at.toolsBeside;
    if (worth && isWhole(subject, larger)) return larger;
  }
  return at;
}

/** One filter large: image and map of one size, the kernel between or above them, the sum in sight below. */
export function arrangeFocus(subject: Subject, room: Room): FocusArrangement {
  const { pad, gap, head, note, toolsY, strip, planeCaption, legend } = SPACE;
  const [rows, cols] = subject.kernel;
  const sumCell = cols <= 5 ? 28 : 24;
  if (room.width < NARROW) {
    const { map, cell, place } = narrow(subject, room);
    // Patch, kernel and products, one below the other.
    const planes = 3 * (gridOf(rows, sumCell) + planeCaption + gap);
    const sumHeight = Math.min(planes, Math.floor(0.7 * room.height));
    return { kernel: "folded", picture: map, cell, place, block: 0, sumCell, sumHeight };
  }
  const ledger = SPACE.sumLine * ((subject.sumLines ?? 1) - 1);
  const sumHeight = Math.min(Math.max(gridOf(rows, sumCell), ledger), Math.floor(0.3 * room.height));
  const sum = sumHeight + planeCaption + 2 * gap + SPACE.sumRoom;
  const side = subject.filters > 1 ? strip + gap : 0;
  const width = room.width - 2 * pad - side;
  const height = Math.max(160, room.height - room.bars - 2 * pad - head - sum - gap - legend / 2);
  const sides = subject.byParts ? (["between"] as const) : (["between", "above"] as const);
  const options = sides.flatMap((kernel) =>
    CELLS.filter((cell) => cell >= leastCell(subject, room.coarse) || cell === CELLS.at(-1)).map((cell) => {
      const natural = naturalPlace(subject, cell);
      const tools = note + toolsY;
      const place =
        kernel === "between"
          ? {
              width: Math.min(Math.max(natural.width, 150), 0.34 * width),
              height: Math.min(natural.height, Math.max(120, height - tools)),
            }
          : {
              width: Math.min(natural.width, width / 2),
              height: Math.min(natural.height, Math.max(120, 0.3 * height)),
            };
      const picture =
        kernel === "between"
          ? pictureIn(subject.picture, (width - 2 * gap - place.width) / 2, height)
          : pictureIn(subject.picture, (width - gap) / 2, height - place.height - tools);
      return { kernel, picture, cell, place, block: place.height + tools, sumCell, sumHeight };
    }),
  );
  const most = Math.max(...options.map(({ picture }) => area(picture)));
  const good = options.filter(({ picture }) => area(picture) >= WORTH * most);
  const whole = good.filter((option) => isWhole(subject, option));
  return (whole.length > 0 ? whole : good).reduce((a, b) => (b.cell > a.cell ? b : a));
}
