/**
 * What a page or a notebook saved of a lens, checked before anything is made of it. A part that is damaged is named,
 * and is treated as if it had never been saved; what is intact is shown.
 */
import type { AnyModel } from "@anywidget/types";
import { type Bytes, bytesOf } from "../protocol/bytes.ts";
import {
  bytes,
  type Check,
  fields,
  flag,
  list,
  nullable,
  number,
  oneOf,
  optional,
  record,
  text,
  whole,
} from "../protocol/check.ts";
import { MOST_FILTERS, MOST_PIXELS, MOST_TAPS } from "../protocol/limits.ts";
import { savedAnswers } from "../protocol/messages.ts";
import {
  type FilterRecord,
  filterRecord,
  type ImageRecord,
  type LensState,
  type Traits,
} from "../protocol/records.ts";

function refuse(sentence: string): never {
  throw new RangeError(sentence);
}

const size: Check<number> = (value, what) => {
  const read = whole(value, what);
  return read > 0 && read <= MOST_PIXELS ? read : refuse(`${what} is ${read}`);
};
function sizes(count: number): Check<number[]> {
  return (value, what) => {
    const read = list(size)(value, what);
    return read.length === count ? read : refuse(`${what} has ${read.length} sizes instead of ${count}`);
  };
}

const geometry = fields({
  kind: oneOf("conv", "depthwise", "separable", "transpose"),
  class_name: text,
  name: text,
  path: text,
  builtin: flag,
  input_shape: sizes(3),
  output_shape: sizes(2),
  filters: size,
  kernel_size: sizes(2),
  kernel_channels: size,
  strides: sizes(2),
  dilation_rate: sizes(2),
  padding: text,
  pads: list(whole),
  groups: size,
  use_bias: flag,
  activation: text,
  activation_params: record,
  previewable: flag,
});
const lensState = fields({
  generation: whole,
  geometry,
  own: optional(geometry),
  order: list(whole),
  image_version: whole,
  image_is_input: flag,
  output: optional(sizes(3)),
});
const imageRecord = fields({
  version: whole,
  shape: sizes(3),
  dtype: oneOf("uint8", "float32"),
  notes: list(text),
  through: optional(list(text)),
  data: bytes,
  reduced: nullable(fields({ shape: sizes(2) })),
});

/** The other traits: what each must be, and what replaces one that is not. */
const OTHERS: readonly [keyof Traits, Check<unknown>, unknown][] = [
  ["_cmaps", record, {}],
  ["_presets", list(fields({ name: text, shape: sizes(2), values: list(number) })), []],
  [
    "_status",
    fields({ keras: oneOf("loading", "ready", "failed"), detail: text }),
    { keras: "loading", detail: "" },
  ],
  ["_problem", nullable(record), null],
  ["labels", list(text), []],
  [
    "_layers",
    list(
      fields({
        path: text,
        class_name: text,
        input_shape: sizes(3),
        output_shape: sizes(3),
        kernel_size: sizes(2),
      }),
    ),
    [],
  ],
  [
    "_training",
    nullable(
      fields({
        running: flag,
        snapshots: list(fields({ epoch: whole, step: whole })),
        shown: nullable(whole),
      }),
    ),
    null,
  ],
  ["_survey", nullable(fields({ version: whole, layers: list(text), images: whole })), null],
];
/** Numbers of a colour map's table. */
const TABLE = 768;

export interface Inspected {
  /** The model to read from; null where nothing can be shown. */
  model: AnyModel<Traits> | null;
  /** A sentence on what is damaged, or "". */
  damage: string;
}

