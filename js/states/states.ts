/** The states of the lens, each as what the fake host is given and what is done then. */
import type { LayerRecord, Traits } from "../protocol/records.ts";
import type { Lens } from "../state/lens.ts";
import type { FixtureOptions } from "../tests/fake-host.ts";
import type { FakePython } from "../tests/fake-python.ts";

export interface State {
  name: string;
  /** Size of the box that scrolls the lens. */
  width: number;
  height: number;
  theme?: "light" | "dark";
  options?: FixtureOptions;
  /** Before the lens is drawn. */
  before?: (traits: Traits) => void;
  /** Once it is drawn and Keras has answered. */
  act?: (lens: Lens, python: FakePython) => void;
  /** Whether Keras stops answering once `act` is done. */
  silent?: boolean;
}

const WIDE = { width: 1100, height: 599 };
const TALL = { width: 968, height: 979 };
const PHONE = { width: 316, height: 700 };
const PORTRAIT: FixtureOptions = { rows: 600, cols: 512 };
const LANDSCAPE: FixtureOptions = { rows: 427, cols: 640 };

const layer = (path: string, filters: number): LayerRecord => ({
  path,
  class_name: "Conv2D",
  input_shape: [48, 40, 3],
  output_shape: [46, 38, filters],
  kernel_size: [3, 3],
  filters,
});

/** A filter's taps all set, as one edit. */
const write = (lens: Lens, index: number, value: number) => {
  const uid = lens.filters.peek()[index]?.uid ?? 0;
  const size = lens.filters.peek()[index]?.kernel.peek().length ?? 0;
  const taps = [...Array(size).keys()];
  lens.edit([{ uid, taps: { index: taps, value: taps.map((i) => value * (i % 3)) } }]);
};

export const STATES: readonly State[] = [
  { name: "portrait", ...WIDE, options: PORTRAIT },
  { name: "tall room", ...TALL, options: PORTRAIT },
  { name: "landscape", ...WIDE, options: LANDSCAPE },
  { name: "dark", ...WIDE, theme: "dark", options: PORTRAIT },
  { name: "narrow", ...PHONE, options: PORTRAIT },
  { name: "pinned", ...WIDE, options: PORTRAIT, act: (lens) => lens.pin([300, 200]) },
  {
    name: "pointed at",
    ...WIDE,
    options: PORTRAIT,
    act: (lens) => {
      lens.hover.value = { row: 120, col: 260 };
    },
  },
  {
    name: "zoomed",
    ...WIDE,
    options: PORTRAIT,
    act: (lens) => {
      lens.viewport.value = { x: 0.5, y: 0.5, zoom: 12 };
      lens.pin([300, 256]);
    },
  },
  { name: "preview", ...WIDE, options: PORTRAIT, silent: true, act: (lens) => write(lens, 1, 0.5) },
  { name: "loading Keras", ...WIDE, options: { ...PORTRAIT, ready: false } },
  {
    name: "no map, not previewable",
    ...WIDE,
    options: { ...PORTRAIT, ready: false, settings: { activation: "custom", previewable: false } },
  },
  {
    name: "stale",
    ...WIDE,
    options: { ...PORTRAIT, settings: { activation: "relu", previewable: false } },
    silent: true,
    act: (lens) => write(lens, 1, 0.5),
  },
  {
    name: "refused",
    ...WIDE,
    options: PORTRAIT,
    act: (lens) => lens.report("Kernels not replaced", "Expected 4 kernels of 16 values each (4×4×1)."),
  },
  {
    name: "Keras failed",
    ...WIDE,
    options: { ...PORTRAIT, ready: false },
    before: (traits) => {
      traits._status = { keras: "failed", detail: "ImportError: No module named 'tensorflow'" };
    },
  },
  {
    name: "sliding",
    ...WIDE,
    options: PORTRAIT,
    act: (lens) => {
      lens.sliding.value = true;
      lens.pin([300, 200]);
    },
  },
  { name: "overlay", ...WIDE, options: PORTRAIT, act: (lens) => lens.set("overlay", 0.6) },
  {
    name: "diverging kernels, pre-activation",
    ...WIDE,
    options: PORTRAIT,
    act: (lens) => {
      lens.set("kernel_cmap", "RdBu_r");
      lens.set("stage", "pre_activation");
    },
  },
  {
    name: "focus",
    ...WIDE,
    options: PORTRAIT,
    act: (lens) => {
      lens.set("view", "focus");
      lens.pin([300, 256]);
    },
  },
  {
    name: "focus, landscape",
    ...WIDE,
    options: LANDSCAPE,
    act: (lens) => {
      lens.set("view", "focus");
      lens.pin([200, 256]);
    },
  },
  { name: "focus, narrow", ...PHONE, options: PORTRAIT, act: (lens) => lens.set("view", "focus") },
  { name: "colour", ...WIDE, options: { rows: 90, cols: 80, channels: 3 } },
  {
    name: "one filter",
    ...WIDE,
    options: { ...PORTRAIT, size: 3, kernels: [Float32Array.of(-1, 0, 1, -2, 0, 2, -1, 0, 1)] },
  },
  {
    name: "kernel of 15 × 15",
    ...WIDE,
    options: {
      ...LANDSCAPE,
      size: 15,
      kernels: [0, 1, 2, 3].map((k) => Float32Array.from({ length: 225 }, (_, i) => Math.sin(i * (k + 1)))),
    },
  },
  {
    name: "model",
    ...WIDE,
    options: {
      rows: 48,
      cols: 40,
      channels: 3,
      size: 3,
      layers: [layer("stem", 24), layer("block/conv", 24)],
      kernels: Array.from({ length: 24 }, (_, k) =>
        Float32Array.from({ length: 27 }, (_, i) => Math.sin(i * (k + 1))),
      ),
    },
  },
  {
    name: "model, focus",
    ...WIDE,
    options: {
      rows: 48,
      cols: 40,
      channels: 3,
      size: 3,
      layers: [layer("stem", 24)],
      kernels: Array.from({ length: 24 }, (_, k) =>
        Float32Array.from({ length: 27 }, (_, i) => Math.sin(i * (k + 1))),
      ),
    },
    act: (lens) => {
      lens.set("view", "focus");
      lens.pin([20, 20]);
    },
  },
];
