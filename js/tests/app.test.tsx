// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { App } from "../components/App.tsx";
import { Lens } from "../model/store.ts";
import { type FixtureOptions, fixture } from "./fake-host.ts";

const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0)) close();
});

function app(options: FixtureOptions = {}) {
  const { kernel, model } = fixture(options);
  const lens = new Lens(model.afm);
  const root = document.body.appendChild(document.createElement("div"));
  lens.addView(root);
  act(() => render(<App lens={lens} />, root));
  act(() => kernel.pump());
  open.push(() => {
    render(null, root);
    lens.dispose();
    root.remove();
  });
  const get = <E extends Element = HTMLElement>(selector: string): E => {
    const found = root.querySelector<E>(selector);
    if (!found) throw new Error(`nothing matches ${selector}`);
    return found;
  };
  const button = (name: string): HTMLButtonElement => {
    const named = [...root.querySelectorAll("button")].find(
      (one) => one.getAttribute("aria-label") === name || one.textContent?.startsWith(name),
    );
    if (!named) throw new Error(`no button is called ${name}`);
    return named;
  };
  const change = (element: HTMLElement & { value: string }, value: string) =>
    act(() => {
      element.value = value;
      element.dispatchEvent(new Event("input", { bubbles: true }));
      element.dispatchEvent(new Event("change", { bubbles: true }));
    });
  const select = (label: string): HTMLSelectElement => {
    const named = [...root.querySelectorAll("label")].find((one) => one.textContent === label);
    return get(`[id="${named?.getAttribute("for")}"]`);
  };
  return { kernel, model, lens, root, get, button, select, change };
}

test("there is one map for each filter, with its uid, shape and share of zeros", () => {
  const { lens, root } = app({ rows: 24, cols: 32 });
  const maps = [...root.querySelectorAll<HTMLElement>(".cl-map")];
  expect(maps.map((map) => Number(map.dataset.uid))).toEqual(lens.filters.value.map(({ uid }) => uid));
  // 24 − 4 + 1 rows, 32 − 4 + 1 columns.
  for (const map of maps) expect(map.querySelector(".cl-caption")?.textContent).toContain("21 × 29");
  for (const map of maps) expect(map.querySelector(".cl-zeros")?.textContent).toMatch(/ % zero$/);
});

test("an edited map is marked a preview until Keras has answered", async () => {
  const { kernel, lens, get } = app();
  const map = get(".cl-map");
  expect(map.dataset.provenance).toBe("keras");
  const version = Number(map.dataset.version);
  const uid = Number(map.dataset.uid);
  act(() => lens.edit([{ uid, taps: { index: [0], value: [2] } }]));
  await vi.waitFor(() => expect(map.dataset.provenance).toBe("preview"));
  expect(Number(map.dataset.version)).toBeGreaterThan(version);
  kernel.pump();
  await vi.waitFor(() => expect(map.dataset.provenance).toBe("keras"));
});

test("the maps are there as previews while Keras loads, and the status says so", () => {
  const { get, root } = app({ ready: false });
  expect([...root.querySelectorAll<HTMLElement>(".cl-map")].map((map) => map.dataset.provenance)).toEqual(
    new Array(4).fill("preview"),
  );
  expect(get(".cl-status").textContent).toBe("loading Keras: showing previews");
  expect(get(".convlens").dataset.status).toBe("loading");
});

test("stage, colours and range are chosen in the toolbar and follow Python", () => {
  const { kernel, lens, get, select, change } = app();
  act(() => get<HTMLInputElement>(".cl-segment:last-child input").click());
  expect(lens.stage.value).toBe("pre_activation");
  change(select("colours"), "copper");
  expect(lens.cmap.value).toBe("copper");
  act(() => kernel.pump());
  act(() => kernel.assignTrait("value_range", "shared"));
  expect(get(".cl-map .cl-legend-range").textContent).toContain("shared range");
});

test("a fixed range starts from what is drawn and takes fractions; nonsense is refused in place", () => {
  const { lens, get, select, change, root } = app();
  const drawn = lens.displayRange(lens.filters.value[0]?.uid ?? 0);
  change(select("range"), "fixed");
  expect(lens.valueRange.value).toEqual(drawn);
  change(get<HTMLInputElement>(".cl-limit"), "abc");
  expect(get(".cl-field-error").textContent).toContain("abc");
  expect(lens.valueRange.value).toEqual(drawn);
  change(get<HTMLInputElement>(".cl-limit"), "-1/2");
  expect(lens.valueRange.value).toEqual([-0.5, drawn[1]]);
  expect(root.querySelector(".cl-field-error")).toBeNull();
});

test("the maps are compared for as long as the button is held, by pointer or key", () => {
  const { lens, button } = app();
  const before = button("before");
  const send = (event: Event) => act(() => void before.dispatchEvent(event));
  send(new KeyboardEvent("keydown", { key: " ", bubbles: true }));
  expect(lens.comparing.value).toBe(true);
  send(new KeyboardEvent("keyup", { key: " ", bubbles: true }));
  expect(lens.comparing.value).toBe(false);
});

test("an error is shown with its title and text, and goes when it is dismissed", () => {
  const { lens, get, button, root } = app();
  act(() => lens.report("This image cannot be read", "“notes.txt” is not an image."));
  expect(get("[role=alert]").textContent).toContain("This image cannot be read“notes.txt” is not an image.");
  act(() => button("Dismiss").click());
  expect(root.querySelector(".cl-notice")).toBeNull();
});

test("an exact value replaces the predicted one in the readout once Keras has said it", async () => {
  const { kernel, lens, get } = app();
  act(() => lens.pin([3, 4]));
  expect(get(".cl-map .cl-readout").textContent).toMatch(/^row 3, col 4: ≈ /);
  await vi.waitFor(() => {
    kernel.pump();
    expect(get(".cl-map .cl-readout").textContent).toMatch(/^row 3, col 4: [^≈]+$/);
  });
  act(() => lens.edit([{ uid: lens.filters.value[0]?.uid ?? 0, bias: 1 }]));
  expect(get(".cl-map .cl-readout").textContent).toMatch(/^row 3, col 4: ≈ /);
});

test("two lenses on one page share no ids, so that labels name their own fields", () => {
  app();
  app();
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const groups = [...document.querySelectorAll<HTMLInputElement>("input[type=radio]")].map(
    ({ name }) => name,
  );
  expect(new Set(groups).size).toBe(2);
});

test("the notebook's own shortcuts leave what is typed in the lens alone", () => {
  expect(app().get(".convlens").dataset.lmSuppressShortcuts).toBe("true");
});
