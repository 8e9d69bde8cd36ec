/** The entry: a host's model in, a view out, clean-up (https://anywidget.dev/en/afm). */
import type { AnyModel } from "@anywidget/types";
import { effect } from "@preact/signals";
import { render as renderInto } from "preact";
import { App } from "./components/App.tsx";
import type { LensState, Traits } from "./protocol/records.ts";
import { Lens } from "./state/lens.ts";
import { inspect } from "./state/saved-state.ts";
import { type Snapshot, snapshotOf } from "./state/snapshot.ts";

/** What a host passes. New hosts pass an abort `signal` as well, which the returned functions make unnecessary. */
interface Props {
  model: AnyModel<Traits>;
}

/**
 * Each call of a host wraps its model anew, so a lens is found by an object that all wrappers of one model share: the value
 * of `_state`.
 */
const lenses = new WeakMap<LensState, Lens>();

interface Opened {
  /** Null where nothing of what was saved can be shown. */
  lens: Lens | null;
  damage: string;
  close: () => void;
}

function open(given: AnyModel<Traits>): Opened {
  const { model, damage } = inspect(given);
  if (!model) return { lens: null, damage, close: () => {} };
  const lens = new Lens(model);
  if (damage) lens.report("Damaged", `${damage} What is intact is shown.`);
  const enter = () => void lenses.set(model.get("_state"), lens);
  enter();
  model.on("change:_state", enter);
  const close = () => {
    model.off("change:_state", enter);
    lenses.delete(model.get("_state"));
    lens.dispose();
  };
  return { lens, damage, close };
}

/** Once per model. Sends a hello to Python and does not wait for the answer: hosts give up on a slow start. */
function initialize({ model }: Props): () => void {
  return open(model).close;
}

/** Once per view, and again whenever a host scrolls it back into sight. */
function render({ model, el }: Props & { el: HTMLElement }): () => void {
  const known = lenses.get(model.get("_state"));
  // A host that does not call `initialize` gets a lens for as long as the view lives.
  const { lens, damage, close } = known ? { lens: known, damage: "", close: () => {} } : open(model);
  if (!lens) {
    renderInto(<p role="alert">{damage}</p>, el);
    return () => renderInto(null, el);
  }
  lens.addView(el);
  renderInto(<App lens={lens} />, el);
  return () => {
    renderInto(null, el);
    close();
  };
}

/** For a page around the lens: calls `tell` at once and after each change. Returns a function that ends it. */
function observe({ model }: Props, tell: (snapshot: Snapshot) => void): () => void {
  const lens = lenses.get(model.get("_state"));
  return lens ? effect(() => tell(snapshotOf(lens))) : () => {};
}

export default { initialize, render, observe };
