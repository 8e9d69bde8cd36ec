/** The explanation panel of a lens on a page, and what a person does there. */
import { act } from "preact/test-utils";
import type { FixtureOptions } from "./fake-host.ts";
import { mounted } from "./mounted.tsx";

export function panel(options: FixtureOptions = {}) {
  const { python, model, lens, root } = mounted(options);
  const strip = root.querySelector<HTMLElement>(".cl-strip") as HTMLElement;
  const all = <E extends HTMLElement = HTMLElement>(selector: string) => [
    ...strip.querySelectorAll<E>(selector),
  ];
  const button = (name: string) => {
    const found = all<HTMLButtonElement>("button").find(
      (one) => one.getAttribute("aria-label") === name || one.textContent === name,
    );
    if (!found) throw new Error(`no button is called ${name}`);
    return found;
  };
  const answered = () => act(() => python.pump());
  const pin = async (row: number, col: number) => {
    act(() => lens.pin([row, col]));
    await Promise.resolve();
    answered();
  };
  const plane = (label: string) =>
    all(`[role=table][aria-label="${label}"] [role=cell]`).map((cell) => cell.textContent);
  return { python, model, lens, root, strip, all, button, answered, pin, plane };
}
