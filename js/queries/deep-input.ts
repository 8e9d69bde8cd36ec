/**
 * What the linear update needs for a filter inside a model: requested when the filter is opened or edited, and kept
 * here.
 */
import type { ReadonlySignal } from "@preact/signals";
import type { PreviewedFilter } from "../preview/previewed-filter.ts";
import { floatsOf } from "../protocol/bytes.ts";
import type { Geometry, LensState, Uid } from "../protocol/records.ts";
import { type Asker, messageOf } from "./ask.ts";
import { AskedCache, type Slot } from "./asked-cache.ts";

/** Input planes that are kept, in bytes. */
const MEMORY = 64 * 2 ** 20;
/** An edit of more planes at once waits for Keras: sending them all would take longer. */
export const MOST_PLANES = 8;
/** Filters whose contributions are kept. */
const MOST_FILTERS = 4096;

/** The layer and its filters, from which this reads what it needs. */
export interface PreviewedLayer<Filter extends PreviewedFilter> {
  readonly state: ReadonlySignal<LensState>;
  readonly geometry: Geometry;
  readonly list: ReadonlySignal<readonly Filter[]>;
}

export class DeepInput<Filter extends PreviewedFilter> {
  /** By channel of the layer's input. */
  readonly #planes = new AskedCache<number, Float32Array>(MEMORY, (plane) => plane.byteLength);
  /** Bounds on what each kernel plane adds to the map, by filter; requested together with its pre-activation. */
  readonly #contributions = new AskedCache<Uid, Float32Array>(MOST_FILTERS);

  constructor(
    private readonly layer: PreviewedLayer<Filter>,
    private readonly queries: Asker,
    private readonly scheduler: { redraw(filters: readonly Filter[]): void },
  ) {}

  /** What each plane of the kernel adds to the map at the most; null where it is not known. */
  contribution(uid: Uid): Float32Array | null {
    return this.#contributions.read(uid) ?? null;
  }

  /** The layer's input has changed: nothing that is kept belongs to it. */
  forget(): void {
    this.#planes.forget();
    this.#contributions.forget();
    for (const filter of this.layer.list.peek()) {
      if (filter.base) filter.preview = filter.spare = filter.base = null;
    }
  }

  /** Ask for what previews of edits of these planes need. */
  prepare(filter: Filter, planes: readonly number[]): void {
    const { image_is_input, geometry } = this.layer.state.peek();
    if (image_is_input || !geometry.previewable || !filter.trusted || !filter.known) return;
    if (planes.length > MOST_PLANES) return;
    const { uid, firstChannel } = filter;
    const channels = planes.map((k) => firstChannel + k);
    const slots = channels.flatMap((channel) => {
      const slot = this.#planes.ask(channel);
      return slot ? [[channel, slot] as const] : [];
    });
    if (slots.length === 0 && (filter.base || this.#contributions.isOnTheWay(uid))) return;
    void this.#ask(filter, new Map(slots), this.#contributions.askAgain(uid));
  }

  /** `own` is null where another question for this filter is on its way. */
  async #ask(
    filter: Filter,
    planes: ReadonlyMap<number, Slot<Float32Array>>,
    own: Slot<Float32Array> | null,
  ): Promise<void> {
    const { uid } = filter;
    const slots = [...planes.values(), ...(own ? [own] : [])];
    try {
      const { deep } = await this.queries.ask({ type: "deep", uid, channels: [...planes.keys()] });
      if (!deep || slots.some(({ forgotten }) => forgotten)) return;
      for (const { channel, data } of deep.planes) planes.get(channel)?.keep(floatsOf(data));
      // The order of the planes stays while they are being edited.
      if (!this.#contributions.peek(uid)) this.#contributions.keep(uid, floatsOf(deep.contribution));
      const pre = floatsOf(deep.pre_activation);
      const [rows, cols] = this.layer.geometry.output_shape;
      // The weights have changed in Python meanwhile: the next edit asks again.
      if (!filter.base && deep.rev === filter.rev && pre.length === rows * cols) {
        const plane = (k: number) => this.#planes.peek(filter.firstChannel + k);
        filter.base = { pre, weights: filter.confirmed, plane };
      }
      // Another filter may have waited for the same planes.
      this.scheduler.redraw(this.layer.list.peek().filter((one) => one === filter || one.base));
    } catch (error) {
      console.warn(`convlens: no preview for an edit: ${messageOf(error)}`);
    } finally {
      for (const slot of slots) slot.release();
    }
  }
}
