/**
 * The kernel's connection as `@jupyterlab/services` has it, where a host hands it to a widget's manager. All of it is optional:
 * other hosts have nothing of the kind, and a part that is missing is a sign that is not given.
 */
import type { AnyModel } from "@anywidget/types";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Traits } from "./types.ts";

/** Why there is no kernel, where a host says so. */
export type Gone = "restarted" | "dead" | null;

export interface ConnectionEvents {
  lost(): void;
  back(): void;
}

interface Announcer {
  connect(slot: () => void): unknown;
  disconnect(slot: () => void): unknown;
}

/** https://jupyterlab.readthedocs.io/en/stable/api/interfaces/services.Kernel.IKernelConnection.html */
interface Kernel {
  status?: string;
  statusChanged?: Announcer;
  connectionStatus?: string;
  connectionStatusChanged?: Announcer;
  requestCommInfo?(content: { target_name: string }): Promise<{
    content: { status: string; comms?: Record<string, unknown> };
  }>;
}

const GONE: Record<string, Gone> = {
  restarting: "restarted",
  autorestarting: "restarted",
  terminating: "dead",
  dead: "dead",
};

export class Connection {
  /** Whether messages pass; true where nothing is known. */
  readonly up: ReadonlySignal<boolean>;
  readonly gone: ReadonlySignal<Gone>;
  /** The widget's id; what the kernel has no comm of, it has forgotten. */
  id: string | null = null;
  readonly #up: Signal<boolean> = signal(true);
  readonly #gone: Signal<Gone> = signal(null);
  readonly #kernel: Kernel | null;

  constructor(
    model: AnyModel<Traits>,
    private readonly events: ConnectionEvents,
  ) {
    this.up = this.#up;
    this.gone = this.#gone;
    this.#kernel = kernelOf(model);
    this.#kernel?.statusChanged?.connect(this.#onStatus);
    this.#kernel?.connectionStatusChanged?.connect(this.#onConnection);
  }

  /** Whether the kernel is known to run something: it answers nothing then. */
  get busy(): boolean {
    return this.#kernel?.status === "busy";
  }

  dispose(): void {
    this.#kernel?.statusChanged?.disconnect(this.#onStatus);
    this.#kernel?.connectionStatusChanged?.disconnect(this.#onConnection);
  }

  readonly #onStatus = (): void => {
    const gone = GONE[this.#kernel?.status ?? ""];
    if (gone) this.#lose(gone);
  };

  readonly #onConnection = (): void => {
    const up = this.#kernel?.connectionStatus === "connected";
    if (up === this.#up.peek()) return;
    this.#up.value = up;
    if (!up || this.#gone.peek()) return;
    this.events.back();
    void this.#recognise();
  };

  /** The kernel may have been restarted while nobody heard of it. */
  async #recognise(): Promise<void> {
    try {
      const reply = await this.#kernel?.requestCommInfo?.({ target_name: "jupyter.widget" });
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

function kernelOf(model: AnyModel<Traits>): Kernel | null {
  try {
    // What Python's side of a manager has is in no type of anywidget's.
    const manager = (model as { widget_manager?: { kernel?: Kernel | null } }).widget_manager;
    return manager?.kernel ?? null;
  } catch {
    return null;
  }
}
