/**
 * A font in which every character is the same bar: a page drawn in it is the same whatever fonts a machine has, and text still
 * has its place, its length and its colour. The tables are those of TrueType (OpenType 1.9), with nothing in them but the bar.
 */

const UNITS = 1000;
/** Of an em: how far one character goes, and where its bar is; a line is as high as in most fonts for screens. */
const [ADVANCE, LOW, HIGH, ASCENT, DESCENT] = [560, 40, 540, 930, 240];
/** Glyphs: what is missing, a space, a bar. */
const [SPACE, BAR] = [1, 2];

const u16 = (...values: number[]) => values.flatMap((v) => [(v >> 8) & 255, v & 255]);
const u32 = (...values: number[]) => values.flatMap((v) => [...u16(v >>> 16), ...u16(v & 0xffff)]);
const tag = (name: string) => [...name].map((c) => c.charCodeAt(0));

/** One closed contour of four straight lines. */
const bar = [
  ...u16(1, 0, LOW, ADVANCE, HIGH, 3, 0),
  ...[1, 1, 1, 1],
  ...u16(0, 0, ADVANCE, 0),
  ...u16(LOW, HIGH - LOW, 0, LOW - HIGH),
];

/** Characters that are spaces, each as first and last; all others are bars. */
const SPACES = [
  [0, 0x20],
  [0xa0, 0xa0],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x2064],
] as const;

/** Format 13: a range of characters, and the one glyph that is all of them. */
function characters(): number[] {
  const groups = SPACES.flatMap(([first, last], i) => [
    [first, last, SPACE],
    [last + 1, (SPACES[i + 1]?.[0] ?? 0x110000) - 1, BAR],
  ]);
  const table = [
    ...u16(13, 0),
    ...u32(16 + 12 * groups.length, 0, groups.length),
    ...groups.flatMap((g) => u32(...g)),
  ];
  return [...u16(0, 1, 3, 10), ...u32(12), ...table];
}

const TABLES: Record<string, number[]> = {
  "OS/2": [
    ...u16(4, ADVANCE, 400, 5, 0, 500, 500, 0, 0, 500, 500, 0, 0, 50, 250, 0),
    ...new Array<number>(10).fill(0),
    ...u32(1, 0, 0, 0),
    ...tag("none"),
    ...u16(0x40, 0, 0xffff, ASCENT, -DESCENT, 0, ASCENT, DESCENT),
    ...u32(1, 0),
    ...u16(HIGH, HIGH, 0, 0x20, 1),
  ],
  cmap: characters(),
  glyf: bar,
  head: [
    ...u16(1, 0),
    ...u32(0x10000, 0, 0x5f0f3cf5),
    ...u16(0, UNITS),
    ...u32(0, 0, 0, 0),
    ...u16(0, LOW, ADVANCE, HIGH, 0, 8, 2, 0, 0),
  ],
  hhea: u16(1, 0, ASCENT, -DESCENT, 0, ADVANCE, 0, 0, ADVANCE, 1, 0, 0, 0, 0, 0, 0, 0, 1),
  hmtx: u16(ADVANCE, 0, 0, 0),
  loca: u16(0, 0, 0, bar.length / 2),
  maxp: u16(1, 0, 3, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
  name: u16(0, 0, 6),
  post: [...u16(3, 0), ...u32(0), ...u16(-100, 50), ...u32(1, 0, 0, 0, 0)],
};

/** The bytes of the font file. */
export function barsFont(): ArrayBuffer {
  const names = Object.keys(TABLES).sort();
  let at = 12 + 16 * names.length;
  const directory: number[] = [];
  const body: number[] = [];
  for (const name of names) {
    const data = TABLES[name] ?? [];
    const padded = [...data, ...new Array<number>(-data.length & 3).fill(0)];
    let sum = 0;
    for (let i = 0; i < padded.length; i += 4) {
      const [a = 0, b = 0, c = 0, d = 0] = padded.slice(i, i + 4);
      sum = (sum + ((a << 24) | (b << 16) | (c << 8) | d)) >>> 0;
    }
    directory.push(...tag(name), ...u32(sum, at, data.length));
    body.push(...padded);
    at += padded.length;
  }
  const head = [...u32(0x10000), ...u16(names.length, 128, 3, 16 * names.length - 128)];
  return Uint8Array.from([...head, ...directory, ...body]).buffer;
}
