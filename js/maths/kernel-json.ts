/** Kernels to and from JSON; docs/architecture.md has the format, which src/convlens/inputs/kernel_json.py writes and reads, too. */
import type { KernelShape } from "./kernel-operations.ts";
import { exactNumber } from "./numbers.ts";

export interface KernelFile {
  shape: KernelShape;
  kernels: Float32Array[];
  bias: number[];
  /** Null where the lens makes its own. */
  names: string[] | null;
}

export type ParsedFile = { ok: true; file: KernelFile } | { ok: false; why: string };

const VERSION = 1;
const KEYS = ["convlens", "kernels", "bias", "names"];
const EXAMPLE = '{"convlens": 1, "kernels": [[[1, 0], [0, -1]]], "bias": [0], "names": ["diagonal"]}';
const WORDS: Record<string, string> = { nan: '"NaN"', inf: '"Infinity"', "-inf": '"-Infinity"' };

function write(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const text = exactNumber(value);
  return WORDS[text] ?? text;
}

const list = (length: number, item: (i: number) => string) =>
  `[${Array.from({ length }, (_, i) => item(i)).join(", ")}]`;

/** One line per kernel. */
export function formatKernels({ shape: [rows, cols, channels], kernels, bias, names }: KernelFile): string {
  const nested = (kernel: Float32Array) =>
    list(rows, (r) =>
      list(cols, (c) => {
        const at = (r * cols + c) * channels;
        const number = (k: number) => write(kernel[at + k] as number);
        return channels === 1 ? number(0) : list(channels, number);
      }),
    );
  return `{
  "convlens": ${VERSION},
  "kernels": [
    ${kernels.map(nested).join(",\n    ")}
  ],
  "bias": [${bias.map(write).join(", ")}],
  "names": ${JSON.stringify(names)}
}
`;
}

class Refusal extends Error {}

function refuse(why: string): never {
  throw new Refusal(why);
}

/** Read what `formatKernels` writes. */
export function parseKernels(text: string): ParsedFile {
  try {
    return { ok: true, file: read(text) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, why: error.message };
    if (error instanceof SyntaxError)
      return { ok: false, why: `This is not JSON: ${error.message}. Expected a text like ${EXAMPLE}` };
    throw error;
  }
}

function read(text: string): KernelFile {
  const data = JSON.parse(text) as Record<string, unknown> | null;
  if (data?.convlens === undefined)
    refuse(`This JSON does not hold kernels: it has no "convlens". Expected a text like ${EXAMPLE}`);
  if (data.convlens !== VERSION)
    refuse(`"convlens" is ${JSON.stringify(data.convlens)}, but this lens reads format ${VERSION}.`);
  const unknown = Object.keys(data).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) refuse(`"${unknown}" is not known here. Keys are ${KEYS.join(", ")}.`);
  const kernels = array(data.kernels, "kernels").map((kernel, i) => readKernel(kernel, `kernels[${i}]`));
  const { shape } = kernels[0] as { shape: KernelShape };
  kernels.forEach((kernel, i) => {
    if (String(kernel.shape) !== String(shape))
      refuse(
        `kernels[${i}] has shape (${kernel.shape.join(", ")}) and kernels[0] has (${shape.join(", ")}); all kernels of a layer have one shape.`,
      );
  });
  const many = (key: string, item: (value: unknown, where: string) => unknown) => {
    if (data[key] === undefined || data[key] === null) return null;
    const items = array(data[key], key);
    if (items.length !== kernels.length)
      refuse(`"${key}" has ${items.length} entries for ${kernels.length} kernels.`);
    return items.map((value, i) => item(value, `${key}[${i}]`));
  };
  const name = (value: unknown, where: string) =>
    typeof value === "string" ? value : refuse(`${where} is ${JSON.stringify(value)}; expected a text.`);
  return {
    shape,
    kernels: kernels.map(({ values }) => Float32Array.from(values)),
    bias: (many("bias", number) as number[] | null) ?? kernels.map(() => 0),
    names: many("names", name) as string[] | null,
  };
}

function array(value: unknown, where: string): unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  return refuse(`${where} must be a list that is not empty.`);
}

function number(value: unknown, where: string): number {
  const word = value === "NaN" || value === "Infinity" || value === "-Infinity";
  if (!word && typeof value !== "number")
    refuse(`${where} is ${JSON.stringify(value)}; expected a number, "NaN", "Infinity" or "-Infinity".`);
  const float = Math.fround(Number(value));
  if (!word && !Number.isFinite(float)) refuse(`${where} is more than a float32 holds (3.4e38).`);
  return float;
}

function readKernel(given: unknown, where: string): { shape: KernelShape; values: number[] } {
  const rows = array(given, where).map((row, r) => array(row, `${where}[${r}]`));
  const [first = []] = rows;
  const depth = Array.isArray(first[0]) ? first[0].length : 0;
  const values = rows.flatMap((row, r) => {
    const here = `${where}[${r}]`;
    if (row.length !== first.length)
      refuse(
        `${here} has ${row.length} columns and ${where}[0] has ${first.length}; rows must be equally long.`,
      );
    return row.flatMap((cell, c) => {
      const at = `${here}[${c}]`;
      if (depth === 0) return number(cell, at);
      const channels = array(cell, at);
      if (channels.length !== depth)
        refuse(`${at} has ${channels.length} channels, and others have ${depth}.`);
      return channels.map((value, k) => number(value, `${at}[${k}]`));
    });
  });
  return { shape: [rows.length, first.length, Math.max(depth, 1)], values };
}
