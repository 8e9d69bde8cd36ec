/** A whole lens without Jupyter: a fake model, a fake kernel and the tutorial's four filters. */
import { reshaped } from "../maths/geometry.ts";
import type { Geometry, LayerRecord, Traits } from "../protocol/records.ts";
import type { FakeFilter } from "./fake-layer.ts";
import type { FakeModel } from "./fake-model.ts";
import { FakePython } from "./fake-python.ts";

export interface FixtureOptions {
  rows?: number;
  cols?: number;
  channels?: number;
  /** Bytes of the picture, C order; a smooth pattern with edges where none are given. */
  pixels?: Uint8Array;
  /** Kernels of shape (size, size, channels); the tutorial's four where none are given. */
  kernels?: readonly Float32Array[];
  size?: number;
  settings?: Partial<Geometry>;
  /** The layer is part of a model of these: it gets a path, and the browser does not have its input. */
  layers?: readonly LayerRecord[];
  /** The latent vector that the model is fed in the place of a picture. */
  vector?: readonly number[];
  /** Answer by itself after this many milliseconds; without it a test calls `kernel.step()` or `kernel.pump()`. */
  delay?: number;
  /** Whether Keras has loaded; false sends records without maps until `kernel.ready = true; kernel.announce()`. */
  ready?: boolean;
}

export interface Fixture {
  python: FakePython;
  model: FakeModel;
}

/** The tutorial's four 4×4 filters, each repeated over the channels. */
export function tutorialFilters(channels = 1): Float32Array[] {
  const row = [-1, -1, 1, 1];
  const vertical = [...row, ...row, ...row, ...row];
  const transpose = (k: number[]) => k.map((_, i) => k[(i % 4) * 4 + Math.floor(i / 4)] ?? 0);
  const negative = (k: number[]) => k.map((v) => -v);
  const horizontal = transpose(vertical);
  return [vertical, negative(vertical), horizontal, negative(horizontal)].map((k) =>
    Float32Array.from(k.flatMap((v) => new Array<number>(channels).fill(v))),
  );
}

/** A picture with a gradient, a disc and stripes: edges in every direction. */
export function pattern(rows: number, cols: number, channels: number): Uint8Array {
  const out = new Uint8Array(rows * cols * channels);
  for (let i = 0; i < out.length; i++) {
    const pixel = Math.floor(i / channels);
    const y = Math.floor(pixel / cols) / rows;
    const x = (pixel % cols) / cols;
    const disc = (x - 0.4) ** 2 + (y - 0.5) ** 2 < 0.06 ? 90 : 0;
    const stripes = x > 0.75 && Math.floor(y * 16) % 2 ? 70 : 0;
    out[i] = Math.min(255, 60 * x + 40 * y * (1 + (i % channels)) + disc + stripes);
  }
  return out;
}

/** A table of Matplotlib's kind: 256 × RGB from one colour to another. */
export function ramp(
  from: readonly [number, number, number],
  to: readonly [number, number, number],
): DataView {
  const table = new Uint8Array(768);
  for (let i = 0; i < 768; i++) {
    const [a = 0, b = 0] = [from[i % 3], to[i % 3]];
    table[i] = Math.round(a + ((b - a) * Math.floor(i / 3)) / 255);
  }
  return new DataView(table.buffer);
}

export function fixture(options: FixtureOptions = {}): Fixture {
  const { rows = 24, cols = 32, channels = 1, size = 4, ready = true, layers = [] } = options;
  const path = layers[0]?.path;
  const settings = { ...(path && { path, builtin: false }), ...options.settings };
  const bytes = options.pixels ?? pattern(rows, cols, channels);
  const kernels = options.kernels ?? tutorialFilters(channels);
  const geometry = reshaped(
    {
      kind: "conv",
      rank: 2,
      class_name: "Conv2D",
      name: "conv2d",
      path: "",
      builtin: true,
      input_shape: [rows, cols, channels],
      output_shape: [0, 0],
      filters: kernels.length,
      kernel_size: [size, size],
      kernel_channels: channels,
      strides: [1, 1],
      dilation_rate: [1, 1],
      padding: "valid",
      pads: [0, 0, 0, 0],
      groups: 1,
      use_bias: true,
      activation: "relu",
      activation_params: {},
      data_format: "channels_last",
      weight_shape: [],
      previewable: true,
      explainable: true,
      note: "",
    },
    settings,
  );
  const scale = Math.fround(1 / 255);
  const filters = kernels.map(
    (kernel, i): FakeFilter => ({ uid: i + 1, name: `Filter ${i + 1}`, kernel, bias: 0 }),
  );
  const traits: Omit<Traits, "_state" | "_filters" | "names"> = {
    cmap: "gray",
    value_range: "per_map",
    stage: "activation",
    kernel_cmap: null,
    view: "grid",
    overlay: 0,
    selected: 0,
    pixel: null,
    _image: {
      version: 1,
      shape: [rows, cols, channels],
      dtype: "uint8",
      scale,
      data: new DataView(bytes.slice().buffer),
      reduced: null,
      notes: [],
      signal: false,
    },
    _cmaps: { gray: ramp([0, 0, 0], [255, 255, 255]), copper: ramp([0, 0, 0], [255, 199, 127]) },
    _presets: [
      { name: "identity", shape: [3, 3], values: [0, 0, 0, 0, 1, 0, 0, 0, 0] },
      { name: "box", shape: [3, 3], values: new Array<number>(9).fill(1 / 9) },
      { name: "Sobel x", shape: [3, 3], values: [-1, 0, 1, -2, 0, 2, -1, 0, 1] },
      { name: "row", title: "motion blur", group: "blur", shape: [1, 5], values: [1, 2, 3, 4, 5] },
    ],
    _status: { keras: ready ? "ready" : "loading", detail: "a fake kernel" },
    _problem: null,
    layer_path: settings.path ?? "",
    labels: [],
    _layers: [...layers],
    _training: null,
    _survey: null,
  };
  if (options.vector) {
    const { buffer } = Float32Array.from(options.vector);
    const shape: [number, number, number] = [1, options.vector.length, 1];
    Object.assign(traits._image, { dtype: "float32", scale: 1, shape, data: new DataView(buffer) });
    Object.assign(traits._image, { signal: true, latent: true });
  }
  const image = Float32Array.from(bytes, (b) => Math.fround(b * scale));
  const python = new FakePython(geometry, filters, image, traits);
  python.ready = ready;
  python.imageIsInput = layers.length === 0;
  const model = python.attach();
  const { delay } = options;
  if (delay !== undefined) python.onRequest = () => void setTimeout(() => python.step(), delay);
  return { python, model };
}
