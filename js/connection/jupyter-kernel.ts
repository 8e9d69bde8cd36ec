/**
 * Whether messages reach Python, as the connection of `@jupyterlab/services` reports it where a host passes that to a
 * widget's manager. All of it is optional: other hosts have nothing of the kind, and a part that is missing reports
 * nothing.
 */
import type { AnyModel } from "@anywidget/types";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Traits } from "../protocol/records.ts";
import { type KernelConnection, kernelConnectionOf } from "./jupyter-internals.ts";

/** Why Python is gone, where a host says so. */
export type Gone = "restarted" | "dead" | null;

export interface JupyterKernelEvents {
  lost(): void;
  back(): void;
}

const GONE: Record<string, Gone> = {
  restarting: "restarted",
  autorestarting: "restarted",
  terminating: "dead",
  dead: "dead",
};

export class JupyterKernel {
  /** Whether messages pass; true where nothing is known. */
  readonly up: ReadonlySignal<boolean>;
  readonly gone: ReadonlySignal<Gone>;
  /** The widget's id; a Python that has no comm of this id was restarted. */
  id: string | null = null;
  readonly #up: Signal<boolean> = signal(true);
  readonly #gone: Signal<Gone> = signal(null);
  readonly #connection: KernelConnection | null;

  constructor(
    model: AnyModel<Traits>,
    private readonly events: JupyterKernelEvents,
  ) {
    this.up = this.#up;
    this.gone = this.#gone;
    this.#connection = kernelConnectionOf(model);
    this.#connection?.statusChanged?.connect(this.#onStatus);
    this.#connection?.connectionStatusChanged?.connect(this.#onConnection);
  }

  /** Whether Python is known to be running something: then it answers nothing. */
  get busy(): boolean {
    return this.#connection?.status === "busy";
  }

  dispose(): void {
    this.#connection?.statusChanged?.disconnect(this.#onStatus);
    this.#connection?.connectionStatusChanged?.disconnect(this.#onConnection);
  }

  readonly #onStatus = (): void => {
    const gone = GONE[this.#connection?.status ?? ""];
    if (gone) this.#lose(gone);
  };

  readonly #onConnection = (): void => {
    const up = this.#connection?.connectionStatus === "connected";
    if (up === this.#up.peek()) return;
    this.#up.value = up;
    if (!up || this.#gone.peek()) return;
    this.events.back();
    void this.#recognise();
  };

  /** Python may have been restarted while the connection was broken. */
  async #recognise(): Promise<void> {
    try {
      const reply = await this.#connection?.requestCommInfo?.({ target_name: "jupyter.widget" });
      const { status, comms } = reply?.content ?? {};
      if (status === "ok" && comms && this.id !== null && !(this.id in comms)) this.#lose("restarted");
    } catch {
      // The connection was lost again; it will be asked when it is back.
    }
  }

  #lose(gone: Gone): void {
    this.#gone.value = gone;
    this.events.lost();
  }
}
