/** The entry: a host's model in, a view out, clean-up (https://anywidget.dev/en/afm). */
import type { AnyModel } from "@anywidget/types";
import { render as renderInto } from "preact";
import { App } from "./components/App.tsx";
import { Lens } from "./model/store.ts";
import type { LensState, Traits } from "./model/types.ts";

/** What a host hands over; `signal` comes from new ones only, and what it says the returned functions are told as well. */
interface Props {
  model: AnyModel<Traits>;
}

/**
 * Each call of a host wraps its model anew, so a lens is found by an object that all wrappers of one model share: the value
 * of `_state`.
 */
const lenses = new WeakMap<LensState, Lens>();

function open(model: AnyModel<Traits>): { lens: Lens; close: () => void } {
  const lens = new Lens(model);
  const enter = () => void lenses.set(model.get("_state"), lens);
  enter();
  model.on("change:_state", enter);
  const close = () => {
    model.off("change:_state", enter);
    lenses.delete(model.get("_state"));
    lens.dispose();
  };
  return { lens, close };
}

/** Once a model. Says hello to the kernel and does not wait for it: hosts give up on a slow start. */
function initialize({ model }: Props): () => void {
  return open(model).close;
}

/** Once a view, and again whenever a host scrolls it back into sight. */
function render({ model, el }: Props & { el: HTMLElement }): () => void {
  const known = lenses.get(model.get("_state"));
  // A host that does not call `initialize` gets a lens for as long as the view lives.
  const { lens, close } = known ? { lens: known, close: () => {} } : open(model);
  lens.addView(el);
  renderInto(<App lens={lens} />, el);
  return () => {
    renderInto(null, el);
    close();
  };
}

export default { initialize, render };
