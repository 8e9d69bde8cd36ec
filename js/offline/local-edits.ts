/** The changes that the browser makes by itself while Python is not connected. */
import { reshaped } from "../maths/geometry.ts";
import type { Weights } from "../preview/full-preview.ts";
import { floatsOf, unpackNumber } from "../protocol/bytes.ts";
import type { Geometry, Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";

export interface NamedFilter extends Weights {
  uid: Uid;
  name: string;
}

/** The whole editable state; never changed in place. */
export interface LensDocument {
  filters: readonly NamedFilter[];
  geometry: Geometry;
}

/** What went wrong, for a person to read. */
export class Refused extends Error {}

/** The document after a request that changes the list, its names or its kernels; null where only Python can answer. */
export function changed(document: LensDocument, request: Request): LensDocument | null {
  const filters = [...document.filters];
  const at = "uid" in request ? filters.findIndex(({ uid }) => uid === request.uid) : -1;
  const one = filters[at];
  switch (request.type) {
    case "add":
      filters.splice(request.at, 0, added(filters, request));
      break;
    case "remove":
      if (filters.length === 1)
        throw new Refused("The last filter cannot be removed: a layer has at least one.");
      if (one) filters.splice(at, 1);
      break;
    case "move":
      if (one) {
        filters.splice(at, 1);
        filters.splice(request.to, 0, one);
      }
      break;
    case "rename":
      if (one) filters[at] = { ...one, name: request.name };
      break;
    case "replace":
      return replaced(document, request);
    case "configure":
      return { filters, geometry: configured(document.geometry, request.settings) };
    default:
      return null;
  }
  return { filters, geometry: { ...document.geometry, filters: filters.length } };
}

function added(filters: readonly NamedFilter[], request: Extract<Request, { type: "add" }>): NamedFilter {
  const taken = new Set(filters.map(({ name }) => name));
  let number = filters.length + 1;
  while (taken.has(`Filter ${number}`)) number++;
  return {
    uid: Math.max(-1, ...filters.map(({ uid }) => uid)) + 1,
    name: request.name ?? `Filter ${number}`,
    kernel: floatsOf(request.kernel),
    bias: unpackNumber(request.bias ?? 0),
  };
}

function replaced(document: LensDocument, request: Extract<Request, { type: "replace" }>): LensDocument {
  const kernels = floatsOf(request.kernels);
  const size = kernels.length / request.uids.length;
  const filters = document.filters.map((filter) => {
    const at = request.uids.indexOf(filter.uid);
    return at < 0 ? filter : { ...filter, kernel: kernels.slice(at * size, (at + 1) * size) };
  });
  const [rows, cols] = request.shape;
  const { kernel_size } = document.geometry;
  if (rows === kernel_size[0] && cols === kernel_size[1]) return { ...document, filters };
  return { filters, geometry: checked(reshaped(document.geometry, { kernel_size: [rows, cols] })) };
}

/** Settings that change how the kernel is applied; those that only Keras can check are refused. */
function configured(geometry: Geometry, settings: Record<string, unknown>): Geometry {
  const pair = (value: unknown): [number, number] => {
    const [rows, cols] = Array.isArray(value) ? value : [value, value];
    if (Number.isInteger(rows) && Number.isInteger(cols) && rows > 0 && cols > 0) return [rows, cols];
    throw new Refused(`${JSON.stringify(value)} was given; expected a positive whole number or two of them.`);
  };
  const changes: Partial<Geometry> = {};
  for (const [name, value] of Object.entries(settings)) {
    if (name === "strides" || name === "dilation_rate") changes[name] = pair(value);
    else if (name === "padding" && (value === "valid" || value === "same")) changes.padding = value;
    else throw new Refused(`Changing ${name} needs Keras, which is not connected.`);
  }
  return checked(reshaped(geometry, changes));
}

function checked(geometry: Geometry): Geometry {
  const { kernel_size, input_shape, output_shape, strides, dilation_rate } = geometry;
  if (Math.min(...output_shape) < 1) {
    throw new Refused(
      `A ${kernel_size.join("×")} kernel does not fit into an image of ${input_shape[0]} rows and ${input_shape[1]} columns.`,
    );
  }
  if (Math.max(...strides) > 1 && Math.max(...dilation_rate) > 1) {
    throw new Refused("Keras allows only one of strides and dilation_rate to be greater than 1.");
  }
  return geometry;
}
