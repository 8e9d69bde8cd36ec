/** Brings the lenses of a page to life, and checks its exercises. */
import widget from "./convlens/widget.js";
import { mount, readState, unpack } from "./convlens/saved_page.js";

/** What is known of each lens, by its id, and who wants to hear of it. */
const lenses = new Map();

async function start(place) {
  const packed = place.querySelector("script").textContent;
  const state = readState(await unpack(packed));
  const el = document.createElement("div");
  place.append(el);
  const model = mount(widget, state, el);
  const lens = { snapshot: null, listeners: [] };
  lenses.set(place.id, lens);
  widget.observe({ model }, (snapshot) => {
    lens.snapshot = snapshot;
    for (const listener of lens.listeners) listener(snapshot);
  });
  place.dataset.alive = "";
}

/** An entry such as "output_shape.0" of an object. */
const entry = (object, path) => path.split(".").reduce((value, key) => value?.[key], object);
const between = (value, [low, high]) => value >= low && value <= high;
const flat = (value) => (Array.isArray(value) ? value.flat(3) : [value]);
const close = (left, right, within) =>
  left.length === right.length && left.every((value, i) => Math.abs(value - right[i]) <= within);

/** Whether a lens answers a check; extensions/checks.py says what there is. */
function holds(check, snapshot, typed) {
  if ("kernel" in check) {
    const kernel = Array.from(snapshot.kernels[check.kernel]?.values ?? []);
    const within = check.within ?? 1e-6;
    if ((check.not ?? []).some((one) => close(kernel, flat(one), within))) return false;
    if ("sum" in check) return Math.abs(kernel.reduce((sum, one) => sum + one, 0) - check.sum) <= within;
    return close(kernel, flat(check.equals), within);
  }
  if ("map" in check) {
    const map = snapshot.maps[check.map];
    if (!map) return false;
    return ["zeros", "least", "greatest"].every((name) => !(name in check) || between(map[name], check[name]));
  }
  if ("setting" in check) return close(flat(snapshot.geometry[check.setting]), flat(check.equals), 0);
  if ("pixel" in check) return snapshot.pixel !== null && between(snapshot.activation, check.activation);
  return typed.trim() !== "" && Number(typed) === entry(snapshot.geometry, check.number);
}

function watch(box) {
  const { check } = JSON.parse(box.dataset.check);
  const verdict = box.querySelector("[role=status]");
  const open = verdict.textContent;
  const field = box.querySelector("input");
  const lens = lenses.get(box.dataset.lens);
  const judge = () => {
    const typed = field?.value ?? "";
    const solved = holds(check, lens.snapshot, typed);
    const state = solved ? "solved" : typed ? "wrong" : "open";
    if (verdict.dataset.state === state) return;
    verdict.dataset.state = state;
    verdict.textContent = { solved: "✓ Right.", wrong: "✗ Not that.", open }[state];
  };
  lens.listeners.push(judge);
  field?.addEventListener("input", judge);
  judge();
}

await Promise.all([...document.querySelectorAll(".live-lens")].map(start));
for (const box of document.querySelectorAll(".exercise-check")) watch(box);
document.documentElement.dataset.lensesAlive = "";
