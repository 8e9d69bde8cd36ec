/** A small Python for tests and the page of states: its side of the messages, with the list of filters and its history. */
import { firstChannel, reshaped } from "../maths/geometry.ts";
import { floatsOf, pack, unpack, unpackNumber } from "../protocol/bytes.ts";
import type { RunRecord } from "../protocol/messages.ts";
import type { FilterRecord, Geometry, History, MapRecord, Traits, Uid } from "../protocol/records.ts";
import type { Edit, Numbered, Request } from "../protocol/requests.ts";
import { type FakeFilter, FakeLayer, isReading, Refusal } from "./fake-layer.ts";
import { FakeModel, type Sent } from "./fake-model.ts";
import { quantise } from "./reference.ts";

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

/** What may be carried out again, besides requests that only read. */
const REPEATABLE = new Set<Request["type"]>([
  "hello",
  "need",
  "predict",
  "factors",
  "screen",
  "close_up",
  "pixels",
  "run",
]);

export class FakePython extends FakeLayer {
  readonly models: FakeModel[] = [];
  readonly waiting: Sent[] = [];
  /** Called when a request arrives; the default leaves it waiting for `step` or `pump`. */
  onRequest: () => void = () => {};
  /** False while "Keras is loading": records go out without maps. */
  ready = true;
  generation = 1;
  /** False for a layer inside a model, whose input the browser does not have. */
  imageIsInput = true;
  #past: Document[] = [];
  #future: Document[] = [];
  #gesture: string | null = null;
  #predicting = false;
  /** Whether filters are sent with their parts, as while a training is followed. */
  following = false;
  /** What the next polls of a run find, one after another; the last one stays. */
  runs: RunRecord[] = [];
  /** Kernels in list order, for `scrub`. */
  snapshots: Float32Array[][] = [];
  /** The model's output; by default not a vector. */
  predict: () => { before: Float32Array; after: Float32Array } | null = () => null;
  /** What the model's output is, where it is neither one vector nor a picture. */
  note: string | undefined;
  /** Carries a message or an update of traits to a front end; a test may lose it, double it or hold it back. */
  carry: (deliver: () => void, what: "message" | "traits") => void = (deliver) => deliver();
  #serial = 0;
  /** The answer to each front end's newest request, as Python keeps it. */
  #newest = new Map<string, { seq: number; outcome: Outcome | null }>();
  #document: Document;
  readonly #initial: Document;
  #nextUid = 100;

  constructor(
    geometry: Geometry,
    filters: readonly FakeFilter[],
    image: Float32Array,
    private traits: Omit<Traits, "_state" | "_filters" | "names">,
  ) {
    super(image);
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
    const { pre, activation } = this.floats(this.filter(uid));
    return quantise(activation, pre, this.traits.stage, this.geometry.output_shape);
  }

  #record(filter: FakeFilter): FilterRecord {
    return {
      uid: filter.uid,
      rev: this.rev(filter.uid),
      kernel: new DataView(filter.kernel.slice().buffer),
      bias: filter.bias,
      first_channel: firstChannel(this.geometry, this.filters.indexOf(filter)),
      map: this.ready ? this.map(filter.uid) : null,
      ...(this.following && { factors: this.factorsOf(filter.uid) }),
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
        this.revs.set(filter.uid, this.rev(filter.uid) + 1);
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
    this.#newest.set(client, {
      seq,
      outcome: isReading(request) || REPEATABLE.has(request.type) ? null : outcome,
    });
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
    if (isReading(request)) return { uids: [], answer: this.answer(request) };
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
        filters.splice(filters.indexOf(this.filter(request.uid)), 1);
        break;
      case "move": {
        const filter = this.filter(request.uid);
        filters.splice(filters.indexOf(filter), 1);
        filters.splice(request.to, 0, filter);
        break;
      }
      case "rename": {
        const filter = this.filter(request.uid);
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
      case "factors":
        return { uids: [], answer: { factors: this.#factors(request) } };
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

  /** A separable layer of depth multiplier 1: kernel = depthwise × the filter's weight of the channel. */
  #factors({
    uid,
    edit,
    gesture,
    client,
  }: Extract<Request, { type: "factors" }> & { client: string }): object {
    const { parts } = this;
    const index = this.filters.indexOf(this.filter(uid));
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
    return this.factorsOf(uid);
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
