/**
 * `LensView` over a host's model: what components read, and what a person does, shown at once and requested from
 * Python.
 */
import type { AnyModel } from "@anywidget/types";
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { activationOf } from "../maths/activations.ts";
import { type Patch, readPatch } from "../maths/explanation.ts";
import { correlateAt } from "../maths/linear-update.ts";
import { Refused } from "../offline/local-edits.ts";
import type { CloseUp } from "../paint/drawable.ts";
import type { Grid } from "../paint/grid.ts";
import { planeRecord } from "../paint/picture.ts";
import { displayRange, type Range, silence } from "../paint/ranges.ts";
import { browserSchedule, type Schedule } from "../preview/frames.ts";
import { sameWeights } from "../preview/full-preview.ts";
import { type Bytes, bytesOf, packNumber } from "../protocol/bytes.ts";
import type { DiagnosticsRecord, PictureRecord } from "../protocol/messages.ts";
import type { SharedName, SharedValues, Traits, Uid } from "../protocol/records.ts";
import type { Edit, Request } from "../protocol/requests.ts";
import type { PixelValue } from "../queries/pixel-values.ts";
import { kernelLength } from "./filter.ts";
import type { LensView } from "./lens-view.ts";
import { Sync } from "./sync.ts";
import { rebase } from "./unanswered.ts";

export class Lens implements LensView {
  readonly #sync: Sync;
  #gesture: string | null = null;
  #gestures = 0;

  readonly geometry: LensView["geometry"];
  readonly own: LensView["own"];
  readonly picture: LensView["picture"];
  readonly imageIsInput: ReadonlySignal<boolean>;
  readonly filters: LensView["filters"];
  readonly names: LensView["names"];
  readonly selected: LensView["selected"];
  readonly pixel: LensView["pixel"];
  readonly shared: LensView["shared"];
  readonly cmap: LensView["cmap"];
  readonly cmapTables: LensView["cmapTables"];
  readonly presets: LensView["presets"];
  readonly history: LensView["history"];
  readonly status: LensView["status"];
  readonly link: LensView["link"];
  readonly gone: LensView["gone"];
  readonly problem: LensView["problem"];
  readonly comparing: LensView["comparing"];
  readonly hover: LensView["hover"] = signal(null);
  readonly hoverInput: LensView["hoverInput"] = signal(null);
  readonly explained: LensView["explained"] = signal("pixel");
  readonly sliding: LensView["sliding"] = signal(false);
  readonly network: LensView["network"];
  readonly interpretation: LensView["interpretation"];
  readonly viewport: LensView["viewport"] = signal({ x: 0.5, y: 0.5, zoom: 1 });

  readonly closeUps: LensView["closeUps"];
  readonly saved: boolean;
  readonly leftOut: LensView["leftOut"];

