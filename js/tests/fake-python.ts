/** A small Python for tests and the page of states: its side of the messages, over a slow correlation. */
import { readPatch } from "../maths/explanation.ts";
import { firstChannel, reshaped } from "../maths/geometry.ts";
import { floatsOf, pack, unpack, unpackNumber } from "../protocol/bytes.ts";
import type { DiagnosticsRecord, ExcitationRecord, FieldRecord, RunRecord } from "../protocol/messages.ts";
import type {
  FactorsRecord,
  FilterRecord,
  Geometry,
  History,
  MapRecord,
  Traits,
  Uid,
} from "../protocol/records.ts";
import type { Edit, Numbered, Request } from "../protocol/requests.ts";
import { FakeModel, type Sent } from "./fake-model.ts";
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

/** What undo returns to: immutable, like Python's. */
interface Document {
  filters: readonly FakeFilter[];
  geometry: Geometry;
}

/** The answer to a request, and the filters that go with it. */
interface Outcome {
  head: object;
  uids: Uid[];
}

class Refusal extends Error {}

/** What may be carried out again. */
const READING = new Set<Request["type"]>([
  "hello",
  "need",
  "probe",
  "diagnose",
  "code",
  "page",
  "predict",
  "output_maps",
  "output_values",
  "stats",
  "ranges",
  "losses",
  "deep",
  "patch",
  "plane",
  "factors",
  "screen",
  "close_up",
  "pixels",
  "excited",
  "run",
]);

export class FakePython {
  readonly models: FakeModel[] = [];
  readonly waiting: Sent[] = [];
  /** Called when a request arrives; the default leaves it waiting for `step` or `pump`. */
  onRequest: () => void = () => {};
  /** False while "Keras is loading": records go out without maps. */
  ready = true;
  generation = 1;
  /** False for a layer inside a model, whose input the browser does not have. */
  imageIsInput = true;
  /** What it reports about receptive fields inside a model. */
  field: FieldRecord = { rows: null, cols: null, inside: null, note: "" };
  #past: Document[] = [];
  #future: Document[] = [];
  #gesture: string | null = null;
  #predicting = false;
  /** What the filters of a separable layer are made of. */
  parts: { depthwise: Float32Array; pointwise: Float32Array[] } | null = null;
  /** Whether filters are sent with their parts, as while a training is followed. */
  following = false;
  /** What a survey holds, by filter, and the kernels to which it belongs. */
  excited: { best: ExcitationRecord[]; kernels: Float32Array[]; current?: boolean } | null = null;
  /** What the next polls of a run find, one after another; the last one stays. */
  runs: RunRecord[] = [];
  /** Kernels in list order, for `scrub`. */
  snapshots: Float32Array[][] = [];
  /** The model's output; by default not a vector. */
  predict: () => { before: Float32Array; after: Float32Array } | null = () => null;
  /** The model's output where it is a picture: values (row, col, channel), and what the edits made of it. */
  output: { shape: [number, number, number]; before: Float32Array; after: Float32Array } | null = null;
  /** What the model's output is, where it is neither one vector nor a picture. */
  note: string | undefined;
  /** Carries a message or an update of traits to a front end; a test may lose it, double it or hold it back. */
  carry: (deliver: () => void, what: "message" | "traits") => void = (deliver) => deliver();
  #serial = 0;
  /** The answer to each front end's newest request, as Python keeps it. */
  #newest = new Map<string, { seq: number; outcome: Outcome | null }>();
  #document: Document;
  readonly #initial: Document;
  #revs = new Map<Uid, number>();
  /** What filters gave; neither they nor geometries are ever changed. */
  readonly #computed = new WeakMap<FakeFilter, Computed>();
  #nextUid = 100;

  constructor(
    geometry: Geometry,
    filters: readonly FakeFilter[],
    private image: Float32Array,
    private traits: Omit<Traits, "_state" | "_filters" | "names">,
  ) {
    this.#document = { filters, geometry };
    this.#initial = this.#document;
  }

  get filters(): readonly FakeFilter[] {
    return this.#document.filters;
  }

  get geometry(): Geometry {
    return this.#document.geometry;
  }

