/** The range of every map of the layer: those that are not here are requested when changes rest, while something reads them. */
import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { MapView } from "../paint/drawable.ts";
import type { Range } from "../paint/ranges.ts";
import type { Schedule } from "../preview/frames.ts";
import { floatsOf } from "../protocol/bytes.ts";
import type { History, LensState, Stage, Uid, ValueRange } from "../protocol/records.ts";
import type { Asker } from "./ask.ts";

const REST_MS = 300;
/** Values of all maps above which only the maps that are here count: Python keeps all that it computes. */
const MOST_VALUES = 2 ** 24;

interface Ranged {
  readonly uid: Uid;
  readonly range: ReadonlySignal<Readonly<Range> | null>;
  readonly map: ReadonlySignal<MapView>;
}

export interface RangedLayer {
  readonly filters: ReadonlySignal<readonly Ranged[]>;
  readonly state: ReadonlySignal<LensState>;
  readonly history: ReadonlySignal<History>;
  readonly stage: ReadonlySignal<Stage>;
  readonly valueRange: ReadonlySignal<ValueRange>;
  /** Whether Keras is there and all requests are answered. */
  idle(): boolean;
}

export class LayerRanges {
  /** By uid; without those that are not known. */
  readonly all: ReadonlySignal<ReadonlyMap<Uid, Readonly<Range>>>;
  readonly widest: ReadonlySignal<number>;
  readonly #asked = signal<{ of: string; ranges: Float32Array } | null>(null);
  #reads = false;
  #cancel = () => {};
  readonly #stop: () => void;

  constructor(
    private readonly layer: RangedLayer,
    private readonly queries: Asker,
    private readonly schedule: Schedule,
  ) {
    const { filters, history, stage, valueRange } = layer;
    const read = () => {
      const asked = this.#asked.value;
      const found = asked?.of === this.#of() ? asked.ranges : [];
      return new Map(
        filters.value.flatMap((filter, i): [Uid, Readonly<Range>][] => {
          const [low = Number.NaN, high] = found.slice(2 * i, 2 * i + 2);
          const own = filter.range.value;
          if (high !== undefined && !this.#isHere(filter)) return [[filter.uid, [low, high]]];
          return own && typeof valueRange.value === "string" ? [[filter.uid, own]] : [];
        }),
      );
    };
    this.all = computed(read, {
      watched: () => {
        this.#reads = true;
        this.look();
      },
      unwatched: () => {
        this.#reads = false;
      },
    });
    this.widest = computed(() =>
      Math.max(0, ...[...this.all.value.values()].map(([low, high]) => high - low)),
    );
    // Every message brings another object.
    const steps = computed(() => `${history.value.undo}/${history.value.redo}`);
    this.#stop = effect(() => {
      void [stage.value, valueRange.value, steps.value];
      untracked(() => this.look());
    });
  }

  /** A map may have changed. */
  look(): void {
    this.#cancel();
    if (this.#reads) this.#cancel = this.schedule.after(REST_MS, () => void this.#ask());
  }

  dispose(): void {
    this.#cancel();
    this.#stop();
  }

  async #ask(): Promise<void> {
    const filters = this.layer.filters.peek();
    const [rows, cols] = this.layer.state.peek().geometry.output_shape;
    if (rows * cols * filters.length > MOST_VALUES || filters.every((one) => this.#isHere(one))) return;
    if (!this.layer.idle()) return this.look();
    const of = untracked(() => this.#of());
    // Where Python cannot answer, only the maps that are here count.
    const answer = await this.queries
      .ask({ type: "ranges", stage: this.layer.stage.peek() })
      .catch(() => null);
    if (answer?.ranges) this.#asked.value = { of, ranges: floatsOf(answer.ranges) };
  }

  /** Whether the range of a filter's own map is that of its weights; within a fixed range it ends where that does. */
  #isHere({ range, map }: Ranged): boolean {
    const { provenance } = map.peek();
    return (
      typeof this.layer.valueRange.peek() === "string" && range.peek() !== null && provenance !== "stale"
    );
  }

  #of(): string {
    return `${this.layer.state.value.generation}/${this.layer.stage.value}`;
  }
}
