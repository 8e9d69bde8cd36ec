/** A layer, and the arrays that it is given, as lines of Python that run where `lens` is the lens and `img` its picture. */
import type { Geometry } from "../protocol/records.ts";
import { kindOf } from "./kinds.ts";
import { exactNumber } from "./numbers.ts";

/** Up to this many biases are written out. */
const MOST_WRITTEN = 8;

/** The layer as a person would write it. */
export function layerCode(geometry: Geometry): string {
  const { class_name, filters, kernel_size, strides, dilation_rate, padding, groups, activation } = geometry;
  const tuple = ([a, b]: [number, number]) => (geometry.rank === 1 ? `${b}` : `(${a}, ${b})`);
  const pair = (name: string, [a, b]: [number, number]) =>
    a === 1 && b === 1 ? null : `${name}=${tuple([a, b])}`;
  const multiplier = geometry.weight_shape.at(-1) ?? 1;
  const { counts } = kindOf(geometry);
  const given = [
    counts.includes("filters") ? `${filters}` : null,
    tuple(kernel_size),
    counts.includes("depth_multiplier") && multiplier > 1 ? `depth_multiplier=${multiplier}` : null,
    pair("strides", strides),
    padding === "valid" ? null : `padding="${padding}"`,
    pair("dilation_rate", dilation_rate),
    groups > 1 ? `groups=${groups}` : null,
    activation === "linear" ? null : `activation="${activation}"`,
    geometry.use_bias ? null : "use_bias=False",
  ];
  return `layer = keras.layers.${class_name}(${given.filter(Boolean).join(", ")})`;
}

/** The layer's input, of the user's picture. */
export function inputCode({ data_format, rank }: Geometry, shape: readonly number[]): string {
  const tuple = `(${shape.join(", ")})`;
  if (rank === 1 && data_format === "channels_last") return `x = np.reshape(signal, ${tuple})`;
  if (rank === 1) return "x = signal.reshape(len(signal), -1).T[np.newaxis]";
  // Channels come first: the axes change places, which no reshape does.
  return data_format === "channels_first"
    ? "x = np.atleast_3d(img).transpose(2, 0, 1)[np.newaxis]"
    : `x = np.reshape(img, ${tuple})`;
}

/**
 * Keras's kernel variable for `geometry`, of the lens's kernels from `first` on, as many as the layer has filters; null where
 * there is no such line.
 */
export function kernelCode(geometry: Geometry, first: number, held: number): string | null {
  const { filters, weight_shape } = geometry;
  const some = held === filters ? "lens.kernels" : `lens.kernels[${first}:${first + filters}]`;
  if (geometry.kind === "conv" && filters === 1)
    return `kernel = np.reshape(lens.kernels[${first}], (${weight_shape.join(", ")}))`;
  return kindOf(geometry).stackCode(geometry, some);
}

/** The biases that go with those kernels. */
export function biasCode(biases: readonly number[], first: number, held: number): string {
  const zero = biases.every((bias) => bias === 0);
  if (zero) return `bias = np.zeros(${biases.length})`;
  if (biases.length <= MOST_WRITTEN && biases.every(Number.isFinite))
    return `bias = np.array([${biases.map(exactNumber).join(", ")}])`;
  return biases.length === held ? "bias = lens.bias" : `bias = lens.bias[${first}:${first + biases.length}]`;
}
