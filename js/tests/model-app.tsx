/** The whole lens on a page, as of a layer of a small model, with a schedule that a test runs by hand. */
import { render } from "preact";
import { act } from "preact/test-utils";
import { App } from "../components/App.tsx";
import type { LayerRecord } from "../protocol/records.ts";
import type { FixtureOptions } from "./fake-host.ts";
import { played } from "./play.ts";

const layer = (path: string, size: number, filters: number): LayerRecord => ({
  path,
  class_name: path.endsWith("dw") ? "DepthwiseConv2D" : "Conv2D",
  input_shape: [size, size, 8],
  output_shape: [size, size, filters],
  kernel_size: [3, 3],
  filters,
});
export const LAYERS = [layer("stem/conv", 112, 16), layer("block1/dw", 56, 16), layer("block1/conv", 56, 64)];

const open: (() => void)[] = [];

export function app(options: FixtureOptions = { layers: LAYERS }) {
  const play = played({ rows: 8, cols: 9, size: 3, kernels: numbered(3), ...options });
  const root = document.body.appendChild(document.createElement("div"));
  act(() => render(<App lens={play.lens} />, root));
  act(() => play.python.pump());
  open.push(() => {
    render(null, root);
    play.lens.dispose();
    root.remove();
  });
  const get = <E extends HTMLElement = HTMLElement>(selector: string): E => {
    const one = root.querySelector<E>(selector);
    if (!one) throw new Error(`nothing matches ${selector}`);
    return one;
  };
  const all = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
  const key = (target: Element, name: string) =>
    act(() => void target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true })));
  const type = (target: HTMLInputElement, text: string) =>
    act(() => {
      target.value = text;
      target.dispatchEvent(new Event("input", { bubbles: true }));
    });
  const sent = (name: string) => play.model.sent.filter(({ content }) => content.type === name);
  return { ...play, root, get, all, key, type, sent };
}

export const numbered = (count: number) =>
  Array.from({ length: count }, (_, f) => Float32Array.from({ length: 9 }, (_, i) => (i === 4 ? f + 1 : 0)));

/** After each test. */
export function closeAll(): void {
  for (const close of open.splice(0)) close();
}
