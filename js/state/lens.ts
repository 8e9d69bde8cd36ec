/** `LensModel` over a host's model: what components read, and what a person does, shown at once and asked for. */
import type { AnyModel } from "@anywidget/types";
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { activationOf } from "../lens/activations.ts";
import { type Patch, readPatch } from "../lens/explain.ts";
import { correlateAt } from "../lens/preview.ts";
import { displayRange, type Range } from "../lens/ranges.ts";
import { Core } from "./core.ts";
import { Refused } from "./document.ts";
import { kernelLength } from "./filter-state.ts";
import type { LensModel } from "./lens.ts";
import type { DiagnosticsRecord, Edit, PictureRecord, Request } from "./messages.ts";
import { sameWeights } from "./prediction.ts";
import type { Value } from "./probes.ts";
import { rebase } from "./rebase.ts";
import { browserSchedule, type Schedule } from "./schedule.ts";
import type { Shared } from "./settings.ts";
import type { Traits, Uid, ValueRange } from "./types.ts";
import { packNumber } from "./wire.ts";

export class Lens implements LensModel {
  readonly #core: Core;
  /** Of every map that there is. */
  readonly #ranges: ReadonlySignal<Readonly<Range>[]>;
  #gesture: string | null = null;
  #gestures = 0;

  readonly geometry: LensModel["geometry"];
  readonly picture: LensModel["picture"];
  readonly imageIsInput: ReadonlySignal<boolean>;
  readonly filters: LensModel["filters"];
  readonly names: LensModel["names"];
  readonly selected: LensModel["selected"];
  readonly pixel: LensModel["pixel"];
  readonly cmap: LensModel["cmap"];
  readonly cmapTables: LensModel["cmapTables"];
  readonly valueRange: LensModel["valueRange"];
  readonly stage: LensModel["stage"];
  readonly presets: LensModel["presets"];
  readonly history: LensModel["history"];
  readonly status: LensModel["status"];
  readonly link: LensModel["link"];
  readonly gone: LensModel["gone"];
  readonly problem: LensModel["problem"];
  readonly comparing: LensModel["comparing"];
  readonly hover: LensModel["hover"] = signal(null);
  readonly hoverInput: LensModel["hoverInput"] = signal(null);
  readonly sliding: LensModel["sliding"] = signal(false);
  readonly network: LensModel["network"];
  readonly viewport: LensModel["viewport"] = signal({ x: 0.5, y: 0.5, zoom: 1 });

  constructor(model: AnyModel<Traits>, schedule: Schedule = browserSchedule) {
    const core = new Core(model, schedule);
    this.#core = core;
    const { roster, settings } = core;
    this.#ranges = computed(() =>
      roster.list.value.flatMap(({ range }) => (range.value ? [range.value] : [])),
    );
    this.geometry = computed(() => roster.state.value.geometry);
    this.imageIsInput = computed(() => roster.state.value.image_is_input);
    this.picture = core.picture;
    this.filters = roster.list;
    this.names = roster.names;
    this.selected = settings.signal("selected");
    this.pixel = settings.signal("pixel");
    this.cmap = core.cmap;
    this.cmapTables = core.cmapTables;
    this.valueRange = settings.signal("value_range");
    this.stage = settings.signal("stage");
    this.presets = core.presets;
    this.history = roster.history;
    this.status = core.status;
    this.link = core.uplink.link;
    this.gone = core.uplink.gone;
    this.problem = core.problems.shown;
    this.comparing = core.comparing;
    this.network = {
      layers: core.network.layers,
      path: settings.signal("layer_path"),
      labels: core.network.labels,
      training: core.network.training,
      predictions: core.network.predictions,
      open: (path) => this.#set("layer_path", path),
      scrub: (index) => this.#ask({ type: "scrub", index }),
      stats: () => core.inquiries.stats(),
      expect: (uids) => core.needs.expect(uids.flatMap((uid) => roster.get(uid) ?? [])),
      prepare: (uid, planes) => core.prepare(uid, planes),
      contribution: (uid) => core.deep.contributions.value.get(uid) ?? null,
      factors: (uid) => core.factors.view(uid),
      editFactor: (uid, edit) => core.factors.edit(uid, edit, this.#gesture ?? this.#newGesture()),
    };
    core.greet();
  }

