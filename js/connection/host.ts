/**
 * What a host lets a widget know about its kernel. There is no common word for it, so each sign is taken where it is there:
 *
 * - `send` throws, or the promise that it returns fails;
 * - ipywidgets' models announce `comm:close`, and `comm_live_update` when the kernel was restarted;
 * - a view of a model that has no live comm from the start (a saved page) has the class `jupyter-widgets-disconnected`.
 *   Later on the class says nothing: anywidget takes the view's own listeners off the model;
 * - JupyterLab, Notebook and Voila let a widget's manager have the kernel's connection (`connection.ts`).
 *
 * A kernel that only does not answer is busy for all that can be known elsewhere.
 */
import type { AnyModel } from "@anywidget/types";
import { Connection } from "./connection.ts";
import type { Traits } from "./types.ts";
import { type Numbered, pack } from "./wire.ts";

// What hosts pass to a callback differs; only a custom message's arguments are read.
type Callback = Parameters<AnyModel<Traits>["on"]>[1];

const DEAD_VIEW = ".jupyter-widgets-disconnected";

export interface HostEvents {
  /** There is no kernel (any more). */
  lost(): void;
  /** Messages come and go again, after a time in which they did not. */
  back(): void;
}

export class Host {
  readonly connection: Connection;
  readonly #handlers = new Map<string, Callback>();

  constructor(
    readonly model: AnyModel<Traits>,
    private readonly events: HostEvents,
  ) {
    this.on("comm:close", events.lost);
    this.on("comm_live_update", events.lost);
    this.connection = new Connection(model, events);
  }

  /** Listen until `dispose`. */
  on(name: string, callback: Callback): void {
    this.#handlers.set(name, callback);
    this.model.on(name, callback);
  }

  /** Send a request; it throws where there is no kernel. */
  send(request: Numbered): void {
    const { content, buffers } = pack(request);
    const sent: unknown = this.model.send(content, undefined, buffers);
    if (sent instanceof Promise) sent.catch(this.events.lost);
  }

  /** A view is on the page: it may show that its model has no kernel. */
  addView(element: Element): void {
    if (element.closest(DEAD_VIEW)) this.events.lost();
  }

  dispose(): void {
    this.connection.dispose();
    for (const [name, callback] of this.#handlers) this.model.off(name, callback);
    this.#handlers.clear();
  }
}
