/** A layer inside a model, layers over signals, and kinds of layers that look unlike the others. */
import type { LayerRecord } from "../protocol/records.ts";
import type { FixtureOptions } from "../tests/fake-host.ts";
import { find, PHONE, PORTRAIT, png, press, type State, scrollTo, TALL, WIDE, write } from "./state.ts";

const layer = (path: string, filters: number, size = 46): LayerRecord => ({
  path,
  class_name: path.endsWith("dw") ? "DepthwiseConv2D" : "Conv2D",
  input_shape: [size + 2, size, 3],
  output_shape: [size, size - 8, filters],
  kernel_size: [3, 3],
  filters,
});
const LAYERS = [
  layer("stem", 24),
  layer("block1/dw", 24, 23),
  layer("block1/conv", 48, 23),
  layer("head/conv", 64, 11),
];

/** A layer of so many filters that read three channels, the first of a model's. */
function deep(filters: number, channels = 3): FixtureOptions {
  const length = 9 * channels;
  const kernels = Array.from({ length: filters }, (_, k) =>
    Float32Array.from({ length }, (_, i) => Math.sin(i * (k + 1))),
  );
  return { rows: 48, cols: 40, channels, size: 3, layers: LAYERS, kernels };
}

const LABELS = ["tabby cat", "tiger cat", "lynx", "Persian cat", "lens cap", "remote control"];
const values = (...all: number[]) => Float32Array.from(all);
const predict = () => ({
  before: values(0.62, 0.21, 0.08, 0.04, 0.03, 0.02),
  after: values(0.33, 0.41, 0.11, 0.06, 0.05, 0.04),
});

/** A one-channel signal of a heart's kind, and smoothing, slope and peak. */
const STEPS = 240;
const SIGNAL: FixtureOptions = {
  rows: 1,
  cols: STEPS,
  pixels: Uint8Array.from({ length: STEPS }, (_, i) => {
    const beat = (i % 60) / 60;
    return (
      90 +
      20 * Math.sin(6 * beat) +
      140 * Math.exp(-(((beat - 0.3) * 30) ** 2)) -
      40 * Math.exp(-(((beat - 0.4) * 30) ** 2))
    );
  }),
  kernels: [values(0.2, 0.2, 0.2, 0.2, 0.2), values(-1, -1, 0, 1, 1), values(-1, -1, 4, -1, -1)],
  settings: { rank: 1, class_name: "Conv1D", kernel_size: [1, 5] },
};
const curves: State["before"] = ({ traits }) => {
  traits._image = { ...traits._image, signal: true };
};

const DEPTHWISE = Float32Array.from({ length: 9 * 3 }, (_, i) => Math.cos(i));
const POINTWISE = [values(1, -1, 0.5), values(0.5, 2, 1), values(-1, 0, 1)];

