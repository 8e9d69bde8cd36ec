/**
 * Draws the states one below the other, or those that the address names: states.html#dark&focus. Once all is drawn, `data-shown`
 * of the body is "true", and `data-states` says which states there are and what is special about each. `states.html?bars` has
 * bars for letters, as the pictures have that the tests compare.
 */
import { render } from "preact";
import { App } from "../components/App.tsx";
import { Lens } from "../state/lens.ts";
import { fixture, ramp } from "../tests/fake-host.ts";
import { barsFont } from "./bars-font.ts";
import type { State } from "./state.ts";
import { STATES } from "./states.ts";

/** What is asked for is answered so often; a state rests when nothing was asked for so many times one after another. */
const REST_MS = 50;
/** Longer than anything in the lens waits before it asks or says something (0.4 s until Python is called busy). */
const QUIET_ROUNDS = 11;
/** A run that goes on is looked at for ever. */
const MOST_ROUNDS = 60;

const frame = () => new Promise(requestAnimationFrame);

async function show({ name, width, height, theme = "light", options, before, act, silent }: State) {
  const box = document.createElement("div");
  box.className = "state";
  box.dataset.state = name;
  Object.assign(box.style, { width: `${width}px`, height: `${height}px`, colorScheme: theme });
  document.body.append(box);
  const { python, model } = fixture(options);
  model.traits._cmaps.RdBu_r = ramp([33, 102, 172], [178, 24, 43]);
  before?.({ traits: model.traits, python, model });
  const lens = new Lens(model.afm);
  lens.addView(box);
  render(<App lens={lens} />, box);
  box.querySelector<HTMLElement>(".convlens")?.setAttribute("data-theme", theme);
  if (silent !== "always") python.pump();
  await act?.({ lens, python, model, box });
  for (let round = 0, quiet = 0; quiet < QUIET_ROUNDS && round < MOST_ROUNDS; round++, quiet++) {
    await new Promise((rest) => setTimeout(rest, REST_MS));
    await frame();
    if (silent) continue;
    if (python.waiting.length > 0) quiet = 0;
    python.pump();
  }
}

function heading(name: string) {
  const title = document.createElement("h2");
  const link = document.createElement("a");
  link.textContent = name;
  link.href = `#${encodeURIComponent(name)}`;
  title.append(link);
  document.body.append(title);
}

async function main() {
  const known = STATES.map(({ name, width, height, alone = false }) => ({ name, width, height, alone }));
  document.body.dataset.states = JSON.stringify(known);
  if (location.search === "?bars") {
    document.body.dataset.bars = "true";
    // Of every weight, so that none is made of it.
    document.fonts.add(await new FontFace("bars", barsFont(), { weight: "1 1000" }).load());
  }
  const wanted = location.hash.slice(1).split("&").filter(Boolean).map(decodeURIComponent);
  if (wanted.length > 0) document.body.dataset.named = "true";
  const shown: Promise<void>[] = [];
  for (const state of STATES) {
    if (wanted.length === 0) heading(state.name);
    if (wanted.length === 0 ? !state.alone : wanted.includes(state.name)) shown.push(show(state));
  }
  await Promise.all(shown);
  await Promise.all([...document.images].map((image) => image.decode()));
  await frame();
  await frame();
  document.body.dataset.shown = "true";
}

addEventListener("hashchange", () => location.reload());
void main().catch((error: unknown) => {
  document.body.dataset.shown = "failed";
  throw error;
});
