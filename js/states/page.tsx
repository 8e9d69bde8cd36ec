/** Draws the states one below the other, or the one that the address names. */
import { render } from "preact";
import { App } from "../components/App.tsx";
import { Lens } from "../state/lens.ts";
import { fixture, ramp } from "../tests/fake-host.ts";
import { STATES, type State } from "./states.ts";

const REST_MS = 50;

async function show({ name, width, height, theme, options, before, act, silent = false }: State) {
  const title = document.createElement("h2");
  title.textContent = name;
  const box = document.createElement("div");
  box.className = "state";
  box.dataset.state = name;
  Object.assign(box.style, { width: `${width}px`, height: `${height}px`, colorScheme: theme ?? "light" });
  document.body.append(title, box);
  const { python, model } = fixture(options);
  model.traits._cmaps.RdBu_r = ramp([33, 102, 172], [178, 24, 43]);
  before?.(model.traits);
  const lens = new Lens(model.afm);
  lens.addView(box);
  render(<App lens={lens} />, box);
  const root = box.querySelector<HTMLElement>(".convlens");
  if (root) root.dataset.theme = theme ?? "light";
  python.pump();
  act?.(lens, python);
  if (silent) return;
  // What is requested when something is drawn is answered, too.
  for (let round = 0; round < 4; round++) {
    await new Promise((rest) => setTimeout(rest, REST_MS));
    python.pump();
  }
}

const wanted = decodeURIComponent(location.hash.slice(1));
for (const state of STATES) if (!wanted || state.name === wanted) void show(state);
