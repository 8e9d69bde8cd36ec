/** The model's output where it is a picture: one channel before and after the edits and their difference, and values at single pixels. */
import { type Signal, signal } from "@preact/signals";
import type { Grid } from "../paint/grid.ts";
import { floatsOf } from "../protocol/bytes.ts";
import type { OutputMapsRecord } from "../protocol/messages.ts";
import type { Request } from "../protocol/requests.ts";
import type { Asker } from "./ask.ts";
import { AskedCache } from "./asked-cache.ts";

/** What is drawn of the output: of which prediction, which channel, and which part of it at which size; null for all. */
export interface OutputPart {
  /** Counts predictions; `SAVED` is the one that came with a page. */
  version: number;
  channel: number;
  grid: Grid | null;
}

export interface ShownOutput extends OutputPart {
  maps: OutputMapsRecord;
}

type Pixel = Extract<Request, { type: "output_values" }>;

export const SAVED = -1;
/** Pixels whose values are kept. */
const VALUES = 4096;

export class OutputMaps {
  /** What came last: it stays until the next is here. */
  readonly shown: Signal<ShownOutput | null> = signal(null);
  readonly #values = new AskedCache<string, readonly [before: number, after: number]>(VALUES);
  /** What was requested last, and what is to be requested next: the newest of those that pile up meanwhile. */
  #asked = "";
  #part: OutputPart | null = null;
  #pixel: { key: string; question: Pixel } | null = null;
  #awaited = { maps: false, values: false };

  /** `saved` are the channels that a page brought. */
  constructor(
    private readonly queries: Asker,
    private readonly saved: readonly OutputMapsRecord[] = [],
  ) {}

  /** Request a part of the output, where it is not here. */
  want(part: OutputPart): void {
    const key = JSON.stringify(part);
    if (key === this.#asked) return;
    this.#asked = key;
    if (part.version === SAVED) {
      const maps = this.saved.find(({ channel }) => channel === part.channel);
      this.shown.value = maps ? { ...part, grid: null, maps } : null;
      return;
    }
    this.#part = part;
    if (!this.#awaited.maps) void this.#askForMaps();
  }

  /** Keras's own values at a pixel; null until they are here, and where a page was saved without them. */
  valuesAt(
    { version, channel }: Omit<OutputPart, "grid">,
    row: number,
    col: number,
  ): readonly [before: number, after: number] | null {
    if (version === SAVED) return this.#savedAt(channel, row, col);
    const key = [version, channel, row, col].join();
    const known = this.#values.read(key);
    if (!known && !this.#values.isOnTheWay(key)) {
      this.#pixel = { key, question: { type: "output_values", channel, row, col } };
      if (!this.#awaited.values) queueMicrotask(() => void this.#askForValues());
    }
    return known ?? null;
  }

  #savedAt(channel: number, row: number, col: number): [number, number] | null {
    const saved = this.saved.find((one) => one.channel === channel);
    if (!saved?.values) return null;
    const values = floatsOf(saved.values);
    const at = row * saved.size[1] + col;
    return [values[at] as number, values[at + values.length / 2] as number];
  }

  async #askForMaps(): Promise<void> {
    this.#awaited.maps = true;
    for (let part = this.#part; part; part = this.#part) {
      this.#part = null;
      const { channel, grid } = part;
      try {
        const { output_maps: maps } = await this.queries.ask({
          type: "output_maps",
          channel,
          window: grid?.part,
          shape: grid?.shape,
        });
        if (maps) this.shown.value = { ...part, maps };
      } catch {
        // What is drawn stays; the next prediction is requested again.
      }
    }
    this.#awaited.maps = false;
  }

  async #askForValues(): Promise<void> {
    if (this.#awaited.values) return;
    this.#awaited.values = true;
    for (let next = this.#pixel; next; next = this.#pixel) {
      this.#pixel = null;
      const slot = this.#values.ask(next.key);
      try {
        const { output_values: values } = await this.queries.ask(next.question);
        if (values) slot?.keep(values);
      } catch {
        // Nothing is read out.
      }
    }
    this.#awaited.values = false;
  }
}