export function inspect(model: AnyModel<Traits>): Inspected {
  const damaged: string[] = [];
  const instead = new Map<keyof Traits, unknown>();
  const state = model.get("_state");
  const fail = (error: unknown) => damaged.push((error as Error).message.slice(0, 300));
  try {
    checkState(state);
  } catch (error) {
    fail(error);
    return { model: null, damage: sentence(damaged) };
  }
  for (const [name, check, empty] of OTHERS) {
    const value: unknown = model.get(name);
    // An empty dictionary is what Python has where there was no training.
    if (name === "_training" && JSON.stringify(value) === "{}") instead.set(name, empty);
    else
      try {
        check(value, name);
      } catch (error) {
        fail(error);
        instead.set(name, empty);
      }
  }
  const image = model.get("_image");
  try {
    checkImage(image, state);
  } catch (error) {
    fail(error);
    instead.set("_image", blank(image));
  }
  const tables = Object.entries(instead.has("_cmaps") ? {} : model.get("_cmaps"));
  const sound = tables.filter(([, table]) => byteLength(table) === TABLE);
  if (sound.length < tables.length) {
    damaged.push("some colour maps are incomplete");
    instead.set("_cmaps", Object.fromEntries(sound));
  }
  const names: unknown = model.get("names");
  const titles = state.order.map((_, i) =>
    Array.isArray(names) && typeof names[i] === "string" ? names[i] : `Filter ${i + 1}`,
  );
  if (!Array.isArray(names) || String(titles) !== String(names)) {
    damaged.push("some names are missing");
    instead.set("names", titles);
  }
  try {
    checkSaved(model.get("_saved"), state, model.get("_training"));
  } catch (error) {
    fail(error);
    for (const name of ["_saved", "_training"] as const) instead.set(name, null);
  }
  const table = model.get("_filters");
  const records: unknown[] = Array.isArray(table?.filters) ? table.filters : [];
  const kept = records.filter((one, i) => {
    try {
      return checkFilter(one, i, state, titles);
    } catch (error) {
      return fail(error) < 0;
    }
  });
  if (table && (kept.length < records.length || !Array.isArray(table.filters))) {
    if (!Array.isArray(table.filters)) damaged.push("the filters are not a list");
    const generation = Number.isInteger(table.generation) ? table.generation : state.generation;
    instead.set("_filters", { generation, filters: kept });
  }
  return { model: instead.size > 0 ? replaced(model, instead) : model, damage: sentence(damaged) };
}

/** Sizes are compared with each other and with the limits before anything of that size is made. */
function checkState(value: LensState): void {
  const { geometry: read, order } = lensState(value, "the state of the lens");
  const [rows = 0, cols = 0, channels = 0] = read.input_shape;
  const [kh = 0, kw = 0] = read.kernel_size;
  if (rows * cols > MOST_PIXELS) refuse(`the layer's input is ${rows} × ${cols}`);
  if ((read.output_shape[0] ?? 0) * (read.output_shape[1] ?? 0) > MOST_PIXELS)
    refuse("the maps are too large");
  if (kh * kw > MOST_TAPS) refuse(`the kernels are ${kh} × ${kw}`);
  if (read.kernel_channels > channels) {
    refuse(`the kernels read ${read.kernel_channels} channels of an input that has ${channels}`);
  }
  if (order.length > MOST_FILTERS || new Set(order).size !== order.length || order.length === 0) {
    refuse("the list of filters names one twice");
  }
}

function checkImage(value: ImageRecord, { geometry, image_is_input, image_version }: LensState): void {
  const read = imageRecord({ ...value, reduced: value?.reduced ?? null }, "the image");
  const channels = read.shape[2] ?? 0;
  const [rows = 0, cols = 0] = read.reduced?.shape ?? read.shape;
  const wanted = rows * cols * channels * (read.dtype === "uint8" ? 1 : 4);
  const length = bytesOf(read.data).length;
  if (length !== wanted) refuse(`the image has ${length} of its ${wanted} bytes`);
  if (
    image_is_input &&
    read.version === image_version &&
    String(read.shape) !== String(geometry.input_shape)
  ) {
    refuse(
      `the image is ${read.shape.join(" × ")}, and the layer's input ${geometry.input_shape.join(" × ")}`,
    );
  }
}

