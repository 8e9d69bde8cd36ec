/** The small traits that both sides set: shown at once here, decided by the kernel. */
import type { AnyModel } from "@anywidget/types";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Request, Traits } from "./types.ts";

export const SHARED = ["cmap", "value_range", "stage", "selected", "pixel", "layer_path"] as const;
export type Shared = (typeof SHARED)[number];
type SetRequest = Extract<Request, { type: "set" }>;

export class Settings {
  readonly #signals: { [K in Shared]: Signal<Traits[K]> };
  /** What the kernel last said: where a refused value goes back to. */
  readonly #confirmed: Pick<Traits, Shared>;

  constructor(
    private readonly model: AnyModel<Traits>,
    /** Requests that the kernel has not answered. */
    private readonly unanswered: () => readonly Request[],
  ) {
    const get = <K extends Shared>(name: K) => model.get(name);
    this.#confirmed = {
      cmap: get("cmap"),
      value_range: get("value_range"),
      stage: get("stage"),
      selected: get("selected"),
      pixel: get("pixel"),
      layer_path: get("layer_path"),
    };
    this.#signals = {
      cmap: signal(this.#confirmed.cmap),
      value_range: signal(this.#confirmed.value_range),
      stage: signal(this.#confirmed.stage),
      selected: signal(this.#confirmed.selected),
      pixel: signal(this.#confirmed.pixel),
      layer_path: signal(this.#confirmed.layer_path),
    };
  }

  signal<K extends Shared>(name: K): ReadonlySignal<Traits[K]> {
    return this.#signals[name];
  }

  /**
   * Show a value that a person chose. It is set on the host's model too, so that a jslink follows, but not saved: the kernel is
   * asked by a request.
   */
  choose<K extends Shared>(name: K, value: Traits[K]): SetRequest {
    (this.#signals[name] as Signal<Traits[K]>).value = value;
    this.model.set(name, value);
    return { type: "set", name, value };
  }

  /** The host's model has another value: the kernel's, unless a choice made here is still unanswered. */
  read(name: Shared): void {
    const value = this.model.get(name);
    if (JSON.stringify(value) === JSON.stringify(this.#signals[name].peek())) return;
    Object.assign(this.#confirmed, { [name]: value });
    const waits = this.unanswered().some((request) => request.type === "set" && request.name === name);
    if (!waits) this.#signals[name].value = value;
  }

  /** The kernel agreed; it may have chosen another value than the one asked for, which `read` then finds. */
  accept(name: Shared, value: unknown): void {
    Object.assign(this.#confirmed, { [name]: value });
  }

  /** The kernel refused: back to what it said before. */
  refuse(name: Shared): void {
    const value = this.#confirmed[name];
    this.#signals[name].value = value;
    this.model.set(name, value);
  }
}