  constructor(model: AnyModel<Traits>, schedule: Schedule = browserSchedule) {
    const sync = new Sync(model, schedule);
    this.#sync = sync;
    const { filters, traits, scene, userModel } = sync;
    this.geometry = computed(() => filters.state.value.geometry);
    this.own = computed(() => filters.state.value.own ?? null);
    this.imageIsInput = computed(() => {
      const { image_is_input, geometry } = filters.state.value;
      return image_is_input && geometry.explainable;
    });
    this.picture = scene.picture;
    this.filters = filters.list;
    this.names = filters.names;
    this.shared = traits.signals;
    this.selected = traits.signal("selected");
    this.pixel = traits.signal("pixel");
    this.cmap = sync.cmap;
    this.cmapTables = sync.cmapTables;
    this.presets = sync.presets;
    this.history = filters.history;
    this.status = sync.status;
    this.link = sync.channel.link;
    this.gone = sync.channel.gone;
    this.problem = sync.problems.shown;
    this.comparing = scene.isComparing;
    this.closeUps = sync.closeUps.arrived;
    this.network = {
      layers: userModel.layers,
      path: traits.signal("layer_path"),
      labels: userModel.labels,
      training: userModel.training,
      predictions: userModel.predictions,
      output: computed(() => filters.state.value.output ?? null),
      outputChannel: signal(0),
      outputMaps: sync.outputMaps,
      vector: sync.vector.values,
      setVector: (values) => {
        this.#ask({ type: "vector", data: new Uint8Array(values.buffer) });
        sync.vector.refresh();
      },
      open: (path) => this.set("layer_path", path),
      scrub: (index) => this.#ask({ type: "scrub", index }),
      stats: () => sync.queries.stats(this.pixel.peek()),
      losses: (start, count) => sync.queries.losses(start, count),
      expect: (uids) => sync.visibleFilters.expect(uids.flatMap((uid) => filters.get(uid) ?? [])),
      prepare: (uid, planes) => sync.prepare(uid, planes),
      contribution: (uid) => sync.deepInput.contribution(uid),
      factors: (uid) => sync.separableParts.views.value.get(uid) ?? null,
      editFactor: (uid, edit) => sync.separableParts.edit(uid, edit, this.#gesture ?? this.#newGesture()),
    };
    this.interpretation = sync.interpretation;
    this.saved = sync.saved !== null;
    this.leftOut = sync.saved ? `${sync.saved.held} ${sync.saved.left_out}`.trim() : "";
    sync.greet();
  }

  /** A view of this lens is on the page: it shows whether Python is connected. */
  addView(element: Element): void {
    this.#sync.channel.host.addView(element);
  }

  dispose(): void {
    this.#sync.dispose();
  }

  // -- reading -------------------------------------------------------------------------------------------------------

  displayRange(uid: Uid): Range {
    const own = this.#sync.filters.get(uid)?.range.value ?? [0, 0];
    return displayRange(this.shared.value_range.value, own, () => this.#sync.ranges.all.value.values());
  }

  silence(uid: Uid): number | null {
    const { all, widest } = this.#sync.ranges;
    const own = all.value.get(uid);
    return own && !this.#sync.filters.get(uid)?.dead.value ? silence(own, widest.value) : null;
  }

  valueAt(uid: Uid, row: number, col: number): (PixelValue & { exact: boolean }) | null {
    const { filters, pixelValues, channel, status } = this.#sync;
    const { geometry, generation } = filters.state.value;
    const filter = filters.get(uid);
    // Read, so that the caller runs again when the weights, or Keras's results for them, change.
    const provenance = filter?.map.value.provenance;
    const [rows, cols] = geometry.output_shape;
    if (!filter?.known || provenance === undefined || row < 0 || col < 0 || row >= rows || col >= cols)
      return null;
    const { weights } = filter.shown(this.comparing.value, this.shared.stage.value);
    const { keras } = status.value;
    if (keras === "ready" && channel.link.value !== "offline" && sameWeights(weights, filter.confirmed)) {
      const value = pixelValues.read(uid, filter.rev, generation, row, col);
      if (value) return { ...value, exact: true };
    }
    const activation = geometry.previewable && activationOf(geometry.activation, geometry.activation_params);
    if (!activation || !filter.trusted) return null;
    const planes = this.#sync.scene.planes;
    let pre: number;
    if (planes) {
      const channels = Array.from({ length: geometry.kernel_channels }, (_, i) =>
        planes.plane(filter.firstChannel + i),
      );
      pre = Math.fround(correlateAt(geometry, channels, weights.kernel, weights.bias, row, col));
    } else if (filter.preview?.isAt(weights)) pre = filter.preview.pre[row * cols + col] as number;
    else return null;
    return { activation: activation.one(pre), pre_activation: pre, exact: false };
  }

  patchAt(uid: Uid, row: number, col: number): Patch | Error | null {
    const { filters, layerInput } = this.#sync;
    const { geometry } = filters.state.value;
    const filter = filters.get(uid);
    const planes = this.picture.value && this.#sync.scene.planes;
    if (!geometry.explainable) return new Error(geometry.note);
    if (!filter?.known) return null;
    if (!planes) return layerInput.patch(filter, row, col);
    const read = (_: unknown, i: number) => planes.plane(filter.firstChannel + i);
    return readPatch(geometry, Array.from({ length: geometry.kernel_channels }, read), row, col);
  }

  imageAt(row: number, col: number): number[] | null {
    const picture = this.picture.value;
    return picture.at(row, col) ?? this.#sync.imagePixels.at(picture, row, col);
  }

  closeUp(uid: Uid, grid: Grid): CloseUp | null {
    return this.#sync.closeUp(uid, grid);
  }

  inputPlane(channel: number): PictureRecord | Error | null {
    const { layerInput, scene } = this.#sync;
    const saved = this.saved && scene.planes;
    const [rows, cols] = this.geometry.value.input_shape;
    return saved ? planeRecord(saved.plane(channel), [rows, cols]) : layerInput.plane(channel);
  }

  async diagnose(uid: Uid, channel: number): Promise<DiagnosticsRecord> {
    const { diagnostics } = await this.#sync.queries.ask({ type: "diagnose", uid, channel });
    if (!diagnostics) throw new Error("Python's answer holds no diagnostics.");
    return diagnostics;
  }

  async code(framework: "keras" | "numpy"): Promise<string> {
    const { code } = await this.#sync.queries.ask({ type: "code", framework });
    if (code === undefined) throw new Error("Python's answer holds no code.");
    return code;
  }

  async page(): Promise<Uint8Array> {
    const { page } = await this.#sync.queries.ask({ type: "page" });
    return bytesOf(page as Bytes);
  }

  // -- weights -------------------------------------------------------------------------------------------------------

  beginGesture(): void {
    this.#gesture = this.#newGesture();
  }

  endGesture(): void {
    this.#gesture = null;
    this.#sync.channel.flush();
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
    // Another size is another layer: Python decides, or the browser while Python is not connected.
    if (size === kernelLength(this.#sync.filters.geometry) && this.#sameSize(shape)) this.#change(request);
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
    this.#ask({ type: "rename", uid, name, gesture: this.#gesture });
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

  useMap(uid: Uid): void {
    this.#ask({ type: "use_map", uid });
  }

  leaveMap(steps: number): void {
    this.#ask({ type: "leave_map", steps });
  }

  setImage(shape: [number, number, number], data: Uint8Array): void {
    this.#ask({ type: "image", shape, data });
  }

  // -- what is shown -------------------------------------------------------------------------------------------------

  select(index: number): void {
    this.set("selected", index);
  }

  pin(pixel: [number, number] | null): void {
    this.set("pixel", pixel);
  }

  set<K extends SharedName>(name: K, value: SharedValues[K]): void {
    const isMap = name === "cmap" || name === "kernel_cmap";
    if (isMap && typeof value === "string" && !this.#hasTable(value)) return;
    batch(() => this.#sync.channel.push(this.#sync.traits.choose(name, value)));
  }

  dismissProblem(): void {
    if (this.#sync.problems.dismiss())
      this.#sync.channel.push({ type: "set", name: "_problem", value: null });
  }

  report(title: string, text: string): void {
    this.#sync.problems.report(title, text);
  }

  // -- how -----------------------------------------------------------------------------------------------------------

  /** Whether a colour map can be chosen; reports why not. */
  #hasTable(name: string): boolean {
    if (!this.#sync.offline || this.cmapTables.value.has(name)) return true;
    this.report(
      "Colour map not available",
      `The table of ${name} is made by Matplotlib, and Python is not connected.`,
    );
    return false;
  }

  #newGesture(): string {
    this.#gestures++;
    return `${this.#gestures}`;
  }

  /** A change of weights that keeps their shapes: shown now, then requested. */
  #change(request: Extract<Request, { type: "edit" | "replace" }>): void {
    const { offline, channel, filters: list } = this.#sync;
    const uids = request.type === "edit" ? request.edits.map(({ uid }) => uid) : request.uids;
    const filters = uids.flatMap((uid) => list.get(uid) ?? []);
    // Both are looked at without edits.
    this.sliding.value = this.comparing.value = false;
    offline?.beforeEdit(request.gesture);
    try {
      // First, so that Python's work on the same processors does not hold the preview back, which is painted here.
      batch(() => {
        for (const filter of list.list.peek()) if (filter.gesture !== request.gesture) filter.forgetBefore();
        for (const filter of filters) {
          filter.remember(request.gesture);
          filter.now = rebase(filter.now, filter.uid, [request]);
        }
        this.#sync.changed(filters);
      });
    } finally {
      // The edit is made even where drawing fails.
      channel.push(request);
    }
    this.#sync.prepareNext(filters);
  }

  /** Ask Python, or do it here while Python is not connected. */
  #ask(request: Request): void {
    const { offline, channel } = this.#sync;
    if (!offline) {
      channel.push(request);
      return;
    }
    try {
      if (!offline.carryOut(request)) this.report("Python is not connected", "This needs a running kernel.");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.report("Not possible", error.message);
    }
  }

  /** Whether an edit is for a filter that is here, and within its kernel. */
  #checked({ uid, taps }: Edit): boolean {
    const filter = this.#sync.filters.get(uid);
    if (!filter?.known) return false;
    const fits = (tap: number) => Number.isInteger(tap) && tap >= 0 && tap < filter.now.kernel.length;
    return !taps || (taps.index.length === taps.value.length && taps.index.every(fits));
  }

  #sameSize([rows, cols]: readonly number[]): boolean {
    const { kernel_size } = this.#sync.filters.geometry;
    return rows === kernel_size[0] && cols === kernel_size[1];
  }
}
