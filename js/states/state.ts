/** What a state is, and what several of them are made of. */
import type { Traits } from "../protocol/records.ts";
import type { Lens } from "../state/lens.ts";
import type { FixtureOptions } from "../tests/fake-host.ts";
import type { FakeModel } from "../tests/fake-model.ts";
import type { FakePython } from "../tests/fake-python.ts";

/** The lens on the page, and what is behind it. */
export interface Shown {
  lens: Lens;
  python: FakePython;
  model: FakeModel;
  /** What scrolls the lens. */
  box: HTMLElement;
}

export interface State {
  name: string;
  /** Size of the box that scrolls the lens. */
  width: number;
  height: number;
  theme?: "light" | "dark";
  options?: FixtureOptions;
  /** Before the lens is made. */
  before?: (behind: { traits: Traits; python: FakePython; model: FakeModel }) => void;
  /** Once it is drawn and Python has answered. */
  act?: (shown: Shown) => void | Promise<void>;
  /** Whether Python stops answering once `act` is done, or has never answered. */
  silent?: boolean | "always";
  /** It has what a page has once: a list in the top layer, or the focus. Shown only by its name. */
  alone?: boolean;
}

/** What JupyterLab shows of a notebook at 1280 × 720 without its sidebar, at 1400 × 1100 with it, and what a phone has. */
export const WIDE = { width: 1112, height: 599 };
export const TALL = { width: 968, height: 979 };
export const PHONE = { width: 316, height: 700 };

/** The shapes of photographs, small: the fake Python takes its time for each pixel. */
export const PORTRAIT: FixtureOptions = { rows: 75, cols: 64 };
export const LANDSCAPE: FixtureOptions = { rows: 54, cols: 80 };

/** The components have drawn what follows from a change, and what their effects, which run after a frame, changed in turn. */
export async function drawn(): Promise<void> {
  for (let frames = 0; frames < 4; frames++) {
    await new Promise(requestAnimationFrame);
    await new Promise((rest) => setTimeout(rest));
  }
}

export function find<E extends HTMLElement = HTMLElement>(box: Element, selector: string): E {
  const one = box.querySelector<E>(selector);
  if (!one) throw new Error(`Nothing in the state matches ${selector}.`);
  return one;
}

/** Press the button that has these words on it or in its name. */
export function press(box: Element, words: string): void {
  const buttons = [...box.querySelectorAll<HTMLElement>("button, [role=menuitem], [role=tab]")];
  const one = buttons.find(
    (button) => button.getAttribute("aria-label") === words || button.textContent?.trim() === words,
  );
  if (!one) throw new Error(`No button in the state says ${words}.`);
  one.click();
}

/** Scroll the lens so far that an element begins at the top. */
export async function scrollTo(box: HTMLElement, selector: string): Promise<void> {
  await drawn();
  box.scrollTop += find(box, selector).getBoundingClientRect().top - box.getBoundingClientRect().top - 8;
}

/** All taps of a filter, as one edit. */
export function write(lens: Lens, index: number, value: (tap: number) => number): void {
  const filter = lens.filters.peek()[index];
  if (!filter) throw new Error(`The state has no filter ${index}.`);
  const taps = [...filter.kernel.peek().keys()];
  lens.edit([{ uid: filter.uid, taps: { index: taps, value: taps.map(value) } }]);
}

/** A picture as the PNG that Python would send: one colour, as opaque as the value is near 1. */
export function png(rows: number, cols: number, value: (row: number, col: number) => number): DataView {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [cols, rows];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  for (let i = 0; i < rows * cols; i++) {
    context.fillStyle = `rgb(253 200 40 / ${value(Math.floor(i / cols), i % cols)})`;
    context.fillRect(i % cols, Math.floor(i / cols), 1, 1);
  }
  const text = atob(canvas.toDataURL("image/png").split(",")[1] ?? "");
  return new DataView(Uint8Array.from(text, (c) => c.charCodeAt(0)).buffer);
}