  get history(): History {
    return { undo: this.#past.length, redo: this.#future.length };
  }

  /** A front end opens, with the state that a host would pass. */
  attach(): FakeModel {
    const filters = { generation: this.generation, filters: this.filters.map((f) => this.#record(f)) };
    const model = new FakeModel({ ...this.traits, ...this.#stateTraits(), _filters: filters });
    model.deliver = (sent) => {
      this.waiting.push(sent);
      this.onRequest();
    };
    this.models.push(model);
    return model;
  }

  /** Answer the oldest request; false when none waits. */
  step(): boolean {
    const sent = this.waiting.shift();
    if (sent) this.#handle(unpack(sent.content, sent.buffers) as Numbered);
    return sent !== undefined;
  }

  /** Answer all that waits, and the requests that follow from the answers. */
  pump(): void {
    while (this.step());
  }

  /** An assignment in Python: new filters (uids kept where given), one step of the history. */
  assign(filters: readonly FakeFilter[], gesture: string | null = null): void {
    this.#commit({ ...this.#document, filters }, gesture);
    this.#broadcast(
      { type: "filters" },
      this.filters.map((f) => f.uid),
    );
  }

  /** The latent vector that the model is fed. */
  get vector(): number[] {
    return [...floatsOf(this.traits._image.data)];
  }

  /** A small trait is assigned in Python. */
  assignTrait<K extends Exclude<keyof Traits, "_state" | "_filters" | "names">>(
    name: K,
    value: Traits[K],
  ): void {
    this.traits = { ...this.traits, [name]: value };
    this.#tellTraits({ [name]: value });
  }

  /** Send every map again, as when Keras has loaded. */
  announce(): void {
    this.#broadcast(
      { type: "filters" },
      this.filters.map((f) => f.uid),
    );
  }

  /** Announce that these filters changed, and do not send them. */
  outdate(uids: readonly Uid[]): void {
    this.#broadcast({ type: "filters", outdated: uids }, []);
  }

  map(uid: Uid): MapRecord {
    const { pre, activation } = this.#floats(this.#filter(uid));
    return quantise(activation, pre, this.traits.stage, this.geometry.output_shape);
  }

  rev(uid: Uid): number {
    return this.#revs.get(uid) ?? 0;
  }

  #floats(filter: FakeFilter): Computed {
    const { geometry } = this;
    const first = firstChannel(geometry, this.filters.indexOf(filter));
    const known = this.#computed.get(filter);
    if (known?.geometry === geometry && known.first === first) return known;
    const pre = correlateSlowly(geometry, this.image, filter.kernel, filter.bias, first);
    const computed = { geometry, first, pre, activation: activateSlowly(pre, geometry.activation) };
    this.#computed.set(filter, computed);
    return computed;
  }

  #filter(uid: unknown): FakeFilter {
    const filter = this.filters.find((f) => f.uid === uid);
    if (!filter) throw new Refusal("That filter is no longer in the list.");
    return filter;
  }

  #record(filter: FakeFilter): FilterRecord {
    return {
      uid: filter.uid,
      rev: this.rev(filter.uid),
      kernel: new DataView(filter.kernel.slice().buffer),
      bias: filter.bias,
      first_channel: firstChannel(this.geometry, this.filters.indexOf(filter)),
      map: this.ready ? this.map(filter.uid) : null,
      ...(this.following && { factors: this.#parts(filter.uid) }),
    };
  }

  #stateTraits(): Pick<Traits, "_state" | "names"> {
    return {
      _state: {
        generation: this.generation,
        geometry: this.geometry,
        order: this.filters.map((f) => f.uid),
        image_version: this.traits._image.version,
        image_is_input: this.imageIsInput,
        output: this.output?.shape ?? null,
      },
      names: this.filters.map((f) => f.name),
    };
  }

  #commit(next: Document, gesture: string | null = null): void {
    if (gesture === null || gesture !== this.#gesture) this.#past.push(this.#document);
    this.#gesture = gesture;
    this.#future = [];
    this.#show(next);
  }

  #show(next: Document): void {
    const before = new Map(this.filters.map((f) => [f.uid, f]));
    for (const filter of next.filters) {
      const old = before.get(filter.uid);
      if (old && (old.kernel !== filter.kernel || !Object.is(old.bias, filter.bias))) {
        this.#revs.set(filter.uid, this.rev(filter.uid) + 1);
      }
    }
    const order = (document: Document) => document.filters.map((f) => `${f.uid}:${f.name}`).join();
    const moved = order(next) !== order(this.#document) || next.geometry !== this.geometry;
    this.#document = { ...next, geometry: { ...next.geometry, filters: next.filters.length } };
    if (!moved) return;
    this.generation++;
    this.#tellTraits(this.#stateTraits());
  }

  #handle(request: Numbered): void {
    const { client, seq } = request;
    const newest = this.#newest.get(client);
    if (newest && seq < newest.seq) return;
    const known = newest?.seq === seq ? newest.outcome : null;
    const outcome = known ?? this.#outcome(request);
    this.#newest.set(client, { seq, outcome: READING.has(request.type) ? null : outcome });
    this.#broadcast({ type: "answer", client, seq, ok: true, ...outcome.head }, outcome.uids);
    if (this.#predicting) {
      this.#predicting = false;
      this.#broadcast(
        {
          type: "predictions",
          client,
          seq,
          predictions: this.predict(),
          ...(this.note && { note: this.note }),
        },
        [],
      );
    }
  }

  #outcome(request: Numbered): Outcome {
    const before = new Map(this.filters.map((f) => [f.uid, f]));
    const generation = this.generation;
    try {
      const extra = this.#carryOut(request);
      const changed = this.filters.filter((f) => before.get(f.uid) !== f || generation !== this.generation);
      return { head: extra.answer ?? {}, uids: [...changed.map((f) => f.uid), ...extra.uids] };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const head = { ok: false, error: { title: "Refused", text: error.message } };
      return { head, uids: this.filters.map((f) => f.uid) };
    }
  }

  #carryOut(request: Request & { client: string }): { answer?: object; uids: Uid[] } {
    const filters = [...this.filters];
    switch (request.type) {
      case "hello": {
        const held = new Map(request.generation === this.generation ? request.revs : []);
        if (request.again) this.#tellTraits({ ...this.traits, ...this.#stateTraits() });
        const uids = filters.filter((f) => held.get(f.uid) !== this.rev(f.uid)).map((f) => f.uid);
        return { uids, answer: { model: "the lens" } };
      }
      case "need":
        return { uids: request.uids };
      case "edit":
        this.#commit(
          { ...this.#document, filters: this.#edited(request.edits) },
          `${request.client}/${request.gesture}`,
        );
        return { uids: [] };
      case "replace": {
        const all = floatsOf(request.kernels);
        const size = all.length / request.uids.length;
        const geometry = reshaped(this.geometry, { kernel_size: [request.shape[0], request.shape[1]] });
        const next = filters.map((f) => {
          const i = request.uids.indexOf(f.uid);
          return i < 0 ? f : { ...f, kernel: all.slice(i * size, (i + 1) * size) };
        });
        const same = String(geometry.kernel_size) === String(this.geometry.kernel_size);
        const document = { filters: next, geometry: same ? this.geometry : geometry };
        this.#commit(document, `${request.client}/${request.gesture}`);
        return { uids: [] };
      }
      case "add": {
        const uid = this.#nextUid++;
        const name = request.name ?? `Filter ${uid}`;
        filters.splice(request.at, 0, {
          uid,
          name,
          kernel: floatsOf(request.kernel),
          bias: unpackNumber(request.bias ?? 0),
        });
        break;
      }
      case "remove":
        filters.splice(filters.indexOf(this.#filter(request.uid)), 1);
        break;
      case "move": {
        const filter = this.#filter(request.uid);
        filters.splice(filters.indexOf(filter), 1);
        filters.splice(request.to, 0, filter);
        break;
      }
      case "rename": {
        const filter = this.#filter(request.uid);
        filters[filters.indexOf(filter)] = { ...filter, name: request.name };
        const document = { ...this.#document, filters };
        this.#commit(document, request.gesture ? `${request.client}/${request.gesture}` : null);
        return { uids: [] };
      }
      case "undo":
        this.#travel(this.#past, this.#future);
        return { uids: [] };
      case "redo":
        this.#travel(this.#future, this.#past);
        return { uids: [] };
      case "reset":
        this.#commit(this.#initial);
        return { uids: [] };
      case "set":
        if (
          request.name === "stage" &&
          request.value !== "activation" &&
          request.value !== "pre_activation"
        ) {
          throw new Refusal(`stage=${String(request.value)}`);
        }
        if (request.name !== "_problem") this.assignTrait(request.name, request.value as never);
        return { uids: request.name === "stage" ? filters.map((f) => f.uid) : [] };
      case "predict":
        this.#predicting = true;
        return { uids: [] };
      case "stats": {
        const maps = filters.map((f) => this.#floats(f).activation);
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
        return { uids: [], answer: { stats: { ...stats, ...there } } };
      }
      case "ranges": {
        const maps = filters.map(
          (f) => this.#floats(f)[request.stage === "activation" ? "activation" : "pre"],
        );
        const ends = maps.flatMap((map) => [Math.min(...map), Math.max(...map)]);
        return { uids: [], answer: { ranges: new DataView(Float32Array.from(ends).buffer) } };
      }
      case "losses": {
        // The score is the sum of all maps.
        const values = filters
          .slice(request.start, request.start + request.count)
          .map((f) => this.#floats(f).activation.reduce((sum, v) => sum + v, 0));
        return { uids: [], answer: { losses: { values: Float32Array.from(values), target: 1 } } };
      }
      case "output_maps":
        return { uids: [], answer: this.output ? { output_maps: this.#outputMaps(request.channel) } : {} };
      case "output_values": {
        const { shape, before, after } = this.output ?? { shape: [0, 0, 0], before: [], after: [] };
        const at = (request.row * shape[1] + request.col) * shape[2] + request.channel;
        return { uids: [], answer: { output_values: [before[at], after[at]] } };
      }
      case "factors":
        return { uids: [], answer: { factors: this.#factors(request) } };
      case "deep":
        return { uids: [], answer: { deep: this.#deep(request) } };
      case "patch": {
        const first = firstChannel(this.geometry, filters.indexOf(this.#filter(request.uid)));
        const planes = Array.from({ length: this.geometry.kernel_channels }, (_, k) =>
          this.#plane(first + k),
        );
        const { rows, cols, values } = readPatch(this.geometry, planes, request.row, request.col);
        return { uids: [], answer: { patch: { rows, cols, values, field: this.field } } };
      }
      case "plane": {
        const plane = this.#plane(request.channel);
        const { range, levels, flags } = quantise(plane, plane, "activation");
        const shape = this.geometry.input_shape.slice(0, 2);
        return { uids: [], answer: { plane: { shape, range, levels, flags } } };
      }
      case "excited": {
        if (!this.excited) throw new Refusal("This lens has no survey.");
        const { best, kernels, current = true } = this.excited;
        const index = filters.indexOf(this.#filter(request.uid));
        const original = new DataView((kernels[index] as Float32Array).slice().buffer);
        const mine = best.filter((one) => one.filter === index);
        return {
          uids: [],
          answer: { excited: { uid: request.uid, original, bias: 0, current, best: mine } },
        };
      }
      case "show_excited": {
        const one = this.excited?.best.find((e) => e.filter === request.filter && e.rank === request.rank);
        if (one) this.assignTrait("pixel", one.pixel);
        return { uids: [], answer: { replaced: one !== undefined } };
      }
      case "run": {
        const [now] = request.act === "start" ? [{ running: true }] : this.runs;
        if (request.act === "look" && this.runs.length > 1) this.runs.shift();
        return { uids: [], answer: { run: now ?? { running: false } } };
      }
      case "scrub": {
        const kernels = this.snapshots[request.index];
        if (!kernels) throw new Refusal(`There is no snapshot ${request.index}.`);
        const next = filters.map((f, i) => ({ ...f, kernel: kernels[i] ?? f.kernel }));
        this.#commit({ ...this.#document, filters: next }, "scrub");
        return { uids: [] };
      }
      case "configure":
        this.#commit({ filters, geometry: reshaped(this.geometry, request.settings) });
        return { uids: [] };
      case "probe":
        return { uids: [], answer: { values: request.uids.map((uid) => this.#probe(uid, request)) } };
      case "diagnose":
        return {
          uids: [],
          answer: { diagnostics: this.#diagnose(this.#filter(request.uid), request.channel ?? 0) },
        };
      case "code":
        return { uids: [], answer: { code: `# ${request.framework}\n` } };
      case "page":
        return { uids: [], answer: { page: new TextEncoder().encode("<!doctype html>") } };
      case "screen":
        return { uids: [] };
      case "close_up":
      case "pixels":
        throw new Refusal("the tests' own kernel has small pictures only");
      case "vector": {
        const { _image: old } = this.traits;
        const values = floatsOf(request.data);
        if (!old.latent || values.some(Number.isNaN)) throw new Refusal("the tests' own kernel takes no NaN");
        const data = new DataView(values.slice().buffer);
        this.traits = { ...this.traits, _image: { ...old, version: old.version + 1, data } };
        this.generation++;
        this.#tellTraits({ _image: this.traits._image, ...this.#stateTraits() });
        return { uids: filters.map((f) => f.uid) };
      }
      case "image":
      case "use_map":
      case "leave_map":
        throw new Refusal("the tests' own kernel keeps its picture");
    }
    this.#commit({ ...this.#document, filters });
    return { uids: [] };
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
    const filter = this.#filter(uid);
    const depth = this.geometry.kernel_channels;
    const norm = (values: Float32Array) => Math.hypot(...values);
    const first = firstChannel(this.geometry, this.filters.indexOf(filter));
    return {
      uid,
      rev: this.rev(uid),
      pre_activation: this.#floats(filter).pre,
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

  /** A separable layer of depth multiplier 1: kernel = depthwise × the filter's weight of the channel. */
  #factors({
    uid,
    edit,
    gesture,
    client,
  }: Extract<Request, { type: "factors" }> & { client: string }): object {
    const { parts } = this;
    const index = this.filters.indexOf(this.#filter(uid));
    const own = parts?.pointwise[index];
    if (!parts || !own) throw new Refusal("No separable layer.");
    if (edit) {
      edit.index.forEach((tap, i) => {
        (edit.part === "depthwise" ? parts.depthwise : own)[tap] = unpackNumber(edit.value[i]);
      });
      const product = (f: number) =>
        parts.depthwise.map((v, tap) => v * (parts.pointwise[f]?.[tap % own.length] ?? 0));
      const filters = this.filters.map((f, i) => ({ ...f, kernel: product(i) }));
      this.#commit({ ...this.#document, filters }, `${client}/${gesture}`);
    }
    return this.#parts(uid);
  }

  #parts(uid: Uid): FactorsRecord {
    const depthwise = this.parts?.depthwise ?? new Float32Array();
    const own = this.parts?.pointwise[this.filters.indexOf(this.#filter(uid))] ?? new Float32Array();
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

  #probe(uid: Uid, { row, col }: { row: number; col: number }): object {
    const { pre, activation } = this.#floats(this.#filter(uid));
    const at = row * this.geometry.output_shape[1] + col;
    return { uid, rev: this.rev(uid), activation: activation[at], pre_activation: pre[at] };
  }

  #edited(edits: readonly Edit[]): FakeFilter[] {
    const filters = [...this.filters];
    for (const edit of edits) {
      const index = filters.findIndex((f) => f.uid === edit.uid);
      const filter = filters[index];
      if (!filter) throw new Refusal("That filter is no longer in the list.");
      const kernel = filter.kernel.slice();
      edit.taps?.index.forEach((tap, i) => {
        if (tap >= kernel.length) throw new Refusal(`Tap ${tap} is outside the kernel.`);
        kernel[tap] = unpackNumber(edit.taps?.value[i]);
      });
      const bias = edit.bias === undefined ? filter.bias : Math.fround(unpackNumber(edit.bias));
      filters[index] = { ...filter, kernel, bias };
    }
    return filters;
  }

  #travel(from: Document[], to: Document[]): void {
    const target = from.pop();
    if (!target) return;
    to.push(this.#document);
    this.#gesture = null;
    this.#show(target);
  }

  #broadcast(head: object, uids: readonly Uid[]): void {
    const filters = this.filters.filter((f) => uids.includes(f.uid)).map((f) => this.#record(f));
    const serial = ++this.#serial;
    const message = { ...head, generation: this.generation, history: this.history, filters, serial };
    const { content, buffers } = pack(message);
    // Every front end receives every answer; only the one that asked may take it for its own.
    for (const model of this.models) {
      this.carry(() => model.receive(JSON.parse(JSON.stringify(content)), buffers), "message");
    }
  }

  #tellTraits(changes: Partial<Traits>): void {
    for (const model of this.models) this.carry(() => model.receiveTraits(changes), "traits");
  }
}
