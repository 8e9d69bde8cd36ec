/** The state behind the lens and what keeps it true: traits and messages in, filters drawn, requests out. */
import type { AnyModel } from "@anywidget/types";
import {
  batch,
  computed,
  effect,
  type ReadonlySignal,
  type Signal,
  signal,
  untracked,
} from "@preact/signals";
import { planeMagnitude } from "../lens/preview.ts";
import { Deep } from "./deep.ts";
import { Factors } from "./factors.ts";
import type { FilterState } from "./filter-state.ts";
import { readPicture } from "./image.ts";
import { Inquiries } from "./inquiries.ts";
import type { Picture } from "./lens.ts";
import type { Answer, Request } from "./messages.ts";
import { Needs } from "./needs.ts";
import { Network } from "./network.ts";
import { Offline } from "./offline.ts";
import { Outputs } from "./outputs.ts";
import { Patches } from "./patches.ts";
import { changedTaps, type Planes, sameWeights } from "./prediction.ts";
import { Predictor } from "./predictor.ts";
import { Probes } from "./probes.ts";
import { Problems } from "./problems.ts";
import { rebase, touched } from "./rebase.ts";
import { Roster } from "./roster.ts";
import type { Schedule } from "./schedule.ts";
import { Settings, SHARED } from "./settings.ts";
import type { PresetRecord, Status, Traits, Uid } from "./types.ts";
import { Uplink } from "./uplink.ts";
import { bytesOf, type CheckedMessage } from "./wire.ts";

/** The table that a host may save is brought up to date when nothing changed for so long. */
const KEEP_MS = 300;
/** A message overtakes its traits by no more than this. */
const OVERTAKEN_MS = 1000;

export class Core {
  readonly picture: Signal<Picture>;
  readonly status: Signal<Status>;
  readonly presets: Signal<readonly PresetRecord[]>;
  readonly cmapTables: Signal<ReadonlyMap<string, Uint8Array>>;
  /** The chosen colour map once its table is here; until then the one before. */
  readonly cmap: ReadonlySignal<string>;
  readonly comparing = signal(false);
  readonly settings: Settings;
  readonly roster: Roster;
  readonly uplink: Uplink;
  readonly predictor: Predictor;
  readonly probes: Probes;
  readonly problems: Problems;
  readonly inquiries: Inquiries;
  readonly needs: Needs;
  readonly network: Network;
  readonly deep: Deep;
  readonly outputs: Outputs;
  readonly patches: Patches;
  readonly factors: Factors;
  /** Present while there is no kernel. */
  offline: Offline | null = null;

  #planes: { of: Picture; planes: Planes } | null = null;
  #cancelKeeping: () => void = () => {};
  #cancelAwaiting: () => void = () => {};
  readonly #stop: () => void;

