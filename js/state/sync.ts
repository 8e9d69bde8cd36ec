/** The state behind the lens and what keeps it current: traits and messages in, filters drawn, requests out. */
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
import { Channel, type ChannelEvents } from "../connection/channel.ts";
import { keepForSaving } from "../connection/jupyter-internals.ts";
import { NotebookPicture } from "../connection/notebook-picture.ts";
import { kindOf } from "../maths/kinds.ts";
import { Offline } from "../offline/offline.ts";
import { SavedAnswers } from "../offline/saved-answers.ts";
import type { CloseUp } from "../paint/drawable.ts";
import type { Grid } from "../paint/grid.ts";
import type { Schedule } from "../preview/frames.ts";
import { changedTaps, sameWeights, type Weights } from "../preview/full-preview.ts";
import { PreviewScheduler } from "../preview/preview-scheduler.ts";
import { bytesOf } from "../protocol/bytes.ts";
import { nullable } from "../protocol/check.ts";
import { type Answer, type Message, type SavedAnswersRecord, savedAnswers } from "../protocol/messages.ts";
import type { MapRecord, PresetRecord, Status, Traits, Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { Queries } from "../queries/ask.ts";
import { CloseUps } from "../queries/close-ups.ts";
import { DeepInput } from "../queries/deep-input.ts";
import { ImagePixels } from "../queries/image-pixels.ts";
import { LatentVector } from "../queries/latent-vector.ts";
import { LayerInput } from "../queries/layer-input.ts";
import { LayerRanges } from "../queries/layer-ranges.ts";
import { OutputMaps } from "../queries/output-maps.ts";
import { PixelValues } from "../queries/pixel-values.ts";
import { SeparableParts } from "../queries/separable-parts.ts";
import { VisibleFilters } from "../queries/visible-filters.ts";
import type { FilterState } from "./filter.ts";
import { FilterList, type FilterListEvents } from "./filter-list.ts";
import { withWhole } from "./image.ts";
import { Interpretation } from "./interpretation.ts";
import { MissingRecords } from "./missing-records.ts";
import { Problems } from "./problems.ts";
import { Scene } from "./scene.ts";
import { SHARED_NAMES, SharedTraits } from "./shared-traits.ts";
import { rebase, touched } from "./unanswered.ts";
import { UserModel } from "./user-model.ts";

/** The table that a host may save is updated when nothing has changed for this long. */
const KEEP_MS = 300;
/** The pixels of a large image wait until the first screen is drawn. */
const FOLLOW_MS = 300;
/** A message overtakes its traits by no more than this. */
const OVERTAKEN_MS = 1000;

export class Sync implements ChannelEvents, FilterListEvents {
  readonly status: Signal<Status>;
  readonly presets: Signal<readonly PresetRecord[]>;
  readonly cmapTables: Signal<ReadonlyMap<string, Uint8Array>>;
  /** The chosen colour map once its table is here; until then the previous one. */
  readonly cmap: ReadonlySignal<string>;
  readonly traits: SharedTraits;
  readonly filters: FilterList;
  readonly scene: Scene;
  readonly channel: Channel;
  readonly scheduler: PreviewScheduler<FilterState>;
  readonly problems: Problems;
  readonly queries: Queries;
  readonly pixelValues: PixelValues;
  readonly visibleFilters: VisibleFilters<FilterState>;
  readonly userModel: UserModel;
  readonly deepInput: DeepInput<FilterState>;
  readonly notebookPicture: NotebookPicture;
  readonly layerInput: LayerInput;
  readonly ranges: LayerRanges;
  readonly vector: LatentVector;
  readonly separableParts: SeparableParts;
  readonly imagePixels: ImagePixels;
  readonly closeUps: CloseUps;
  readonly interpretation: Interpretation;
  readonly outputMaps: OutputMaps;
  /** Present while Python is not connected. */
  offline: Offline | null = null;
  /** The answers that a page brought for when nobody can be asked. */
  readonly saved: SavedAnswersRecord | null;
  readonly #answers: SavedAnswers | null;

  #cancelKeeping: () => void = () => {};
  #cancelAwaiting: () => void = () => {};
  readonly #stop: () => void;

  constructor(
    private readonly model: AnyModel<Traits>,
    private readonly schedule: Schedule,
  ) {
    this.status = signal(model.get("_status"));
    this.presets = signal(model.get("_presets"));
    this.cmapTables = signal(readTables(model.get("_cmaps")));
    this.problems = new Problems(model.get("_problem"));
    this.notebookPicture = new NotebookPicture(model.widget_manager);

    this.channel = new Channel(model, schedule, this);
    this.traits = new SharedTraits(model, this.channel);
    let shown = model.get("cmap");
    this.cmap = computed(() => {
      const chosen = this.traits.signal("cmap").value;
      if (this.cmapTables.value.has(chosen)) shown = chosen;
      return shown;
    });
    const stage = this.traits.signal("stage");
    const isComparing = signal(false);
    this.filters = new FilterList(model.get("_state"), model.get("names"), isComparing, this.channel, this);
    this.saved = nullable(savedAnswers)(model.get("_saved"), "_saved");
    this.scene = new Scene(model.get("_image"), this.filters, stage, isComparing, this.saved?.input);
    this.scheduler = new PreviewScheduler(this.scene, schedule, (filter, what) =>
      this.#distrust(filter, what),
    );

    this.queries = new Queries(this.channel, this.saved?.excited);
    this.pixelValues = new PixelValues(this.channel);
    const missing = new MissingRecords(this.channel, this.filters, stage, this.status);
    this.visibleFilters = new VisibleFilters<FilterState>(schedule, missing);
    this.deepInput = new DeepInput(this.filters, this.queries, this.scheduler);
    this.imagePixels = new ImagePixels(this.queries);
    this.closeUps = new CloseUps(this.channel, this.queries, schedule);
    this.vector = new LatentVector(this.channel, this.scene.picture);
    this.layerInput = new LayerInput(this.filters.state, this.queries);
    this.separableParts = new SeparableParts(this.channel, this.queries, {
      edited: (uids) => {
        for (const filter of this.#chosen(uids)) filter.drawOld(this.filters.geometry);
      },
      refused: (why) => {
        this.problems.report("The kernels stay as they were", why);
        this.scheduler.redraw(this.scene.filters);
      },
    });
    const idle = () => this.status.peek().keras === "ready" && this.channel.link.peek() === "idle";
    this.ranges = new LayerRanges(
      {
        filters: this.filters.list,
        state: this.filters.state,
        history: this.filters.history,
        stage,
        valueRange: this.traits.signal("value_range"),
        idle,
      },
      this.queries,
      schedule,
    );
    this.userModel = new UserModel(model, schedule, this.queries, {
      idle,
      retrained: () => this.#forgetInput(),
    });
    this.outputMaps = new OutputMaps(this.queries, this.saved?.outputs);
    this.interpretation = new Interpretation(model, schedule, this.queries, {
      weights: (uid) => this.filters.get(uid)?.now ?? null,
      report: (text) => this.problems.report("This was not done", text),
    });
    this.filters.load(model.get("_filters"));
    this.#answers = this.saved && new SavedAnswers(this.saved, this.#weights());
    this.#listen();
    this.#stop = effect(() => {
      void this.scene.isComparing.value;
      void stage.value;
      untracked(() => {
        this.scheduler.redraw(this.scene.filters);
        this.visibleFilters.look();
      });
    });
  }

  /** Tell Python which maps are here; it sends what is newer. `again`: traits may have been missed, too. */
  greet(again = false): void {
    const stage = this.traits.signal("stage").peek();
    // Python marks what lies outside a fixed range: a map does not show the range for which it was made.
    const doubtful = again && Array.isArray(this.traits.signal("value_range").peek());
    const revs = this.scene.filters.flatMap((filter): [Uid, number][] => {
      if (!filter.known) return [];
      const here = filter.keras(filter.confirmed)?.stage === stage && !doubtful;
      return [[filter.uid, here ? filter.rev : -1]];
    });
    const { generation, image_version } = this.filters.state.peek();
    const image = Math.min(image_version, this.scene.picture.peek().record.version);
    const picture = this.notebookPicture.way;
    this.channel.push({ type: "hello", generation, revs, image, again, picture });
  }

  prepare(uid: Uid, planes: readonly number[]): void {
    const filter = this.filters.get(uid);
    if (!filter || this.offline) return;
    if (kindOf(this.filters.geometry).editedByParts) this.separableParts.prepare(uid);
    else this.deepInput.prepare(filter, planes);
  }

  /** Filters were edited here: what previews of the next edits of the same planes need is requested after them. */
  prepareNext(filters: readonly FilterState[]): void {
    if (this.filters.state.peek().image_is_input) return;
    const { kernel_channels } = this.filters.geometry;
    for (const { uid, now, confirmed } of filters) {
      const taps = changedTaps(confirmed.kernel, now.kernel);
      this.prepare(uid, [...new Set(taps.map((tap) => tap % kernel_channels))]);
    }
  }

  /** What a large map is drawn from in this view of it, once that is here. */
  closeUp(uid: Uid, grid: Grid): CloseUp | null {
    const filter = this.filters.get(uid);
    const map = filter?.map.peek();
    filter?.seenOn(grid);
    // Only Keras's results for the present weights are requested.
    if (map?.provenance !== "keras" || !map.keras || filter?.keras() !== map.keras || this.offline)
      return null;
    const about = [
      this.traits.signal("value_range").peek(),
      map.keras.stage,
      this.filters.state.peek().generation,
    ];
    return this.closeUps.find(filter, about, map.keras, grid, map);
  }

  /** Fetch what a large image lacks here, after the first screen. */
  #followImage(): void {
    const { geometry, image_is_input } = this.filters.state.peek();
    const picture = this.scene.picture.peek();
    if (!image_is_input || !geometry.previewable || this.offline) return;
    void this.imagePixels.follow(picture, (whole) => {
      if (this.scene.picture.peek() !== picture) return;
      this.scene.picture.value = withWhole(picture, whole);
      this.changed(this.scene.filters);
    });
  }

  dispose(): void {
    this.closeUps.dispose();
    this.ranges.dispose();
    this.#cancelKeeping();
    this.#cancelAwaiting();
    this.#stop();
    this.userModel.dispose();
    this.visibleFilters.dispose();
    this.channel.host.dispose();
  }

  // -- what the filter list reports ----------------------------------------------------------------------------------

  /** Redraw these filters and keep their state for a host that saves. */
  changed(filters: Iterable<FilterState>): void {
    this.scheduler.redraw(filters);
    this.userModel?.changed(filters);
    if (this.offline) this.#showSaved();
    this.separableParts?.refresh(filters);
    this.visibleFilters.look();
    this.ranges?.look();
    this.#cancelKeeping();
    this.#cancelKeeping = this.schedule.after(KEEP_MS, () => this.#keep());
  }

  confirmed(filter: FilterState, map: MapRecord): void {
    this.scheduler.check(filter, map);
  }

  watched(filter: FilterState): void {
    this.visibleFilters.watch(filter);
  }

  unwatched(filter: FilterState): void {
    this.visibleFilters.unwatch(filter);
  }

  // -- what the channel reports --------------------------------------------------------------------------------------

  /** Ask Python to resend what may have been missed. */
  missed(): void {
    if (this.channel.offline) return;
    this.greet(true);
    this.userModel.unsettle();
  }

  unreadable(error: unknown): void {
    this.problems.report("A message from Python could not be read", String(error));
  }

  message(message: Message): void {
    this.separableParts.receive(message.filters);
    this.filters.receive(message);
    if (this.filters.early) this.#awaitTraits();
    if (message.type === "predictions") this.userModel.receive(message);
    if (message.type === "outputs") this.notebookPicture.keep(message.data);
  }

  answered(request: Request, answer: Answer & Message): void {
    if (request.type === "probe") {
      this.pixelValues.answer(answer, answer.generation, request.row, request.col);
    }
    if (request.type === "need") this.visibleFilters.answered();
    if (request.type === "vector") this.vector.refresh();
    if (request.type === "hello") this.schedule.after(FOLLOW_MS, () => this.#followImage());
    if (request.type === "set" && request.name !== "_problem") {
      this.traits.answered(request.name, request.value, answer.ok);
    }
    if (this.queries.answered(request, answer) || this.separableParts.answered(request, answer)) return;
    if (answer.ok) return;
    const filters = touched(request).flatMap((uid) => this.filters.get(uid) ?? []);
    for (const filter of filters) filter.rebase((told) => rebase(told, filter.uid, this.channel.unanswered));
    this.changed(filters);
    const { title, text } = answer.error ?? { title: "Refused", text: "Python gave no reason." };
    if (request.type === "probe" || request.type === "need" || request.type === "hello") {
      console.warn(`convlens: ${request.type} refused: ${text}`);
    } else this.problems.report(title, text);
  }

  lost(): void {
    this.queries.lost();
    this.visibleFilters.answered();
    this.separableParts.lost();
    this.vector.refresh();
    this.offline = new Offline(this.filters, () => this.changed(this.scene.filters), this.#answers);
    this.#showSaved();
  }

  /** What was saved of the model's output and of its training, and whether it is of the present weights. */
  #showSaved(): void {
    if (!this.#answers) return;
    const now = this.#weights();
    const { prediction } = this.#answers;
    this.userModel.showSaved(prediction, this.#answers.areSaved(now), this.#answers.shown(now));
  }

  #weights(): Weights[] {
    return this.filters.list.peek().map(({ now }) => now);
  }

  /** Send Python what was edited meanwhile; where the list itself changed, Python's version counts. */
  found(): void {
    this.offline = null;
    const state = this.model.get("_state");
    const same = String(state.order) === String(this.filters.state.peek().order);
    this.#readState();
    const edited = this.scene.filters.filter(({ now, confirmed }) => !sameWeights(now, confirmed));
    if (same && edited.length > 0) {
      const edits = edited.map(({ uid, now }) => ({
        uid,
        taps: { index: [...now.kernel.keys()], value: [...now.kernel] },
        bias: now.bias,
      }));
      this.channel.push({ type: "edit", edits, gesture: "offline" });
    }
    this.closeUps.retell();
    this.greet(true);
    this.visibleFilters.look();
    this.layerInput.retry();
    this.interpretation.excitations.retry();
  }

  /** A message came before the traits that it belongs to; if they do not follow, they are lost. */
  #awaitTraits(): void {
    this.#cancelAwaiting();
    this.#cancelAwaiting = this.schedule.after(OVERTAKEN_MS, () => {
      if (this.filters.early) this.missed();
    });
  }

  // -- what the host's model reports ---------------------------------------------------------------------------------

  #listen(): void {
    const { host } = this.channel;
    const on = (name: keyof Traits, callback: () => void) => host.on(`change:${name}`, callback);
    // Python sets these at once; whichever is announced first, all have arrived.
    for (const name of ["_state", "_image", "names"] as const) on(name, () => this.#readState());
    for (const name of SHARED_NAMES) on(name, () => this.traits.read(name));
    on("_cmaps", () => {
      this.cmapTables.value = readTables(this.model.get("_cmaps"));
    });
    on("_presets", () => {
      this.presets.value = this.model.get("_presets");
    });
    on("_status", () => {
      this.status.value = this.model.get("_status");
      this.visibleFilters.look();
      this.ranges.look();
      this.pixelValues.retry();
    });
    for (const name of ["_layers", "labels", "_training"] as const) on(name, () => this.userModel.read(name));
    on("_survey", () => this.interpretation.read());
    on("_problem", () => this.problems.tell(this.model.get("_problem")));
  }

  #readState(): void {
    const before = this.filters.state.peek();
    batch(() => {
      this.scene.readImage(this.model.get("_image"));
      this.filters.setState(this.model.get("_state"), this.model.get("names"));
    });
    const { generation, geometry, image_version } = this.filters.state.peek();
    // Another of the model's outputs may have been chosen.
    if (generation !== before.generation) this.userModel.unsettle();
    if (geometry.path === before.geometry.path && image_version === before.image_version) return;
    this.#forgetInput();
    this.separableParts.forget();
    this.#followImage();
  }

  /** The layer is fed something different now. */
  #forgetInput(): void {
    this.deepInput.forget();
    this.imagePixels.forget();
    this.closeUps.forget();
    this.layerInput.forget();
    this.interpretation.forget();
  }

  /** A host that saves the widget's state must find the newest filters in it. */
  #keep(): void {
    keepForSaving(this.model, () => ({
      generation: this.filters.state.peek().generation,
      filters: this.filters.records(),
    }));
  }

  /** These filters, or all. */
  #chosen(uids: readonly Uid[] | null): readonly FilterState[] {
    return uids ? uids.flatMap((uid) => this.filters.get(uid) ?? []) : this.scene.filters;
  }

  #distrust(filter: FilterState, what: string): void {
    const name = this.filters.names.peek()[this.scene.filters.indexOf(filter)] ?? "a filter";
    console.warn(`convlens: the preview of ${name} disagrees with Keras: ${what}`);
    this.problems.report(
      "Preview and Keras disagree",
      `The browser's preview of ${name} is not what Keras computed (${what}). Its preview is switched off; what is shown is Keras's.`,
    );
  }
}

function readTables(tables: Traits["_cmaps"]): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(tables).map(([name, table]) => [name, bytesOf(table)]));
}
