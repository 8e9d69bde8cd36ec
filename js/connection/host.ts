/**
 * Whether Python is there, as far as a host lets a widget know. Hosts have no common interface for it, so each sign is
 * read where it exists:
 *
 * - `send` throws, or the promise that it returns fails;
 * - ipywidgets' models announce that their comm was closed or replaced;
 * - a view of a model that has no live comm from the start (a saved page) has a class of its own;
 * - JupyterLab, Notebook and Voila give a widget's manager their connection (jupyter-kernel.ts).
 *
 * Elsewhere a Python that does not answer is assumed to be busy. jupyter-internals.ts has the names.
 */
import type { AnyModel } from "@anywidget/types";
import { pack } from "../protocol/bytes.ts";
import type { Traits } from "../protocol/records.ts";
import type { Numbered } from "../protocol/requests.ts";
import {
  CLOSED_EVENT,
  forgetClosed,
  GONE_EVENTS,
  isDrawnWithoutPython,
  layoutOf,
} from "./jupyter-internals.ts";
import { JupyterKernel } from "./jupyter-kernel.ts";

// What hosts pass to a callback differs; only a custom message's arguments are read.
type Callback = Parameters<AnyModel<Traits>["on"]>[1];

export interface HostEvents {
  /** Python is not connected (any more). */
  lost(): void;
  /** Messages pass again, after a time in which they did not. */
  back(): void;
}

export class Host {
  readonly python: JupyterKernel;
  readonly #handlers = new Map<string, Callback>();

  constructor(
    readonly model: AnyModel<Traits>,
    private readonly events: HostEvents,
  ) {
    for (const name of GONE_EVENTS) this.on(name, events.lost);
    this.on(CLOSED_EVENT, forgetClosed);
    // It may be closed after the lens, which has stopped to listen by then.
    layoutOf(model)?.on?.(CLOSED_EVENT, forgetClosed);
    this.python = new JupyterKernel(model, events);
  }

  /** Listen until `dispose`. */
  on(name: string, callback: Callback): void {
    this.#handlers.set(name, callback);
    this.model.on(name, callback);
  }

  /** Send a request; it throws where Python is not connected. */
  send(request: Numbered): void {
    const { content, buffers } = pack(request);
    const sent: unknown = this.model.send(content, undefined, buffers);
    if (sent instanceof Promise) sent.catch(this.events.lost);
  }

  /** A view is on the page: it may show that its model has no Python. */
  addView(element: Element): void {
    if (isDrawnWithoutPython(element)) this.events.lost();
  }

  dispose(): void {
    this.python.dispose();
    for (const [name, callback] of this.#handlers) this.model.off(name, callback);
    this.#handlers.clear();
  }
}
