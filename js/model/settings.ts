/** The small traits that both sides set: shown at once here, decided by the kernel. */
import type { AnyModel } from "@anywidget/types";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Request } from "./messages.ts";
import type { Traits } from "./types.ts";

export const SHARED = ["cmap", "value_range", "stage", "selected", "pixel", "layer_path"] as const;
export type Shared = (typeof SHARED)[number];
type SetRequest = Extract<Request, { type: "set" }>;

export class Settings {
  readonly #signals: { [K in Shared]: Signal<Traits[K]> };
  /** What the kernel last said: where a refused value goes back to. */
  readonly #confirmed: Pick<Traits, Shared>;
  /** Settings that the kernel told something of since they were last chosen here. */
  readonly #heard = new Set<Shared>();
  /** The host's model is being set here, not by the kernel. */
  #showing = false;

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
    this.#heard.delete(name);
    this.#show(name, value);
    return { type: "set", name, value };
  }

  /** The host's model has another value: the kernel's. It is shown, unless a choice made here is still unanswered. */
  read(name: Shared): void {
    if (this.#showing) return;
    const value = this.model.get(name);
    Object.assign(this.#confirmed, { [name]: value });
    this.#heard.add(name);
    if (!this.#waits(name)) this.#signals[name].value = value;
  }

  /**
   * The kernel answered a choice. What it has now it has told, unless that is what was asked for: then the host's model had it
   * already, and announced nothing. A newer choice that waits stays on show.
   */
  answered(name: Shared, value: unknown, ok: boolean): void {
    if (ok && !this.#heard.has(name)) Object.assign(this.#confirmed, { [name]: value });
    if (!this.#waits(name)) this.#show(name, this.#confirmed[name]);
  }

  #waits(name: Shared): boolean {
    return this.unanswered().some((request) => request.type === "set" && request.name === name);
  }

  #show<K extends Shared>(name: K, value: Traits[K]): void {
    const shown = this.#signals[name] as Signal<Traits[K]>;
    if (JSON.stringify(shown.peek()) !== JSON.stringify(value)) shown.value = value;
    this.#showing = true;
    this.model.set(name, value);
    this.#showing = false;
  }
}
