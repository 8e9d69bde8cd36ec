/** What the kernel editor edits: a filter's kernel, one of the two parts of a separable filter, or a latent vector. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { PartEdit } from "../../protocol/requests.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";
import { channelName } from "../ui/channelName.ts";

export interface EditableKernel {
  /** Rows, columns and planes. */
  readonly size: ReadonlySignal<readonly [rows: number, cols: number, planes: number]>;
  /** C order (row, column, plane), with every edit that was made; empty until it is known. */
  readonly values: ReadonlySignal<Float32Array>;
  /** Whether this kernel is likely to be edited next, and so worth preparing. */
  readonly inHand: ReadonlySignal<boolean>;
  /** Give taps new values, by flat index. */
  edit(taps: { index: number[]; value: number[] }): void;
  /** Edits between these two make one undo step. */
  beginGesture(): void;
  endGesture(): void;
  undo(): void;
  redo(): void;
  /** What a plane is called. */
  channelName(plane: number): string;
  /** Of a vector, which is no kernel and whose last row may lack cells: a cell's index. */
  indexInVector?(row: number, col: number): number;
  /** A bound on what each plane adds to the map; null where it is not known. */
  contribution(): Float32Array | null;
  /** Prepare previews of edits of these planes. */
  prepare(planes: readonly number[]): void;
}

type History = Pick<EditableKernel, "beginGesture" | "endGesture" | "undo" | "redo">;

const historyOf = (lens: LensView): History => ({
  beginGesture: () => lens.beginGesture(),
  endGesture: () => lens.endGesture(),
  undo: () => lens.undo(),
  redo: () => lens.redo(),
});

/** A filter's own kernel. */
export function filterKernel(lens: LensView, filter: FilterView): EditableKernel {
  return {
    ...historyOf(lens),
    size: computed(() => {
      const { kernel_size, kernel_channels } = lens.geometry.value;
      return [...kernel_size, kernel_channels];
    }),
    values: filter.kernel,
    inHand: computed(
      () => lens.filters.value[lens.selected.value] === filter && lens.status.value.keras === "ready",
    ),
    edit: (taps) => lens.edit([{ uid: filter.uid, taps }]),
    channelName: (plane) => channelName(lens, filter.firstChannel + plane),
    contribution: () => lens.network.contribution(filter.uid),
    prepare: (planes) => lens.network.prepare(filter.uid, planes),
  };
}

const NOTHING = new Float32Array(0);
const NEVER = signal(false);

/** One part of a separable filter: the depthwise kernels as planes, or the pointwise weights as one row. */
export function partKernel(lens: LensView, filter: FilterView, part: PartEdit["part"]): EditableKernel {
  const parts = computed(() => lens.network.factors(filter.uid));
  return {
    ...historyOf(lens),
    size: computed(() => {
      const count = parts.value?.pointwise.length ?? 0;
      return part === "depthwise" ? [...lens.geometry.value.kernel_size, count] : [1, count, 1];
    }),
    values: computed(() => parts.value?.[part] ?? NOTHING),
    // Keras computes the maps: there is no preview to prepare.
    inHand: NEVER,
    prepare: () => {},
    edit: (taps) => lens.network.editFactor(filter.uid, { part, ...taps }),
    // A depthwise channel is a colour only where each colour has one.
    channelName: (plane) => (parts.value?.multiplier === 1 ? channelName(lens, plane) : `channel ${plane}`),
    contribution: () => (part === "depthwise" ? (parts.value?.contribution ?? null) : null),
  };
}

/** Give a filter another bias; what is equal already is not sent. */
export function setBias(lens: LensView, filter: FilterView, bias: number): void {
  if (!Object.is(filter.bias.peek(), bias)) lens.edit([{ uid: filter.uid, bias }]);
}
