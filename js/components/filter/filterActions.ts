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
} from "../../lens/kernels.ts";
import type { FilterView, LensModel } from "../../model/lens.ts";
import type { Geometry, PresetRecord } from "../../model/types.ts";

/** Why filters cannot be added, removed or put in another order; null where they can. */
export function whyFixedList(geometry: Geometry): string | null {
  if (geometry.path !== "") {
    return "This layer is part of a model that expects its channels as they are. A filter can be zeroed instead.";
  }
  if (geometry.kind === "depthwise" || geometry.kind === "separable" || geometry.groups > 1) {
    return `The number of filters of this ${geometry.class_name} is tied to its input channels. A filter can be zeroed instead.`;
  }
  return null;
}

/** Why kernels cannot take another size; null where they can. */
export function whyFixedSize(geometry: Geometry): string | null {
  return geometry.path === "" ? null : "This layer is part of a model, and its kernels keep their size.";
}

/** Why a filter's kernel cannot be replaced as a whole; null where it can. */
export function whyNotWhole(geometry: Geometry): string | null {
  if (geometry.kind !== "separable") return null;
  return "This filter is made of a depthwise and a pointwise kernel: edit these, or switch it off.";
}

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

function replaceOne(lens: LensModel, filter: FilterView, { shape, values }: Kernel): void {
  lens.replace([filter.uid], [...shape], [values]);
}

/** Switch a filter off, as far as what follows it in the model can tell. */
export function ablate(lens: LensModel, filter: FilterView): void {
  const index = [...filter.kernel.peek().keys()];
  const taps = { index, value: index.map(() => 0) };
  lens.edit([{ uid: filter.uid, taps, ...(lens.geometry.peek().use_bias && { bias: 0 }) }]);
}

/** Operations on one kernel, in the menu's order: shapes, normalisation, zero. `say` hears why one came to nothing. */
export function kernelActions(
  lens: LensModel,
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

/** Why kernels cannot be of this many rows and columns; null where they can. */
export function whyNotSize(size: number): string | null {
  if (Number.isInteger(size) && size >= 1 && size <= MOST) return null;
  return `A kernel has a whole number of rows and columns, 1 to ${MOST}.`;
}

export function scaleFilter(lens: LensModel, filter: FilterView, factor: number): void {
  replaceOne(lens, filter, scale(kernelOf(lens.geometry.peek(), filter), factor));
}

/** Every kernel in another size; one step of the history. */
export function resizeAll(lens: LensModel, rows: number, cols: number): void {
  const geometry = lens.geometry.peek();
  if (geometry.kernel_size[0] === rows && geometry.kernel_size[1] === cols) return;
  const filters = lens.filters.peek();
  const kernels = filters.map((filter) => resize(kernelOf(geometry, filter), rows, cols).values);
  lens.replace(
    filters.map((filter) => filter.uid),
    [rows, cols, geometry.kernel_channels],
    kernels,
  );
}

/** A preset over all input channels, at its own size. */
export function presetKernel(lens: LensModel, preset: PresetRecord): Kernel {
  return spread(preset.shape[0], preset.shape[1], preset.values, lens.geometry.peek().kernel_channels);
}

/** A preset in place of a kernel; where other filters share the shape it is padded or cropped to it. */
export function usePreset(lens: LensModel, filter: FilterView, preset: PresetRecord): void {
  const geometry = lens.geometry.peek();
  const kernel = presetKernel(lens, preset);
  replaceOne(lens, filter, followsPreset(geometry) ? kernel : resize(kernel, ...geometry.kernel_size));
}

/** Whether the layer takes a preset's own size: it has one kernel, and the layer is not part of a model. */
export const followsPreset = (geometry: Geometry): boolean =>
  geometry.filters === 1 && whyFixedSize(geometry) === null;

export function duplicate(lens: LensModel, index: number): void {
  const filter = lens.filters.peek()[index];
  const name = lens.names.peek()[index] ?? `Filter ${index + 1}`;
  if (filter) lens.add(filter.kernel.peek(), `${name} copy`, index + 1, filter.bias.peek());
}
