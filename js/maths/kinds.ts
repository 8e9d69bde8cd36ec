/**
 * What differs between the kinds of layer, one row per kind: the rest of the browser reads it from there. Their names
 * are those of the arithmetic in src/convlens/layers/kinds.
 */
import type { Geometry } from "../protocol/records.ts";

export type Axis = "batch" | "rows" | "cols" | "channels" | "filters";

/** An axis and what it is called in one place. */
export type NamedAxis = readonly [axis: Axis, name: string];

export interface Kind {
  /** A transposed convolution: each input pixel spreads the kernel over the map, where others read a window. */
  spreads: boolean;
  /** A filter is edited by its depthwise and its pointwise kernel; the kernel that is shown is their product. */
  editedByParts: boolean;
  /** The number of filters follows from the input's channels. */
  tiedToInput: boolean;
  /** Which of Keras's arguments say how many filters there are. */
  counts: readonly ("filters" | "depth_multiplier")[];
  /** Input channel that the first plane of filter `index` reads. */
  firstChannel: (geometry: Geometry, index: number) => number;
  /** Shape of Keras's kernel variable for this kernel size and number of filters. */
  weightShape: (geometry: Geometry) => number[];
  /** The last two axes of Keras's kernel variable; those before are the kernel's rows and columns, or its steps. */
  weightAxes: (geometry: Geometry) => readonly [third: NamedAxis, fourth: NamedAxis];
  /** Python that makes Keras's kernel variable of a list of kernels, which is an expression; null where there is no such list. */
  stackCode: (geometry: Geometry, list: string) => string | null;
  /** Why Keras's kernel variable has its shape; `size` describes its first two axes. */
  whyShape: (geometry: Geometry, size: string) => string;
}

const grouped = ({ filters, groups, kernel_channels }: Geometry, index: number) =>
  Math.floor(index / Math.max(1, Math.floor(filters / groups))) * kernel_channels;
const stacked = ({ kernel_size, kernel_channels, filters }: Geometry) => [
  ...kernel_size,
  kernel_channels,
  filters,
];
/** The last two axes of Keras's kernel variable. */
const lastTwo = ({ weight_shape }: Geometry) => weight_shape.slice(-2) as [number, number];
const ofEachChannel = (geometry: Geometry, size: string) => {
  const [channels, each] = lastTwo(geometry);
  return `${size} × ${channels} channels of the input × ${each} filters for each of them.`;
};
const depthwiseAxes = () =>
  [
    ["channels", "input channels"],
    ["filters", "filters a channel"],
  ] as const;

const KINDS: Readonly<Record<string, Kind>> = {
  conv: {
    spreads: false,
    editedByParts: false,
    tiedToInput: false,
    counts: ["filters"],
    firstChannel: grouped,
    weightShape: stacked,
    weightAxes: ({ groups }) => [
      ["channels", groups > 1 ? "input channels ÷ groups" : "input channels"],
      ["filters", "filters"],
    ],
    stackCode({ input_shape, kernel_channels, rank }, list) {
      const stack = `kernel = np.stack(${list}, axis=-1)`;
      const plane = rank === 1 ? ":" : ":, :";
      return input_shape[2] === 1 || kernel_channels === 1 ? `${stack}[${plane}, np.newaxis, :]` : stack;
    },
    whyShape(geometry, size) {
      const { groups, kernel_size, rank } = geometry;
      const [rows, cols] = kernel_size;
      const [third, fourth] = lastTwo(geometry);
      const channels = `${third} ${third === 1 ? "channel" : "channels"} of the input${groups > 1 ? ` in each of ${groups} groups` : ""}`;
      return `${size} × ${channels} × ${fourth} ${fourth === 1 ? "filter" : "filters"}: every filter has a weight for every channel that it reads.${
        rank !== 1 && third > 1 ? ` On a grey image one filter is ${rows} × ${cols} × 1 × 1.` : ""
      }`;
    },
  },
  depthwise: {
    spreads: false,
    editedByParts: false,
    tiedToInput: true,
    counts: ["depth_multiplier"],
    firstChannel: ({ filters, input_shape }, index) =>
      Math.floor(index / Math.max(1, filters / input_shape[2])),
    weightShape: ({ kernel_size, input_shape, filters }) => [
      ...kernel_size,
      input_shape[2],
      filters / input_shape[2],
    ],
    weightAxes: depthwiseAxes,
    stackCode: ({ weight_shape }, list) =>
      `kernel = np.reshape(np.stack(${list}, axis=-1), (${weight_shape.join(", ")}))`,
    whyShape: ofEachChannel,
  },
  separable: {
    spreads: false,
    editedByParts: true,
    tiedToInput: true,
    counts: ["filters", "depth_multiplier"],
    // Its filters are sent as kernels that read all channels.
    firstChannel: () => 0,
    weightShape: stacked,
    weightAxes: depthwiseAxes,
    stackCode: () => null,
    whyShape: ofEachChannel,
  },
  transpose: {
    spreads: true,
    editedByParts: false,
    tiedToInput: false,
    counts: ["filters"],
    firstChannel: grouped,
    weightShape: stacked,
    weightAxes: () => [
      ["filters", "filters"],
      ["channels", "input channels"],
    ],
    stackCode: () => null,
    whyShape(geometry, size) {
      const [filters, channels] = lastTwo(geometry);
      return `${size} × ${filters} filters × ${channels} channels of the input.`;
    },
  },
};

export function kindOf({ kind }: Pick<Geometry, "kind">): Kind {
  const found = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (!found) throw new Error(`The browser knows no layers of kind "${kind}"; it knows ${KNOWN.join(", ")}.`);
  return found;
}

/** The kinds that the browser knows. */
export const KNOWN: readonly string[] = Object.keys(KINDS);
