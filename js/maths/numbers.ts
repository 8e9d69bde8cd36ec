/** Numbers as a person types and reads them. Every value is a float32, as in the layer. */

export type Parsed = { ok: true; value: number } | { ok: false; why: string };

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/;
const NOT_FINITE = /^([+-]?)(?:(nan)|inf|infinity|∞)$/;
/** The least magnitude that rounds past the greatest float32: 2^128 − 2^103. */
const TOO_LARGE = 2 ** 128 - 2 ** 103;

const refuse = (why: string): Parsed => ({ ok: false, why });
const shown = (text: string) => `“${text.length > 24 ? `${text.slice(0, 23)}…` : text}”`;

/**
 * Read one number: decimal (`-.5e1`), fraction (`1/9`), `nan`, `inf`, `-inf`; spaces and Unicode minus signs are fine.
 * A decimal comma is refused: `1,000` would be read as 1 by one person and as 1000 by another.
 */
export function parseNumber(text: string): Parsed {
  const given = text.trim();
  if (given === "") return refuse("Nothing was typed. Write a number such as 0.5, 1/9 or 2e-3.");
  const plain = given.replace(/[−–]/g, "-").toLowerCase();
  const special = NOT_FINITE.exec(plain);
  if (special)
    return { ok: true, value: special[2] ? Number.NaN : special[1] === "-" ? -Infinity : Infinity };
  const parts = plain.split("/").map((part) => part.trim());
  if (parts.length > 2 || !parts.every((part) => DECIMAL.test(part))) {
    if (/^[+-]?\d+,\d+$/.test(plain)) {
      return refuse(`${shown(given)} has a comma. Write ${plain.replace(",", ".")} with a point.`);
    }
    return refuse(`${shown(given)} is not a number. Write 0.5, 1/9, 2e-3, nan or inf.`);
  }
  const [above = 0, below = 1] = parts.map(Number);
  if (below === 0) return refuse(`${shown(given)} divides by zero. Write inf or nan if that is meant.`);
  const value = above / below;
  if (!(Math.abs(value) < TOO_LARGE)) {
    return refuse(`${shown(given)} is more than a float32 holds (3.4e38). Write inf if that is meant.`);
  }
  return { ok: true, value: Math.fround(value) };
}

/** Numbers whose text is remembered, of each kind. */
const REMEMBERED = 4096;

/** A drag writes the same numbers in every frame, and finding the digits of one takes microseconds. */
function remembering(write: (value: number) => string): (value: number) => string {
  const texts = new Map<number, string>();
  return (value) => {
    let text = texts.get(value);
    if (text === undefined) {
      if (texts.size >= REMEMBERED) texts.clear();
      text = write(value);
      texts.set(value, text);
    }
    return text;
  };
}

/** The shortest decimal that reads back as this very float32, in plain ASCII: what is copied and what is edited. */
export const exactNumber = remembering((value) => {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const float = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const text = float.toPrecision(digits);
    if (Math.fround(Number(text)) === float) return tidy(Number(text));
  }
  return tidy(Number(float.toPrecision(9)));
});

/** The exact number with a real minus sign, for tooltips and screen readers. */
export const readNumber = (value: number): string => display(exactNumber(value));

/**
 * The best rendering in at most `width` characters, with a real minus sign: exact if that fits, else with as many
 * digits as fit. Any float32 fits 6 characters; "…" where fewer are given and not even one digit fits.
 */
export function formatNumber(value: number, width = 7): string {
  let write = formats[width];
  if (!write) {
    write = remembering((number) => fitted(number, width));
    formats[width] = write;
  }
  return write(value);
}

/** Writes numbers in this many characters. */
const formats: ((value: number) => string)[] = [];

function fitted(value: number, width: number): string {
  const exact = exactNumber(value);
  if (exact.length <= width || !Number.isFinite(value)) return display(exact);
  const fitting = (most: number, least: number, write: (rounded: number) => string): string | undefined => {
    for (let digits = most; digits >= least; digits--) {
      const text = write(Number(value.toPrecision(digits)));
      if (text.length <= width) return display(text);
    }
    return undefined;
  };
  // Two digits with their leading zero read better than three without, and any decimals better than an exponent.
  return (
    fitting(8, 2, tidy) ??
    (Math.abs(value) >= 1e-4 ? fitting(3, 1, (v) => tidy(v).replace(/^(-?)0\./, "$1.")) : undefined) ??
    fitting(8, 1, (v) => tidy(v.toExponential())) ??
    "…"
  );
}

/** As `formatNumber`, for a cell among others: what is negligible next to the greatest of them is "≈0". */
export function formatCell(value: number, width: number, most: number): string {
  return value !== 0 && Math.abs(value) < most / 2000 ? "≈0" : formatNumber(value, width);
}

function tidy(number: number | string): string {
  return String(number).replace("e+", "e");
}

function display(text: string): string {
  return text.replace(/-/g, "−").replace("inf", "∞").replace("nan", "NaN");
}

/** Greatest finite magnitude; 0 where there is none. */
export function magnitude(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}

/** A round step for changing a number among others of this magnitude: a tenth of its power of ten. */
export function stepFor(most: number): number {
  return most > 0 ? 10 ** (Math.floor(Math.log10(most) + 1e-9) - 1) : 0.1;
}

/** The multiple of `step` nearest to `value`, as a float32. */
export function snap(value: number, step: number): number {
  // Dividing by the reciprocal of a small step keeps 0.3 from becoming 0.30000000000000004.
  return Math.fround(
    step < 1 ? Math.round(value / step) / Math.round(1 / step) : Math.round(value / step) * step,
  );
}
