/** Kernels as JSON: {"names": [...], "bias": [...], "kernels": [...]}, each kernel nested as (rows, cols[, channels]). */
import type { KernelShape } from "./kernels.ts";
import { exactNumber } from "./numbers.ts";

export interface KernelFile {
  shape: KernelShape;
  kernels: Float32Array[];
  /** One for each kernel; null where the text does not say. */
  names: string[] | null;
  bias: number[] | null;
}

export type ParsedFile = { ok: true; file: KernelFile } | { ok: false; why: string };

const WORDS: Record<string, string> = { nan: '"NaN"', inf: '"Infinity"', "-inf": '"-Infinity"' };

/** Shortest decimals that read back as the same float32; JSON has no NaN and no infinity, so those are words. */
const write = (value: number) => {
  const text = exactNumber(value);
  return WORDS[text] ?? text;
};

export function formatKernels({ shape: [rows, cols, channels], kernels, names, bias }: KernelFile): string {
  const list = (length: number, item: (i: number) => string, gap = ", ") =>
    `[${Array.from({ length }, (_, i) => item(i)).join(gap)}]`;
  const nested = (kernel: Float32Array) =>
    list(
      rows,
      (r) =>
        list(cols, (c) => {
          const at = (r * cols + c) * channels;
          return channels === 1
            ? write(kernel[at] as number)
            : list(channels, (k) => write(kernel[at + k] as number));
        }),
      ",\n     ",
    );
  const parts = [
    names && `  "names": ${JSON.stringify(names)}`,
    bias && `  "bias": [${bias.map(write).join(", ")}]`,
    `  "kernels": [\n    ${kernels.map(nested).join(",\n    ")}\n  ]`,
  ];
  return `{\n${parts.filter(Boolean).join(",\n")}\n}\n`;
}

class Refusal extends Error {}

function refuse(why: string): never {
  throw new Refusal(why);
}

const isNumber = (value: unknown) =>
  typeof value === "number" || value === "NaN" || value === "Infinity" || value === "-Infinity";

function number(value: unknown, where: string): number {
  if (!isNumber(value)) refuse(`${where} is ${JSON.stringify(value)}, not a number.`);
  const float = Math.fround(Number(value));
  if (!Number.isFinite(float) && typeof value === "number")
    refuse(`${where} is ${value}, more than a float32 holds (3.4e38). Write "Infinity" if that is meant.`);
  return float;
}

const array = (value: unknown, where: string): unknown[] =>
  Array.isArray(value) && value.length > 0 ? value : refuse(`${where} must be a list that is not empty.`);

/** Read what `formatKernels` writes, or a bare list of kernels. */
export function parseKernels(text: string): ParsedFile {
  try {
    return { ok: true, file: read(text) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, why: error.message };
    if (error instanceof SyntaxError) return { ok: false, why: `This is not JSON: ${error.message}.` };
    throw error;
  }
}

function read(text: string): KernelFile {
  const given: unknown = JSON.parse(text);
  const fields: Record<string, unknown> = Array.isArray(given) ? { kernels: given } : Object(given);
  if (!("kernels" in fields)) refuse('The JSON has no "kernels". Expected {"kernels": [[[0, 1], [2, 3]]]}.');
  let shape: KernelShape | null = null;
  const kernels = array(fields.kernels, '"kernels"').map((kernel, i) => {
    const one = readKernel(kernel, `Kernel ${i}`);
    shape ??= one.shape;
    if (String(one.shape) !== String(shape))
      refuse(
        `Kernel ${i} has shape ${one.shape.join(" × ")} and kernel 0 has ${shape.join(" × ")}; all kernels of a layer have one shape.`,
      );
    return one.values;
  });
  const many = (name: string) => {
    const list = fields[name];
    if (list === undefined || list === null) return null;
    const { length } = array(list, `"${name}"`);
    if (length !== kernels.length) refuse(`"${name}" has ${length} entries for ${kernels.length} kernels.`);
    return list as unknown[];
  };
  return {
    shape: shape as unknown as KernelShape,
    kernels,
    names:
      many("names")?.map((name) => (typeof name === "string" ? name : refuse("Every name must be a text."))) ??
      null,
    bias: many("bias")?.map((value, i) => number(value, `Bias ${i}`)) ?? null,
  };
}

function readKernel(given: unknown, name: string): { shape: KernelShape; values: Float32Array } {
  const rows = array(given, name).map((row, r) => array(row, `${name}, row ${r}`));
  const cols = rows[0]?.length ?? 0;
  const first = rows[0]?.[0];
  const depth = Array.isArray(first) ? first.length : 0;
  const values: number[] = [];
  rows.forEach((row, r) => {
    if (row.length !== cols)
      refuse(`${name}, row ${r} has ${row.length} columns and row 0 has ${cols}; rows must be equally long.`);
    row.forEach((cell, c) => {
      const where = `${name}, row ${r}, column ${c}`;
      if (depth === 0) values.push(number(cell, where));
      else {
        const channels = array(cell, where);
        if (channels.length !== depth) refuse(`${where} has ${channels.length} channels; others have ${depth}.`);
        channels.forEach((value, k) => void values.push(number(value, `${where}, channel ${k}`)));
      }
    });
  });
  return { shape: [rows.length, cols, depth || 1], values: Float32Array.from(values) };
}