function checkFilter(value: unknown, index: number, { geometry, order }: LensState, titles: string[]): true {
  const at = order.indexOf((value as FilterRecord | null)?.uid as number);
  const what = `filter “${(titles[at] ?? String(index + 1)).slice(0, 60)}”`;
  const { kernel, map } = filterRecord(value, what);
  const [kh, kw] = geometry.kernel_size;
  const wanted = 4 * kh * kw * geometry.kernel_channels;
  const length = bytesOf(kernel).length;
  if (length !== wanted) refuse(`the kernel of ${what} has ${length} of its ${wanted} bytes`);
  if (!map) return true;
  const [rows, cols] = geometry.output_shape;
  if (map.shape[0] > rows || map.shape[1] > cols)
    refuse(`the map of ${what} is larger than ${rows} × ${cols}`);
  const [levels, pixels] = [bytesOf(map.levels).length, map.shape[0] * map.shape[1]];
  if (levels !== pixels) refuse(`the map of ${what} has ${levels} of its ${pixels} bytes`);
  return true;
}

/** Answers whose size differs from what they answer are discarded. */
function checkSaved(value: unknown, { geometry, order }: LensState, training: Traits["_training"]): void {
  const saved = nullable(savedAnswers)(value, "_saved");
  if (!saved) return;
  const { input, predictions, outputs: maps, snapshots, excited } = saved;
  const kernel = 4 * geometry.kernel_size[0] * geometry.kernel_size[1] * geometry.kernel_channels;
  const outputs = 4 * ((predictions?.before.byteLength ?? 0) >> 2);
  const sizes = [
    ...(input ? [[input, 4 * geometry.input_shape.reduce((a, b) => a * b)]] : []),
    ...snapshots.flatMap(({ kernels, bias }) => [
      [kernels, order.length * kernel],
      [bias, 4 * order.length],
    ]),
    ...maps.flatMap(({ size, values, ...sides }) => [
      ...[sides.before, sides.after, sides.difference].map(({ levels, shape }) => [
        levels,
        shape[0] * shape[1],
      ]),
      ...(values ? [[values, 8 * size[0] * size[1]]] : []),
    ]),
    ...excited.map(({ original }) => [original, kernel]),
    ...Object.values(predictions ?? {}).map((output) => [output, outputs]),
  ] as [Bytes, number][];
  const whole = sizes.every(([data, wanted]) => data.byteLength === wanted);
  if (!whole || snapshots.length !== (training?.snapshots?.length ?? 0))
    refuse("Keras's saved answers are incomplete");
}

function byteLength(value: unknown): number {
  try {
    return bytesOf(bytes(value, "")).length;
  } catch {
    return -1;
  }
}

/** A picture of no version, so that no map is computed from it. */
function blank(damaged: unknown): ImageRecord {
  let shape = [1, 1, 1];
  try {
    const read = sizes(3)((damaged as ImageRecord | null)?.shape, "");
    if (read.reduce((a, b) => a * b) <= MOST_PIXELS) shape = read;
  } catch {
    // One pixel stands for a picture of unknown size.
  }
  const data = new Uint8Array(shape.reduce((a, b) => a * b));
  return {
    version: -1,
    shape,
    dtype: "uint8",
    scale: 1,
    data,
    reduced: null,
    notes: [],
  } as unknown as ImageRecord;
}

/** The model with other values for some traits, until the host gives them new ones. */
function replaced(model: AnyModel<Traits>, instead: Map<keyof Traits, unknown>): AnyModel<Traits> {
  const given = new Map([...instead.keys()].map((name) => [name, model.get(name)]));
  const get = (name: keyof Traits) => {
    const value = model.get(name);
    return instead.has(name) && Object.is(value, given.get(name)) ? instead.get(name) : value;
  };
  return new Proxy(model, {
    get(target, key) {
      if (key === "get") return get;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function sentence(damaged: string[]): string {
  if (damaged.length === 0) return "";
  const most = 4;
  const more = damaged.length > most ? `; and ${damaged.length - most} more` : "";
  return `What was saved of this lens is damaged: ${damaged.slice(0, most).join("; ")}${more}.`;
}
