/** What can be done to a whole filter, why some of it cannot, and the calls that do it. */
import {
  flipColumns,
  flipRows,
  type Kernel,
  negate,
  normaliseSum,
  type Outcome,
  resize,
  rotate,
  scale,
  spread,
  transpose,
  unitNorm,
  zero,
  zeroMean,
} from "../../maths/kernel-operations.ts";
import type { Geometry, PresetRecord } from "../../protocol/records.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";
import { followsPreset, whyFixedSize, whyNotWhole } from "../ui/limits.ts";

/** Why one kernel cannot take another shape by itself. */
function whyNotTurned(geometry: Geometry): string | null {
  const [rows, cols] = geometry.kernel_size;
  if (rows === cols) return null;
  const why = whyFixedSize(geometry);
  if (why) return why;
  if (geometry.filters === 1) return null;
  return `This would be a ${cols} × ${rows} kernel, and all kernels of a layer have one shape, here ${rows} × ${cols}.`;
}

export const kernelOf = (geometry: Geometry, filter: FilterView): Kernel => ({
  shape: [...geometry.kernel_size, geometry.kernel_channels],
  values: filter.kernel.peek(),
});

/** One entry of the menu. */
export interface FilterAction {
  label: string;
  /** Why it is not offered. */
  why: string | null;
  run: () => void;
}

function replaceOne(lens: LensView, filter: FilterView, { shape, values }: Kernel): void {
  lens.replace([filter.uid], [...shape], [values]);
}

/** Whether a filter is off: all of its weights are 0. */
export const isOff = (filter: FilterView): boolean =>
  filter.kernel.value.length > 0 && filter.bias.value === 0 && filter.kernel.value.every((tap) => tap === 0);

/** The weights of filters that were switched off here. */
const kept = new WeakMap<FilterView, { values: Float32Array; bias: number }>();

/**
 * Switch a filter off, so that the layers after it get what they would get without it, or on again with its earlier
 * weights.
 */
export function ablate(lens: LensView, filter: FilterView): void {
  const before = isOff(filter) ? kept.get(filter) : undefined;
  if (isOff(filter) && !before) {
    lens.report(
      "Not switched on",
      "All weights of this filter are 0 and were not set to 0 by Ablate here: use Undo.",
    );
    return;
  }
  if (!before) kept.set(filter, { values: filter.kernel.peek(), bias: filter.bias.peek() });
  const index = [...filter.kernel.peek().keys()];
  const taps = { index, value: index.map((i) => before?.values[i] ?? 0) };
  lens.edit([{ uid: filter.uid, taps, ...(lens.geometry.peek().use_bias && { bias: before?.bias ?? 0 }) }]);
}

/** Operations on one kernel, in the menu's order: shapes, normalisation, zero. `say` is called with the reason where one has no result. */
export function kernelActions(
  lens: LensView,
  filter: FilterView,
  say: (why: string) => void,
): [shapes: FilterAction[], normalise: FilterAction[], zero: FilterAction] {
  const geometry = lens.geometry.value;
  const whole = whyNotWhole(geometry);
  const turned = whole ?? whyNotTurned(geometry);
  const plain = (
    label: string,
    change: (kernel: Kernel) => Kernel,
    why: string | null = null,
  ): FilterAction => ({
    label,
    why,
    run: () => replaceOne(lens, filter, change(kernelOf(geometry, filter))),
  });
  const checked = (label: string, change: (kernel: Kernel) => Outcome): FilterAction => ({
    label,
    why: whole,
    run: () => {
      const outcome = change(kernelOf(geometry, filter));
      if (outcome.ok) replaceOne(lens, filter, outcome.kernel);
      else say(outcome.why);
    },
  });
  return [
    [
      plain("Negate", negate, whole),
      plain("Transpose", transpose, turned),
      plain("Rotate 90° clockwise", rotate, turned),
      plain("Flip left–right", flipColumns, whole),
      plain("Flip top–bottom", flipRows, whole),
    ],
    [
      checked("Normalise: sum to 1", normaliseSum),
      checked("Normalise: zero mean", zeroMean),
      checked("Normalise: unit norm", unitNorm),
    ],
    geometry.path
      ? { label: "Ablate: kernel and bias to 0", why: null, run: () => ablate(lens, filter) }
      : plain("Set to zero", zero),
  ];
}

const MOST = 99;

/** Why kernels cannot have this many rows and columns; null where they can. */
export function whyNotSize(size: number): string | null {
  if (Number.isInteger(size) && size >= 1 && size <= MOST) return null;
  return `A kernel has a whole number of rows and columns, 1 to ${MOST}.`;
}

export function scaleFilter(lens: LensView, filter: FilterView, factor: number): void {
  replaceOne(lens, filter, scale(kernelOf(lens.geometry.peek(), filter), factor));
}

/** Every kernel in another size, except those that are given; one step of the history. */
export function resizeAll(lens: LensView, rows: number, cols: number, given?: Map<number, Kernel>): void {
  const geometry = lens.geometry.peek();
  const same = geometry.kernel_size[0] === rows && geometry.kernel_size[1] === cols;
  const filters = lens.filters.peek().filter(({ uid }) => !same || given?.has(uid));
  const kernels = filters.map(
    (filter) => (given?.get(filter.uid) ?? resize(kernelOf(geometry, filter), rows, cols)).values,
  );
  if (filters.length > 0)
    lens.replace(
      filters.map((filter) => filter.uid),
      [rows, cols, geometry.kernel_channels],
      kernels,
    );
}

/** Rows and columns that all kernels have once a preset is among them. */
export function presetRoom({ kernel_size, path }: Geometry, { shape }: PresetRecord): [number, number] {
  const room = (i: 0 | 1) => (path ? kernel_size[i] : Math.max(kernel_size[i], shape[i]));
  return [room(0), room(1)];
}

/** A preset over all input channels, at its own size. */
export function presetKernel(lens: LensView, preset: PresetRecord): Kernel {
  return spread(preset.shape[0], preset.shape[1], preset.values, lens.geometry.peek().kernel_channels);
}

/**
 * A preset in place of a kernel, whose filter is named after it. All filters share one shape: a smaller preset gets
 * zeros around it; a larger one makes all kernels larger where they are free to be, so that none of it is lost.
 */
export function usePreset(lens: LensView, filter: FilterView, preset: PresetRecord): void {
  const geometry = lens.geometry.peek();
  const kernel = presetKernel(lens, preset);
  lens.beginGesture();
  if (followsPreset(geometry)) replaceOne(lens, filter, kernel);
  else {
    const [rows, cols] = presetRoom(geometry, preset);
    resizeAll(lens, rows, cols, new Map([[filter.uid, resize(kernel, rows, cols)]]));
  }
  lens.rename(filter.uid, preset.title ?? preset.name);
  lens.endGesture();
}

export function duplicate(lens: LensView, index: number): void {
  const filter = lens.filters.peek()[index];
  const name = lens.names.peek()[index] ?? `Filter ${index + 1}`;
  if (filter) lens.add(filter.kernel.peek(), `${name} copy`, index + 1, filter.bias.peek());
}
