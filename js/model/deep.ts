/** What the linear update takes for a filter inside a model: asked for when the filter is opened or edited, and kept here. */
import { type Signal, signal } from "@preact/signals";
import type { FilterState } from "./filter-state.ts";
import type { Answer, Request } from "./messages.ts";
import type { Roster } from "./roster.ts";
import type { Uid } from "./types.ts";
import { floatsOf } from "./wire.ts";

/** Input planes that are kept, in bytes; those that were edited longest ago go first. */
const MEMORY = 64 * 2 ** 20;
/** An edit of more planes at once waits for Keras: to send them all would take longer. */
export const MOST_PLANES = 8;

export class Deep {
  /** By channel of the layer's input, the least recently wanted first. */
  readonly #planes = new Map<number, Float32Array>();
  /** Bounds on what each kernel plane adds to the map, by filter; a new map after each change. */
  readonly contributions: Signal<ReadonlyMap<Uid, Float32Array>> = signal(new Map());
  /** Channels that are on their way, by filter. */
  readonly #asked = new Map<Uid, Set<number>>();
  /** Grows when what is kept belongs to another input. */
  #age = 0;

  constructor(
    private readonly roster: Roster,
    private readonly inquire: (request: Extract<Request, { type: "deep" }>) => Promise<Answer>,
    private readonly onReady: (filter: FilterState) => void,
  ) {}

  /** The layer's input is another one: nothing that is kept belongs to it. */
  forget(): void {
    this.#age++;
    this.#planes.clear();
    this.#asked.clear();
    this.contributions.value = new Map();
    for (const filter of this.roster.list.peek()) {
      if (filter.base) filter.prediction = filter.spare = filter.base = null;
    }
  }

  /** See to it that edits of these planes of the kernel can be predicted. */
  prepare(filter: FilterState, planes: readonly number[]): void {
    const { image_is_input, geometry } = this.roster.state.peek();
    if (image_is_input || !geometry.previewable || !filter.trusted || !filter.known) return;
    if (planes.length > MOST_PLANES) return;
    const { uid, firstChannel } = filter;
    const asked = this.#asked.get(uid);
    const channels = planes
      .map((k) => firstChannel + k)
      .filter((channel) => !this.#planes.has(channel) && !asked?.has(channel));
    if (channels.length === 0 && (filter.base || asked)) return;
    this.#asked.set(uid, new Set([...(asked ?? []), ...channels]));
    void this.#ask(filter, channels, this.#age);
  }

  async #ask(filter: FilterState, channels: number[], age: number): Promise<void> {
    const { uid } = filter;
    try {
      const { deep } = await this.inquire({ type: "deep", uid, channels });
      if (!deep || age !== this.#age) return;
      for (const { channel, data } of deep.planes) this.#keep(channel, floatsOf(data));
      // The order of the planes stays while they are being edited.
      const { value: known } = this.contributions;
      if (!known.has(uid)) this.contributions.value = new Map(known).set(uid, floatsOf(deep.contribution));
      const pre = floatsOf(deep.pre_activation);
      const [rows, cols] = this.roster.geometry.output_shape;
      // Weights that changed meanwhile in Python: the next edit asks again.
      if (!filter.base && deep.rev === filter.rev && pre.length === rows * cols) {
        const plane = (k: number) => this.#plane(filter.firstChannel + k);
        filter.base = { pre, weights: filter.confirmed, plane };
      }
      this.onReady(filter);
    } catch (error) {
      console.warn(`convlens: no preview for an edit: ${error instanceof Error ? error.message : error}`);
    } finally {
      if (age === this.#age) this.#asked.delete(uid);
    }
  }

  #plane(channel: number): Float32Array | undefined {
    return this.#planes.get(channel);
  }

  #keep(channel: number, plane: Float32Array): void {
    this.#planes.delete(channel);
    this.#planes.set(channel, plane);
    for (const [oldest] of this.#planes) {
      if (this.#planes.size * plane.byteLength <= MEMORY) return;
      this.#planes.delete(oldest);
    }
  }
}
