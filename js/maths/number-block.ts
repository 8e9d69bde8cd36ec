/** Blocks of numbers as text: tab-separated as spreadsheets have it, and what NumPy and similar libraries print. */
import { exactNumber, parseNumber } from "./numbers.ts";

export interface Block {
  rows: number;
  cols: number;
  /** Row-major. */
  values: Float32Array;
}

export type ParsedBlock = { ok: true; block: Block } | { ok: false; why: string };

/** Tab-separated lines, plain ASCII; every float32 reads back exactly. */
export function formatBlock({ cols, values }: Block): string {
  let text = "";
  values.forEach((value, i) => {
    text += (i === 0 ? "" : i % cols ? "\t" : "\n") + exactNumber(value);
  });
  return text;
}

/** A kernel as NumPy source: (rows, cols), or (rows, cols, planes) where it has more than one; float32 reads back exactly. */
export function formatArray([rows, cols, planes]: readonly number[], values: Float32Array): string {
  const literal = (value: number) =>
    Number.isFinite(value) ? exactNumber(value) : value > 0 ? "np.inf" : value < 0 ? "-np.inf" : "np.nan";
  const list = (count: number, item: (i: number) => string, between = ", ") =>
    `[${Array.from({ length: count }, (_, i) => item(i)).join(between)}]`;
  const [wide, deep] = [cols as number, planes as number];
  const tap = (at: number) =>
    deep > 1
      ? list(deep, (k) => literal(values[at * deep + k] as number))
      : literal(values[at * deep] as number);
  const lines = list(rows as number, (r) => list(wide, (c) => tap(r * wide + c)), ",\n          ");
  return `np.array(${lines}, dtype="float32")`;
}

class Refusal extends Error {}

function refuse(why: string): never {
  throw new Refusal(why);
}

/** Read a block from a spreadsheet (tabs), CSV, or the repr of an array, tensor or nested list. */
export function parseBlock(text: string): ParsedBlock {
  try {
    if (text.includes("...")) {
      refuse(
        "The text holds “...”: NumPy left numbers out. Print with np.set_printoptions(threshold=np.inf).",
      );
    }
    const rows = text.includes("[") ? repr(text) : lines(text);
    const cols = rows[0]?.length ?? 0;
    if (cols === 0) refuse("There are no numbers in what was pasted.");
    const odd = rows.findIndex((row) => row.length !== cols);
    if (odd > 0) {
      refuse(
        `Row ${odd + 1} has length ${rows[odd]?.length} and row 1 has length ${cols}; rows must be equally long.`,
      );
    }
    return { ok: true, block: { rows: rows.length, cols, values: Float32Array.from(rows.flat()) } };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, why: error.message };
    throw error;
  }
}

function number(text: string, where: string): number {
  const parsed = parseNumber(text);
  if (parsed.ok) return parsed.value;
  return refuse(text.trim() === "" ? `${where} is empty. Write a number there.` : `${where}: ${parsed.why}`);
}

function lines(text: string): number[][] {
  const rows = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "").replace(/^\n+/, "").split("\n");
  const separator = text.includes("\t") ? /\t/ : /[;,]/.test(text) ? /[;,]/ : /\s+/;
  return rows.map((row, r) =>
    // Tabs at the ends of a line are empty cells; spaces there are ignored.
    (separator.source === "\\t" ? row : row.trim())
      .split(separator)
      .map((cell, c) => number(cell, `Row ${r + 1}, column ${c + 1}`)),
  );
}

type Nested = number | Nested[];

/** The bracketed part of `array([[...]], dtype=float32)`, `tf.Tensor([[...]], shape=...)`, `[[1, 2], [3, 4]]`... */
function repr(text: string): number[][] {
  // NumPy 2 prints scalars inside lists as np.float32(1.5).
  const plain = text.replace(/\b(?:np|numpy)\.\w+\(([^()[\]]*)\)/g, "$1");
  const tokens = plain.slice(plain.indexOf("[")).match(/[[\]]|[^[\]]+/g) ?? [];
  let at = 0;

  function list(): Nested[] {
    const items: Nested[] = [];
    for (at++; tokens[at] !== "]"; ) {
      const token = tokens[at];
      if (token === undefined) return refuse("A closing bracket ] is missing: copy the whole array.");
      if (token === "[") items.push(list());
      else {
        // "1, 2" in lists, "1. 2." in what print() shows, "1 / 3" as a person may write it.
        const words = token.replace(/\s*\/\s*/g, "/").split(/[\s,]+/);
        items.push(...words.filter(Boolean).map((word) => number(word, "In the array")));
        at++;
      }
    }
    at++;
    return items;
  }

  const found = [list()];
  // Rows without a bracket around them: "[1, 2],\n[3, 4]".
  while (tokens[at + 1] === "[" && /^[\s,]+$/.test(tokens[at] as string)) {
    at++;
    found.push(list());
  }
  let nested: Nested[] = found.length > 1 ? found : (found[0] as Nested[]);
  // (1, rows, cols) and (rows, cols, 1): axes of length 1 hold nothing of their own.
  while (nested.length === 1 && Array.isArray(nested[0]) && nested[0].some(Array.isArray)) nested = nested[0];
  if (!nested.some(Array.isArray)) nested = [nested];
  return nested.map((row, r) => {
    if (!Array.isArray(row))
      return refuse("The list mixes numbers and rows. Write rows of equal length: [[1, 2], [3, 4]].");
    return row.map((item) => {
      let value: Nested | undefined = item;
      while (Array.isArray(value) && value.length === 1) value = value[0];
      if (typeof value === "number") return value;
      return refuse(
        `Row ${r + 1} holds arrays of its own: the array has more than two axes. Copy one plane, such as kernel[:, :, 0].`,
      );
    });
  });
}