  constructor(
    private readonly model: AnyModel<Traits>,
    private readonly schedule: Schedule,
  ) {
    this.uplink = new Uplink(model, schedule, {
      answered: (request, answer) => this.#answered(request, answer),
      message: (message) => this.#receive(message),
      lost: () => this.#lost(),
      found: () => this.#found(),
      missed: () => this.#missed(),
      garbled: (error) => this.problems.report("A message from Python could not be read", String(error)),
    });
    this.inquiries = new Inquiries(
      () => this.offline === null,
      (request) => this.uplink.push(request),
    );
    this.outputs = new Outputs(model.widget_manager);
    this.settings = new Settings(model, () => this.uplink.unanswered);
    this.problems = new Problems(model.get("_problem"));
    this.probes = new Probes((row, col, uids) => this.uplink.push({ type: "probe", row, col, uids }));
    this.picture = signal(readPicture(model.get("_image")));
    this.status = signal(model.get("_status"));
    this.presets = signal(model.get("_presets"));
    this.cmapTables = signal(readTables(model.get("_cmaps")));
    let shown = model.get("cmap");
    this.cmap = computed(() => {
      const chosen = this.settings.signal("cmap").value;
      if (this.cmapTables.value.has(chosen)) shown = chosen;
      return shown;
    });
    this.roster = new Roster(model.get("_state"), model.get("names"), {
      rebase: (uid, said) => rebase(said, uid, this.uplink.unanswered),
      changed: (filters) => this.changed(filters),
      confirmed: (filter, map) => this.predictor.check(filter, map),
      watched: (filter) => this.needs.watch(filter),
      unwatched: (filter) => this.needs.unwatch(filter),
      missing: (uids) => this.uplink.push({ type: "need", uids: [...uids] }),
    });
    this.needs = new Needs(schedule, {
      lacks: (filter) => this.#lacks(filter),
      idle: () => this.uplink.link.peek() === "idle",
      size: () => this.#recordSize(),
      ask: (uids) => this.uplink.push({ type: "need", uids }),
    });
    this.predictor = new Predictor(
      () => this.#scene(),
      () => this.roster.list.peek(),
      schedule,
      (filter, what) => this.#disagreement(filter, what),
    );
    this.deep = new Deep(
      this.roster,
      (request) => this.inquiries.ask(request),
      (filter) => this.predictor.redraw([filter]),
    );
    this.patches = new Patches(this.roster, (question) => this.inquiries.ask(question));
    this.factors = new Factors(
      (request) => this.inquiries.ask(request),
      (uid) => {
        const filters = uid === null ? this.roster.list.peek() : [this.roster.get(uid)];
        for (const filter of filters) filter?.drawOld(this.roster.geometry);
      },
      (text) => {
        this.problems.report("The kernels stay as they were", text);
        this.predictor.redraw(this.roster.list.peek());
      },
    );
    this.network = new Network(model, schedule, {
      idle: () => this.status.peek().keras === "ready" && this.uplink.link.peek() === "idle",
      predict: () => {
        this.inquiries.ask({ type: "predict" }).catch(({ message }: Error) => this.network.failed(message));
      },
      retrained: () => this.#forgetInput(),
    });
    this.roster.load(model.get("_filters"));
    this.#listen();
    this.#stop = effect(() => {
      void this.comparing.value;
      void this.settings.signal("stage").value;
      untracked(() => {
        this.predictor.redraw(this.roster.list.peek());
        this.needs.look();
      });
    });
  }

  /** Tell the kernel which maps are here; it sends what is newer. `again`: traits may have been missed, too. */
  greet(again = false): void {
    const stage = this.settings.signal("stage").peek();
    // What lies outside a fixed range is marked by the kernel: which one a map was made for cannot be seen.
    const doubtful = again && Array.isArray(this.settings.signal("value_range").peek());
    const revs = this.roster.list.peek().flatMap((filter): [Uid, number][] => {
      if (!filter.known) return [];
      const here = filter.keras(filter.confirmed)?.stage === stage && !doubtful;
      return [[filter.uid, here ? filter.rev : -1]];
    });
    const { generation, image_version } = this.roster.state.peek();
    const image = Math.min(image_version, this.picture.peek().record.version);
    this.uplink.push({ type: "hello", generation, revs, image, again, picture: this.outputs.way });
  }

  prepare(uid: Uid, planes: readonly number[]): void {
    const filter = this.roster.get(uid);
    if (!filter || this.offline) return;
    if (this.roster.geometry.kind === "separable") this.factors.ask(uid);
    else this.deep.prepare(filter, planes);
  }

  /** Filters were edited here: what predicts the next edits of the same planes is asked for behind them. */
  followDeep(filters: readonly FilterState[]): void {
    if (this.roster.state.peek().image_is_input) return;
    const { kernel_channels } = this.roster.geometry;
    for (const { uid, now, confirmed } of filters) {
      const taps = changedTaps(confirmed.kernel, now.kernel);
      this.prepare(uid, [...new Set(taps.map((tap) => tap % kernel_channels))]);
    }
  }

  dispose(): void {
    this.#cancelKeeping();
    this.#cancelAwaiting();
    this.#stop();
    this.network.dispose();
    this.needs.dispose();
    this.uplink.host.dispose();
  }

  /** Draw these filters anew and keep what they are for a host that saves. */
  changed(filters: Iterable<FilterState>): void {
    this.predictor.redraw(filters);
    this.network?.changed(filters);
    this.factors?.refresh(filters);
    this.needs.look();
    this.#cancelKeeping();
    this.#cancelKeeping = this.schedule.after(KEEP_MS, () => this.#keep());
  }

  // -- what comes in -------------------------------------------------------------------------------------------------

  #listen(): void {
    const { host } = this.uplink;
    const on = (name: keyof Traits, callback: () => void) => host.on(`change:${name}`, callback);
    // Python sets these in one go; whichever is announced first, all are there.
    for (const name of ["_state", "_image", "names"] as const) on(name, () => this.#readState());
    for (const name of SHARED) on(name, () => this.settings.read(name));
    on("_cmaps", () => {
      this.cmapTables.value = readTables(this.model.get("_cmaps"));
    });
    on("_presets", () => {
      this.presets.value = this.model.get("_presets");
    });
    on("_status", () => {
      this.status.value = this.model.get("_status");
      this.needs.look();
      this.probes.retry();
    });
    for (const name of ["_layers", "labels", "_training"] as const) on(name, () => this.network.read(name));
    on("_problem", () => this.problems.tell(this.model.get("_problem")));
  }

  /** Whatever the kernel said meanwhile, it says again. */
  #missed(): void {
    if (this.uplink.offline) return;
    this.greet(true);
    this.network.unsettle();
  }

  #receive(message: CheckedMessage): void {
    this.roster.receive(message);
    if (this.roster.early) this.#awaitTraits();
    if (message.type === "predictions") this.network.receive(message);
    if (message.type === "outputs") this.outputs.keep(message.data);
  }

  /** A message came before the traits that it belongs to; if they do not follow, they are lost. */
  #awaitTraits(): void {
    this.#cancelAwaiting();
    this.#cancelAwaiting = this.schedule.after(OVERTAKEN_MS, () => {
      if (this.roster.early) this.#missed();
    });
  }

  #readState(): void {
    const before = this.roster.state.peek();
    batch(() => {
      const image = this.model.get("_image");
      if (image !== this.picture.peek().record) this.picture.value = readPicture(image);
      this.roster.setState(this.model.get("_state"), this.model.get("names"));
    });
    const { geometry, image_version } = this.roster.state.peek();
    if (geometry.path === before.geometry.path && image_version === before.image_version) return;
    this.#forgetInput();
    this.network.unsettle();
  }

  #answered(request: Request, answer: Answer & CheckedMessage): void {
    if (request.type === "probe") {
      this.probes.answer(answer, answer.generation, request.row, request.col);
    }
    if (request.type === "need") this.needs.answered();
    if (request.type === "set" && request.name !== "_problem") {
      this.settings.answered(request.name, request.value, answer.ok);
    }
    if (this.inquiries.answered(request, answer) || answer.ok) return;
    const filters = touched(request).flatMap((uid) => this.roster.get(uid) ?? []);
    for (const filter of filters) filter.rebase((said) => rebase(said, filter.uid, this.uplink.unanswered));
    this.changed(filters);
    const { title, text } = answer.error ?? { title: "Refused", text: "Python gave no reason." };
    if (request.type === "probe" || request.type === "need" || request.type === "hello") {
      console.warn(`convlens: ${request.type} refused: ${text}`);
    } else this.problems.report(title, text);
  }

  #lost(): void {
    this.inquiries.lost();
    this.needs.answered();
    this.offline = new Offline(this.roster, () => this.changed(this.roster.list.peek()));
  }

  /** Bring the kernel what was edited meanwhile; where the list itself changed, the kernel's is the true one. */
  #found(): void {
    this.offline = null;
    const state = this.model.get("_state");
    const same = String(state.order) === String(this.roster.state.peek().order);
    this.#readState();
    const edited = this.roster.list.peek().filter(({ now, confirmed }) => !sameWeights(now, confirmed));
    if (same && edited.length > 0) {
      const edits = edited.map(({ uid, now }) => ({
        uid,
        taps: { index: [...now.kernel.keys()], value: [...now.kernel] },
        bias: now.bias,
      }));
      this.uplink.push({ type: "edit", edits, gesture: "offline" });
    }
    this.greet(true);
    this.needs.look();
    this.patches.retry();
  }

  // -- what goes out -------------------------------------------------------------------------------------------------

  /** While Keras loads, a filter needs its numbers alone: the map will come by itself. */
  #lacks(filter: FilterState): string | null {
    if (this.uplink.offline) return null;
    const stage = this.settings.signal("stage").peek();
    const map = filter.keras(filter.confirmed);
    if (filter.known && (map?.stage === stage || this.status.peek().keras !== "ready")) return null;
    return `${this.roster.state.peek().generation}/${stage}/${filter.rev}/${filter.expiries}`;
  }

  /** The layer is fed something else than before. */
  #forgetInput(): void {
    this.deep.forget();
    this.patches.forget();
    this.factors.forget();
  }

  #recordSize(): number {
    const { output_shape, kernel_size, kernel_channels } = this.roster.geometry;
    return output_shape[0] * output_shape[1] + 4 * kernel_size[0] * kernel_size[1] * kernel_channels;
  }

  /** The table is changed in place: a host that saves the widget's state finds the newest in it. */
  #keep(): void {
    const table = this.model.get("_filters");
    if (!table) return;
    table.generation = this.roster.state.peek().generation;
    table.filters = this.roster.records();
  }

  // -- what is drawn -------------------------------------------------------------------------------------------------

  #scene() {
    return {
      geometry: this.roster.geometry,
      stage: this.settings.signal("stage").peek(),
      comparing: this.comparing.peek(),
      planes: this.inputPlanes(),
    };
  }

  /** The layer's input, where the browser has it: the picture itself, of the version that the layer is fed. */
  inputPlanes(): Planes | null {
    const picture = this.picture.peek();
    const { geometry, image_is_input, image_version } = this.roster.state.peek();
    if (!image_is_input || picture.record.version !== image_version) return null;
    if (String(geometry.input_shape) !== String(picture.record.shape)) return null;
    if (this.#planes?.of !== picture) this.#planes = { of: picture, planes: planesOf(picture) };
    return this.#planes.planes;
  }

  #disagreement(filter: FilterState, what: string): void {
    const name = this.roster.names.peek()[this.roster.list.peek().indexOf(filter)] ?? "a filter";
    console.warn(`convlens: the preview of ${name} disagrees with Keras: ${what}`);
    this.problems.report(
      "Preview and Keras disagree",
      `The browser's prediction of ${name} is not what Keras computed (${what}). Its preview is switched off; what is shown is Keras's.`,
    );
  }
}

function planesOf(picture: Picture): Planes {
  const magnitudes = new Map<number, number>();
  return {
    plane: (channel) => picture.plane(channel),
    magnitude(channel) {
      const known = magnitudes.get(channel) ?? planeMagnitude(picture.plane(channel));
      magnitudes.set(channel, known);
      return known;
    },
  };
}

function readTables(tables: Traits["_cmaps"]): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(tables).map(([name, table]) => [name, bytesOf(table)]));
}
