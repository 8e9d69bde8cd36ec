/** Filter cards over a played Python, and what a person does in them; each test begins with an empty page. */
import { render } from "preact";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { AddFilter } from "../components/filter/AddFilter.tsx";
import { FilterCard } from "../components/filter/FilterCard.tsx";
import { Lens } from "../state/lens.ts";
import type { LensView } from "../state/lens-view.ts";
import { type FixtureOptions, fixture } from "./fake-host.ts";
import type { FakePython } from "./fake-python.ts";

/** What reached the page around the lens, as a notebook's own shortcuts would see it. */
export const leaked: string[] = [];
const onPageKey = (event: KeyboardEvent) => leaked.push(event.key);
export let lens: Lens;
export let python: FakePython;
export let root: HTMLElement;

function Cards({ lens }: { lens: LensView }) {
  return (
    <div class="convlens">
      {lens.filters.value.map((filter, index) => (
        <FilterCard key={filter.uid} lens={lens} filter={filter} index={index} />
      ))}
      <AddFilter lens={lens} />
    </div>
  );
}

export async function show(options: FixtureOptions = {}): Promise<void> {
  const made = fixture(options);
  python = made.python;
  python.onRequest = () => python.pump();
  lens = new Lens(made.model.afm);
  render(<Cards lens={lens} />, root);
  await vi.waitFor(() => expect(cells().length).toBeGreaterThan(0));
}

beforeEach(() => {
  root = document.body.appendChild(document.createElement("div"));
  document.addEventListener("keydown", onPageKey);
  leaked.length = 0;
});

afterEach(() => {
  render(null, root);
  lens.dispose();
  root.remove();
  document.removeEventListener("keydown", onPageKey);
});

export const cells = () => [...root.querySelectorAll<HTMLElement>('[role="gridcell"]')];
export const card = (index = 0) => root.querySelectorAll<HTMLElement>("[data-card]")[index] as HTMLElement;
export const cell = (row: number, col: number, channel = 0, of = 0) =>
  card(of).querySelector(`[data-at="${channel},${row},${col}"]`) as HTMLElement;
export const focus = () => document.activeElement as HTMLElement;
export const input = () => focus() as HTMLInputElement;
export const label = () => focus().getAttribute("aria-label");
export const settled = () => vi.waitFor(() => expect(python.waiting).toEqual([]));
export const marked = () => cells().filter((one) => one.getAttribute("aria-selected") === "true");
/** Python's kernel of a filter. */
export const kernelInPython = (index = 0) => [...(python.filters[index]?.kernel ?? [])];

export function press(key: string, keys: Partial<KeyboardEventInit> = {}): void {
  const event = { key, bubbles: true, cancelable: true, composed: true, ...keys };
  focus().dispatchEvent(new KeyboardEvent("keydown", event));
}

export async function open(row: number, col: number): Promise<void> {
  cell(row, col).focus();
  press("Enter");
  await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
}

/** Type over what the open cell holds. */
export function type(text: string): void {
  input().value = text;
  input().dispatchEvent(new Event("input", { bubbles: true }));
}
