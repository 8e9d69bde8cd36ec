/**
 * What a host lets a widget know about its kernel. There is no common word for it, so each sign is taken where it is there:
 *
 * - `send` throws, or the promise that it returns fails;
 * - ipywidgets' models announce `comm:close` and `comm_live_update`, and mark a view whose model has no live comm
 *   with the class `jupyter-widgets-disconnected` (a restarted kernel, a saved page).
 *
 * A kernel that only does not answer is busy for all that can be known.
 */
import type { AnyModel } from "@anywidget/types";
import type { Traits } from "./types.ts";
import { type Numbered, pack } from "./wire.ts";

// What hosts pass to a callback differs; only a custom message's arguments are read.
type Callback = Parameters<AnyModel<Traits>["on"]>[1];

const DEAD_VIEW = ".jupyter-widgets-disconnected";

export class Host {
  readonly #views = new Set<Element>();
  readonly #handlers = new Map<string, Callback>();

  constructor(
    readonly model: AnyModel<Traits>,
    private readonly onLost: () => void,
  ) {
    this.on("comm:close", onLost);
    // The view, which is told by the same event, marks itself after this handler.
    this.on("comm_live_update", () => setTimeout(() => this.#look()));
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
    if (sent instanceof Promise) sent.catch(this.onLost);
  }

  /** A view is on the page; the result takes it back. */
  addView(element: Element): () => void {
    this.#views.add(element);
    this.#look();
    return () => void this.#views.delete(element);
  }

  dispose(): void {
    for (const [name, callback] of this.#handlers) this.model.off(name, callback);
    this.#handlers.clear();
    this.#views.clear();
  }

  #look(): void {
    for (const view of this.#views) {
      if (view.closest(DEAD_VIEW)) {
        this.onLost();
        return;
      }
    }
  }
}
