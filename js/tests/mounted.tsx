/** The whole lens on a page, over the fake Python. */
import { render } from "preact";
import { act } from "preact/test-utils";
import { App } from "../components/App.tsx";
import { Lens } from "../state/lens.ts";
import { type FixtureOptions, fixture } from "./fake-host.ts";

const open: (() => void)[] = [];

export function mounted(options: FixtureOptions) {
  const { python, model } = fixture(options);
  const lens = new Lens(model.afm);
  const root = document.body.appendChild(document.createElement("div"));
  lens.addView(root);
  act(() => render(<App lens={lens} />, root));
  act(() => python.pump());
  open.push(() => {
    act(() => render(null, root));
    lens.dispose();
    root.remove();
  });
  return { python, model, lens, root };
}

/** After each test. */
export function unmountAll(): void {
  for (const close of open.splice(0)) close();
}