  /** A view of this lens is on the page: it shows whether the host has a kernel. */
  addView(element: Element): void {
    this.#core.uplink.host.addView(element);
  }

  dispose(): void {
    this.#core.dispose();
  }

  // -- reading -------------------------------------------------------------------------------------------------------

  displayRange(uid: Uid): Range {
    const own = this.#core.roster.get(uid)?.range.value ?? [0, 0];
    return displayRange(this.valueRange.value, own, () => this.#ranges.value);
  }

  valueAt(uid: Uid, row: number, col: number): (Value & { exact: boolean }) | null {
    const { roster, probes, uplink, status } = this.#core;
    const { geometry, generation } = roster.state.value;
    const filter = roster.get(uid);
    // Read, so that the caller runs again when the weights or Keras's word on them change.
    const provenance = filter?.map.value.provenance;
    const [rows, cols] = geometry.output_shape;
    if (!filter?.known || provenance === undefined || row < 0 || col < 0 || row >= rows || col >= cols)
      return null;
    const { weights } = filter.shown(this.comparing.value, this.stage.value);
    const { keras } = status.value;
    if (keras === "ready" && uplink.link.value !== "offline" && sameWeights(weights, filter.confirmed)) {
      const value = probes.read(uid, filter.rev, generation, row, col);
      if (value) return { ...value, exact: true };
    }
    const activation = geometry.previewable && activationOf(geometry.activation, geometry.activation_params);
    if (!activation || !filter.trusted) return null;
    const planes = this.#core.inputPlanes();
    let pre: number;
    if (planes) {
      const channels = Array.from({ length: geometry.kernel_channels }, (_, i) =>
        planes.plane(filter.firstChannel + i),
      );
      pre = Math.fround(correlateAt(geometry, channels, weights.kernel, weights.bias, row, col));
    } else if (filter.prediction?.isAt(weights)) pre = filter.prediction.pre[row * cols + col] as number;
    else return null;
    return { activation: activation.one(pre), pre_activation: pre, exact: false };
  }

  patchAt(uid: Uid, row: number, col: number): Patch | Error | null {
    const { roster, patches } = this.#core;
    const { geometry } = roster.state.value;
    const filter = roster.get(uid);
    const planes = this.picture.value && this.#core.inputPlanes();
    if (!filter?.known) return null;
    if (!planes) return patches.patch(filter, row, col);
    const read = (_: unknown, i: number) => planes.plane(filter.firstChannel + i);
    return readPatch(geometry, Array.from({ length: geometry.kernel_channels }, read), row, col);
  }

  inputPlane(channel: number): PictureRecord | Error | null {
    return this.#core.patches.plane(channel);
  }

  async diagnose(uid: Uid, channel: number): Promise<DiagnosticsRecord> {
    const { diagnostics } = await this.#core.inquiries.ask({ type: "diagnose", uid, channel });
    if (!diagnostics) throw new Error("Python's answer holds no diagnostics.");
    return diagnostics;
  }

  async code(framework: "keras" | "numpy"): Promise<string> {
    const { code } = await this.#core.inquiries.ask({ type: "code", framework });
    if (code === undefined) throw new Error("Python's answer holds no code.");
    return code;
  }

  // -- weights -------------------------------------------------------------------------------------------------------

  beginGesture(): void {
    this.#gesture = this.#newGesture();
  }

  endGesture(): void {
    this.#gesture = null;
    this.#core.uplink.flush();
  }

  edit(edits: readonly Edit[]): void {
    const known = edits.filter((edit) => this.#checked(edit));
    if (known.length === 0) return;
    this.#change({ type: "edit", edits: known, gesture: this.#gesture ?? this.#newGesture() });
  }

  replace(uids: readonly Uid[], shape: [number, number, number], kernels: readonly Float32Array[]): void {
    const size = shape[0] * shape[1] * shape[2];
    const wrong = kernels.find(({ length }) => length !== size);
    if (wrong || kernels.length !== uids.length) {
      this.report(
        "Kernels not replaced",
        `Expected ${uids.length} kernels of ${size} values each (${shape.join("×")}).`,
      );
      return;
    }
    const all = new Float32Array(size * uids.length);
    kernels.forEach((kernel, i) => void all.set(kernel, i * size));
    const gesture = this.#gesture ?? this.#newGesture();
    const request: Request = {
      type: "replace",
      uids: [...uids],
      shape,
      kernels: new Uint8Array(all.buffer),
      gesture,
    };
    // Another size is another layer: the kernel decides, or the browser where there is none.
    if (size === kernelLength(this.#core.roster.geometry) && this.#sameSize(shape)) this.#change(request);
    else this.#ask(request);
  }

  add(kernel: Float32Array, name: string | null, at: number, bias = 0): void {
    const bytes = new Uint8Array(kernel.slice().buffer);
    this.#ask({ type: "add", kernel: bytes, bias: packNumber(bias), name, at });
  }

  remove(uid: Uid): void {
    this.#ask({ type: "remove", uid });
  }

  move(uid: Uid, to: number): void {
    this.#ask({ type: "move", uid, to });
  }

  rename(uid: Uid, name: string): void {
    this.#ask({ type: "rename", uid, name });
  }

  undo(): void {
    this.#ask({ type: "undo" });
  }

  redo(): void {
    this.#ask({ type: "redo" });
  }

  reset(): void {
    this.#ask({ type: "reset" });
  }

  configure(settings: Record<string, unknown>): void {
    this.#ask({ type: "configure", settings });
  }

  setImage(shape: [number, number, number], data: Uint8Array): void {
    this.#ask({ type: "image", shape, data });
  }

  // -- what is shown -------------------------------------------------------------------------------------------------

  select(index: number): void {
    this.#set("selected", index);
  }

  pin(pixel: [number, number] | null): void {
    this.#set("pixel", pixel);
  }

  setCmap(name: string): void {
    if (this.#core.offline && !this.cmapTables.value.has(name)) {
      this.report(
        "Colour map not available",
        `The table of ${name} is made by Matplotlib, and Python is not connected.`,
      );
    } else this.#set("cmap", name);
  }

  setValueRange(range: ValueRange): void {
    this.#set("value_range", range);
  }

  setStage(stage: Traits["stage"]): void {
    this.#set("stage", stage);
  }

  dismissProblem(): void {
    if (this.#core.problems.dismiss()) this.#core.uplink.push({ type: "set", name: "_problem", value: null });
  }

  report(title: string, text: string): void {
    this.#core.problems.report(title, text);
  }

  // -- how -----------------------------------------------------------------------------------------------------------

  #newGesture(): string {
    this.#gestures++;
    return `${this.#gestures}`;
  }

  #set<K extends Shared>(name: K, value: Traits[K]): void {
    batch(() => this.#core.uplink.push(this.#core.settings.choose(name, value)));
  }

  /** A change of weights that keeps their shapes: shown now, asked for behind it. */
  #change(request: Extract<Request, { type: "edit" | "replace" }>): void {
    const { roster, offline, uplink } = this.#core;
    const uids = request.type === "edit" ? request.edits.map(({ uid }) => uid) : request.uids;
    const filters = uids.flatMap((uid) => roster.get(uid) ?? []);
    offline?.beforeEdit(request.gesture);
    for (const filter of roster.list.peek()) if (filter.gesture !== request.gesture) filter.forgetBefore();
    for (const filter of filters) {
      filter.remember(request.gesture);
      filter.now = rebase(filter.now, filter.uid, [request]);
    }
    try {
      // First, so that the kernel's work on the same processors does not hold the preview back, which is painted here.
      this.#core.changed(filters);
    } finally {
      // Whatever becomes of the picture, the edit is made.
      uplink.push(request);
    }
    this.#core.followDeep(filters);
  }

  /** Ask the kernel, or do it here where there is none. */
  #ask(request: Request): void {
    const { offline, uplink } = this.#core;
    if (!offline) {
      uplink.push(request);
      return;
    }
    try {
      if (!offline.carryOut(request)) this.report("Python is not connected", "This takes a running kernel.");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.report("Not possible", error.message);
    }
  }

  /** Whether an edit is of a filter that is here, and within its kernel. */
  #checked({ uid, taps }: Edit): boolean {
    const filter = this.#core.roster.get(uid);
    if (!filter?.known) return false;
    const fits = (tap: number) => Number.isInteger(tap) && tap >= 0 && tap < filter.now.kernel.length;
    return !taps || (taps.index.length === taps.value.length && taps.index.every(fits));
  }

  #sameSize([rows, cols]: readonly number[]): boolean {
    const { kernel_size } = this.#core.roster.geometry;
    return rows === kernel_size[0] && cols === kernel_size[1];
  }
}