export const MODELS: readonly State[] = [
  {
    name: "model of four filters",
    ...WIDE,
    options: deep(4),
    before: ({ traits, python }) => {
      traits.labels = LABELS;
      python.predict = predict;
    },
    act: ({ lens }) => lens.pin([20, 20]),
  },
  { name: "gallery", ...WIDE, options: deep(24) },
  { name: "gallery in a wide room, dark", width: 1400, height: 700, theme: "dark", options: deep(24) },
  { name: "gallery, narrow", ...PHONE, options: deep(24) },
  {
    name: "gallery, nothing found",
    ...WIDE,
    options: deep(24),
    act: ({ box }) => {
      const field = find<HTMLInputElement>(box, "[type=search]");
      field.value = "no such filter";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    },
  },
  {
    name: "gallery, focus",
    ...WIDE,
    options: deep(24),
    act: ({ lens }) => {
      lens.set("view", "focus");
      lens.pin([20, 20]);
    },
  },
  {
    name: "deep kernel",
    ...WIDE,
    options: deep(24, 12),
    act: ({ lens, box }) => {
      lens.pin([20, 20]);
      return scrollTo(box, ".cl-opened");
    },
  },
  {
    name: "layers of a model",
    ...WIDE,
    options: deep(4),
    alone: true,
    act: ({ box }) => {
      const field = find<HTMLInputElement>(box, "[role=combobox]");
      field.focus();
      field.click();
    },
  },
  {
    name: "training",
    ...WIDE,
    options: deep(4),
    before: ({ traits }) => {
      const snapshots = [0, 1, 2, 3].map((epoch) => ({
        epoch,
        step: 100 * epoch,
        loss: epoch ? 2 / epoch : null,
      }));
      traits._training = { running: false, snapshots, shown: 2 };
    },
  },
  {
    name: "training, live",
    ...WIDE,
    theme: "dark",
    options: deep(4),
    silent: true,
    before: ({ traits }) => {
      traits._training = { running: true, snapshots: [{ epoch: 0, step: 0, loss: null }], shown: 0 };
    },
  },
  {
    name: "attribution",
    ...TALL,
    options: deep(4),
    before: ({ traits, python }) => {
      traits.labels = LABELS;
      python.predict = predict;
      const picture = png(46, 38, (row, col) => Math.exp(-((row - 20) ** 2 + (col - 12) ** 2) / 90));
      python.runs = [{ running: false, most: 0.04, before: picture, after: picture }];
    },
    act: ({ lens }) => {
      lens.interpretation.attributed.value = { target: 0, method: "gradcam" };
    },
  },
  {
    name: "output that is a picture",
    ...TALL,
    options: deep(4),
    before: ({ traits, python }) => {
      const size = 24 * 20 * 2;
      python.output = {
        shape: [24, 20, 2],
        before: Float32Array.from({ length: size }, (_, i) => Math.sin(i / 70)),
        after: Float32Array.from({ length: size }, (_, i) => Math.sin(i / 70) + (i % 40 < 12 ? 0.4 : 0)),
      };
      traits._state = { ...traits._state, output: [24, 20, 2] };
    },
    act: ({ box }) => scrollTo(box, ".cl-predictions"),
  },
  {
    name: "what excites a filter",
    ...WIDE,
    options: deep(4),
    before: ({ traits, python }) => {
      const best = [0, 1, 2, 3].map((rank) => ({
        filter: 0,
        rank,
        image: `digit-${rank}`,
        value: 7 / (rank + 2),
        pixel: [rank + 1, 2 * rank] as [number, number],
        picture: png(9, 9, (row, col) => ((row + rank + 2 * col) % 9) / 8),
      }));
      python.excited = { best, kernels: python.filters.map(({ kernel }) => kernel) };
      python.runs = [
        {
          running: false,
          step: 64,
          steps: 256,
          activation: 1.25,
          picture: png(48, 40, (r, c) => (Math.sin(r / 4) * Math.cos(c / 5)) ** 2),
        },
      ];
      traits._survey = { version: 1, layers: ["stem"], images: 1797 };
    },
    act: async ({ lens, box }) => {
      lens.explained.value = "excites";
      await scrollTo(box, ".cl-strip");
      press(box, "Picture that excites it most");
    },
  },
  { name: "signal", ...WIDE, options: SIGNAL, before: curves, act: ({ lens }) => lens.pin([0, 78]) },
  {
    name: "signal, focus, dark",
    ...WIDE,
    theme: "dark",
    options: SIGNAL,
    before: curves,
    act: ({ lens }) => {
      lens.set("view", "focus");
      lens.pin([0, 78]);
    },
  },
  { name: "signal, narrow", ...PHONE, options: SIGNAL, before: curves },
  {
    name: "separable",
    ...TALL,
    options: {
      ...PORTRAIT,
      channels: 3,
      size: 3,
      kernels: POINTWISE.map((w) => DEPTHWISE.map((v, tap) => v * (w[tap % 3] ?? 0))),
      settings: { kind: "separable", class_name: "SeparableConv2D", previewable: false },
    },
    before: ({ python }) => {
      python.parts = { depthwise: DEPTHWISE.slice(), pointwise: POINTWISE.map((w) => w.slice()) };
    },
  },
  {
    name: "ablated",
    ...WIDE,
    options: deep(4),
    before: ({ traits, python }) => {
      traits.labels = LABELS;
      python.predict = predict;
    },
    act: ({ lens }) => write(lens, 1, () => 0),
  },
];
