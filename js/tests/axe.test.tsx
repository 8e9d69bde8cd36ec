// @vitest-environment happy-dom
/** What axe finds without a layout, in every panel; tests/browser/test_accessibility.py looks at colours and sizes as well. */
import axe from "axe-core";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "../components/App.tsx";
import { Lens } from "../state/lens.ts";
import { type FixtureOptions, fixture } from "./fake-host.ts";

const LENSES: Record<string, FixtureOptions> = {
  tutorial: {},
  colour: { channels: 3, settings: { padding: "same" } },
  "inside a model": {
    rows: 8,
    cols: 9,
    channels: 6,
    size: 3,
    kernels: [new Float32Array(54).fill(1)],
    layers: [
      {
        path: "block/conv",
        class_name: "Conv2D",
        input_shape: [8, 9, 6],
        output_shape: [6, 7, 1],
        kernel_size: [3, 3],
        filters: 1,
      },
    ],
  },
};

let root: HTMLElement;
let lens: Lens;

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  root = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  act(() => render(null, root));
  lens.dispose();
  root.remove();
  vi.unstubAllGlobals();
});

async function violations(scope: string): Promise<string[]> {
  // Colours and sizes need a layout.
  const rules = {
    "color-contrast": { enabled: false },
    "target-size": { enabled: false },
    region: { enabled: false },
  };
  const found = await axe.run(root.querySelector(scope) ?? root, { rules, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

test.each(Object.keys(LENSES))("axe finds nothing wrong in any panel: %s", async (name) => {
  const { python, model } = fixture(LENSES[name]);
  lens = new Lens(model.afm);
  lens.addView(root);
  act(() => render(<App lens={lens} />, root));
  act(() => python.pump());
  act(() => lens.pin([1, 2]));
  await vi.waitFor(() => {
    act(() => python.pump());
    expect(root.querySelector(".cl-taken")).not.toBeNull();
  });
  const press = (button: Element | null | undefined) => act(() => (button as HTMLElement).click());
  expect(await violations(".convlens")).toEqual([]);
  for (const tab of root.querySelectorAll("[role=tab]")) {
    press(tab);
    await Promise.resolve();
    act(() => python.pump());
    expect(await violations(".cl-strip"), tab.textContent ?? "").toEqual([]);
  }
  press(root.querySelector(".cl-more"));
  await vi.waitFor(() => expect(root.querySelector("[role=menu]")).not.toBeNull());
  expect(await violations(".cl-card"), "menu").toEqual([]);
  press([...root.querySelectorAll("[role=menuitem]")].find((one) => one.textContent === "Presets…"));
  await vi.waitFor(() => expect(root.querySelector(".cl-preset")).not.toBeNull());
  expect(await violations(".cl-card"), "presets").toEqual([]);
  press(root.querySelector('[aria-label="Questions, keys and gestures"]'));
  expect(await violations(".cl-panel"), "help").toEqual([]);
});
