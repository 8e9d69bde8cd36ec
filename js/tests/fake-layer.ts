/** The layer of the tests' own Python: what it computes, slowly, and its answers to requests that change nothing. */
import { readPatch } from "../maths/explanation.ts";
import { firstChannel } from "../maths/geometry.ts";
import type { DiagnosticsRecord, ExcitationRecord, FieldRecord } from "../protocol/messages.ts";
import type { FactorsRecord, Geometry, Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { activateSlowly, correlateSlowly, quantise } from "./reference.ts";

export interface FakeFilter {
  uid: Uid;
  name: string;
  kernel: Float32Array;
  bias: number;
}

/** A filter's values before and after the activation function, by a geometry from an input channel on. */
interface Computed {
  geometry: Geometry;
  first: number;
  pre: Float32Array;
  activation: Float32Array;
}

export class Refusal extends Error {}

/** Requests that it answers. */
const READING = [
  "stats",
  "ranges",
  "losses",
  "output_maps",
  "output_values",
  "deep",
  "patch",
  "plane",
  "excited",
  "probe",
  "diagnose",
  "code",
  "page",
] as const;
type Reading = Extract<Request, { type: (typeof READING)[number] }>;

export function isReading(request: Request): request is Reading {
  return READING.some((type) => type === request.type);
}

export abstract class FakeLayer {
  /** What it reports about receptive fields inside a model. */
  field: FieldRecord = { rows: null, cols: null, inside: null, note: "" };
  /** What a survey holds, by filter, and the kernels to which it belongs. */
  excited: { best: ExcitationRecord[]; kernels: Float32Array[]; current?: boolean } | null = null;
  /** The model's output where it is a picture: values (row, col, channel), and what the edits made of it. */
  output: { shape: [number, number, number]; before: Float32Array; after: Float32Array } | null = null;
  /** What the filters of a separable layer are made of. */
  parts: { depthwise: Float32Array; pointwise: Float32Array[] } | null = null;
  protected readonly revs = new Map<Uid, number>();
  /** What filters gave; neither they nor geometries are ever changed. */
  readonly #computed = new WeakMap<FakeFilter, Computed>();

  constructor(protected readonly image: Float32Array) {}

  abstract get filters(): readonly FakeFilter[];

  abstract get geometry(): Geometry;

  rev(uid: Uid): number {
    return this.revs.get(uid) ?? 0;
  }

  protected floats(filter: FakeFilter): Computed {
    const { geometry } = this;
    const first = firstChannel(geometry, this.filters.indexOf(filter));
    const known = this.#computed.get(filter);
    if (known?.geometry === geometry && known.first === first) return known;
    const pre = correlateSlowly(geometry, this.image, filter.kernel, filter.bias, first);
    const computed = { geometry, first, pre, activation: activateSlowly(pre, geometry.activation) };
    this.#computed.set(filter, computed);
    return computed;
  }

  protected filter(uid: unknown): FakeFilter {
    const filter = this.filters.find((f) => f.uid === uid);
    if (!filter) throw new Refusal("That filter is no longer in the list.");
    return filter;
  }

  protected answer(request: Reading): object {
    const filters = [...this.filters];
    switch (request.type) {
      case "stats": {
        const maps = filters.map((f) => this.floats(f).activation);
        const mean = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
        const each = (one: (map: Float32Array, i: number) => number) => Float32Array.from(maps, one);
        const stats = {
          energy: each((map) => mean(map.map((v) => v * v))),
          dead: each((map) => mean(map.map((v) => Number(v === 0)))),
          norm: each((_, i) => Math.hypot(...(filters[i]?.kernel ?? []))),
        };
        const { pixel } = request;
        const [row, col] = pixel ?? [0, 0];
        const at = row * this.geometry.output_shape[1] + col;
        const there = pixel && { pixel: each((map) => map[at] ?? Number.NaN) };
        return { stats: { ...stats, ...there } };
      }
      case "ranges": {
        const maps = filters.map(
          (f) => this.floats(f)[request.stage === "activation" ? "activation" : "pre"],
        );
        const ends = maps.flatMap((map) => [Math.min(...map), Math.max(...map)]);
        return { ranges: new DataView(Float32Array.from(ends).buffer) };
      }
      case "losses": {
        // The score is the sum of all maps.
        const values = filters
          .slice(request.start, request.start + request.count)
          .map((f) => this.floats(f).activation.reduce((sum, v) => sum + v, 0));
        return { losses: { values: Float32Array.from(values), target: 1 } };
      }
      case "output_maps":
        return this.output ? { output_maps: this.#outputMaps(request.channel) } : {};
      case "output_values": {
        const { shape, before, after } = this.output ?? { shape: [0, 0, 0], before: [], after: [] };
        const at = (request.row * shape[1] + request.col) * shape[2] + request.channel;
        return { output_values: [before[at], after[at]] };
      }
      case "deep":
        return { deep: this.#deep(request) };
      case "patch": {
        const first = firstChannel(this.geometry, filters.indexOf(this.filter(request.uid)));
        const planes = Array.from({ length: this.geometry.kernel_channels }, (_, k) =>
          this.#plane(first + k),
        );
        const { rows, cols, values } = readPatch(this.geometry, planes, request.row, request.col);
        return { patch: { rows, cols, values, field: this.field } };
      }
      case "plane": {
        const plane = this.#plane(request.channel);
        const { range, levels, flags } = quantise(plane, plane, "activation");
        const shape = this.geometry.input_shape.slice(0, 2);
        return { plane: { shape, range, levels, flags } };
      }
      case "excited": {
        if (!this.excited) throw new Refusal("This lens has no survey.");
        const { best, kernels, current = true } = this.excited;
        const index = filters.indexOf(this.filter(request.uid));
        const original = new DataView((kernels[index] as Float32Array).slice().buffer);
        const mine = best.filter((one) => one.filter === index);
        return { excited: { uid: request.uid, original, bias: 0, current, best: mine } };
      }
      case "probe":
        return { values: request.uids.map((uid) => this.#probe(uid, request)) };
      case "diagnose":
        return { diagnostics: this.#diagnose(this.filter(request.uid), request.channel ?? 0) };
      case "code":
        return { code: `# ${request.framework}\n` };
      case "page":
        return { page: new TextEncoder().encode("<!doctype html>") };
    }
  }

  /** The two numbers that need no linear algebra; the rest as Python says it of a kernel that is not finite. */
  #diagnose({ uid, kernel }: FakeFilter, channel: number): DiagnosticsRecord {
    const sum = kernel.reduce((a, b) => a + b, 0);
    const norm = Math.hypot(...kernel);
    const plane = { channel, sum, norm, rank: null, separable: null, vertical: null, horizontal: null };
    return {
      uid,
      rev: this.rev(uid),
      sum,
      norm,
      symmetry: null,
      left_right: null,
      up_down: null,
      ranks: [null],
      note: "",
      plane: { ...plane, remaining: null, response: null },
    };
  }

  /** What the linear update takes for a filter whose input the browser does not have. */
  #deep({ uid, channels }: { uid: Uid; channels: number[] }): object {
    const filter = this.filter(uid);
    const depth = this.geometry.kernel_channels;
    const norm = (values: Float32Array) => Math.hypot(...values);
    const first = firstChannel(this.geometry, this.filters.indexOf(filter));
    return {
      uid,
      rev: this.rev(uid),
      pre_activation: this.floats(filter).pre,
      planes: channels.map((channel) => ({ channel, data: this.#plane(channel) })),
      contribution: Float32Array.from({ length: depth }, (_, k) => {
        const input = this.#plane(first + k);
        return (
          norm(filter.kernel.filter((_, tap) => tap % depth === k)) * (norm(input) / input.length ** 0.5)
        );
      }),
    };
  }

  #outputMaps(channel: number): object {
    if (!this.output) throw new Refusal("The output is no picture.");
    const { shape, before, after } = this.output;
    const [rows, cols, channels] = shape;
    const plane = (values: Float32Array) => values.filter((_, i) => i % channels === channel);
    const [one, other] = [plane(before), plane(after)];
    const map = (values: Float32Array) => quantise(values, values, "activation", [rows, cols]);
    const difference = map(other.map((value, i) => value - (one[i] as number)));
    return { channel, size: [rows, cols], before: map(one), after: map(other), difference };
  }

  /** One channel of what the layer is fed. */
  #plane(channel: number): Float32Array {
    const count = this.geometry.input_shape[2];
    return this.image.filter((_, i) => i % count === channel);
  }

  #probe(uid: Uid, { row, col }: { row: number; col: number }): object {
    const { pre, activation } = this.floats(this.filter(uid));
    const at = row * this.geometry.output_shape[1] + col;
    return { uid, rev: this.rev(uid), activation: activation[at], pre_activation: pre[at] };
  }

  protected factorsOf(uid: Uid): FactorsRecord {
    const depthwise = this.parts?.depthwise ?? new Float32Array();
    const own = this.parts?.pointwise[this.filters.indexOf(this.filter(uid))] ?? new Float32Array();
    const contribution = new Float32Array(own.length);
    const [stack, pointwise, bound] = [depthwise, own, contribution].map(
      (v) => new DataView(v.slice().buffer),
    );
    return {
      uid,
      rev: this.rev(uid),
      multiplier: 1,
      depthwise: stack as DataView,
      pointwise: pointwise as DataView,
      contribution: bound as DataView,
    };
  }
}
