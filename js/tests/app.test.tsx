// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import type { FixtureOptions } from "./fake-host.ts";
import { mounted, unmountAll } from "./mounted.tsx";

afterEach(unmountAll);

function app(options: FixtureOptions = {}) {
  const { python, model, lens, root } = mounted(options);
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
  return { python, model, lens, root, get, button, select, change };
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
  const { python, lens, get } = app();
  const map = get(".cl-map");
  expect(map.dataset.provenance).toBe("keras");
  const version = Number(map.dataset.version);
  const uid = Number(map.dataset.uid);
  act(() => lens.edit([{ uid, taps: { index: [0], value: [2] } }]));
  await vi.waitFor(() => expect(map.dataset.provenance).toBe("preview"));
  expect(Number(map.dataset.version)).toBeGreaterThan(version);
  python.pump();
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

test("of a layer that cannot be previewed the status says so, too", () => {
  const { get } = app({ ready: false, settings: { previewable: false } });
  expect(get(".cl-status").textContent).toBe("loading Keras: maps wait for it");
});

test("stage, colours and range are chosen in the toolbar and follow Python", () => {
  const { python, lens, root, get, select, change } = app();
  const stages = [...root.querySelectorAll(".cl-segments")].find((set) =>
    set.textContent?.includes("What the maps show"),
  );
  act(() => stages?.querySelector<HTMLInputElement>(".cl-segment:last-child input")?.click());
  expect(lens.shared.stage.value).toBe("pre_activation");
  change(select("colours"), "copper");
  expect(lens.cmap.value).toBe("copper");
  act(() => python.pump());
  act(() => python.assignTrait("value_range", "shared"));
  expect(get(".cl-map .cl-legend-range").textContent).toContain("range of all maps");
});

test("a fixed range starts from what is drawn and takes fractions; nonsense is refused in place", () => {
  const { lens, get, select, change, root } = app();
  const drawn = lens.displayRange(lens.filters.value[0]?.uid ?? 0);
  change(select("range"), "fixed");
  expect(lens.shared.value_range.value).toEqual(drawn);
  change(get<HTMLInputElement>(".cl-limit"), "abc");
  expect(get(".cl-field-error").textContent).toContain("abc");
  expect(lens.shared.value_range.value).toEqual(drawn);
  change(get<HTMLInputElement>(".cl-limit"), "-1/2");
  expect(lens.shared.value_range.value).toEqual([-0.5, drawn[1]]);
  expect(root.querySelector(".cl-field-error")).toBeNull();
});

test("before latches until it is pressed again, or until something is edited", async () => {
  const { python, lens, button } = app();
  const before = button("before");
  const uid = lens.filters.value[0]?.uid ?? 0;
  act(() => before.click());
  expect(lens.comparing.value).toBe(true);
  // The answer to a request that changes nothing leaves it pressed.
  act(() => lens.pin([1, 1]));
  await Promise.resolve();
  act(() => python.pump());
  expect(lens.comparing.value).toBe(true);
  expect(before.getAttribute("aria-pressed")).toBe("true");
  act(() => before.click());
  expect(lens.comparing.value).toBe(false);
  act(() => before.click());
  act(() => lens.edit([{ uid, bias: 1 }]));
  act(() => python.pump());
  await vi.waitFor(() => expect(lens.comparing.value).toBe(false));
});

test("a card's button, Enter and a double click on its map show one filter large, and Escape leads back", () => {
  const { python, lens, root, get, button } = app();
  act(() => button("Focus on Filter 2").click());
  expect([lens.shared.view.value, lens.selected.value]).toEqual(["focus", 1]);
  expect(root.querySelectorAll("[data-card]")).toHaveLength(1);
  expect(get("[data-card]").dataset.card).toBe("1");
  const press = (key: string) =>
    act(
      () => void get(".cl-map .cl-frame").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })),
    );
  press("PageDown");
  expect(get("[data-card]").dataset.card).toBe("2");
  press("Escape");
  expect([lens.shared.view.value, root.querySelectorAll("[data-card]").length]).toEqual(["grid", 4]);
  press("Enter");
  expect(lens.shared.view.value).toBe("focus");
  act(() => python.pump());
  act(() => python.assignTrait("view", "grid"));
  expect(root.querySelectorAll("[data-card]")).toHaveLength(4);
});

/** A page on which outputs may have the whole screen, or may not; each call of the browser's is answered at once. */
function withScreen(allowed: boolean) {
  const page = document as unknown as Record<string, unknown>;
  page.fullscreenEnabled = allowed;
  const tell = (element: Element | null) => {
    const told = element ?? (page.fullscreenElement as Element);
    page.fullscreenElement = element;
    act(() => void told.dispatchEvent(new Event("fullscreenchange", { bubbles: true })));
    return Promise.resolve();
  };
  page.exitFullscreen = () => tell(null);
  Element.prototype.requestFullscreen = function () {
    return tell(this);
  };
}

const pressed = (target: Element, key: string) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  act(() => void target.dispatchEvent(event));
  return event.defaultPrevented;
};

test("a filter is projected: F and the button take the screen, a remote's keys step, Escape leads back", () => {
  withScreen(true);
  const { lens, root, get, button } = app();
  const lensRoot = get(".convlens");
  expect(root.querySelector(".cl-full")).toBeNull();
  expect(pressed(lensRoot, "f")).toBe(false);
  act(() => button("Focus on Filter 1").click());
  const full = button("Full screen (F)");
  act(() => full.click());
  expect(document.fullscreenElement).toBe(lensRoot);
  expect([full.ariaPressed ?? full.getAttribute("aria-pressed"), document.activeElement]).toEqual([
    "true",
    full,
  ]);
  // From the button, so that a pinned pixel does not take the arrow keys.
  act(() => lens.pin([2, 2]));
  for (const [key, filter] of [
    ["PageDown", 1],
    ["ArrowRight", 2],
    ["ArrowLeft", 1],
    ["PageUp", 0],
    ["PageUp", 3],
  ] as const) {
    expect(pressed(full, key)).toBe(true);
    expect([lens.selected.value, document.activeElement]).toEqual([filter, full]);
  }
  expect(lens.pixel.value).toEqual([2, 2]);
  act(() => button("Next filter (Page Down)").click());
  expect(lens.selected.value).toBe(0);
  // Where a host gives the key to the page as well, it leaves the screen and no more.
  pressed(full, "Escape");
  expect([document.fullscreenElement, lens.shared.view.value]).toEqual([null, "focus"]);
  pressed(get(".cl-map .cl-frame"), "f");
  expect(document.fullscreenElement).toBe(lensRoot);
  pressed(full, "f");
  expect(document.activeElement).toBe(full);
  pressed(full, "Escape");
  expect(lens.shared.view.value).toBe("grid");
});

test("where the host keeps the screen to itself no button offers it, and a refusal is said", async () => {
  withScreen(false);
  const { get, button, root } = app();
  act(() => button("Focus on Filter 1").click());
  expect(root.querySelector(".cl-full")).toBeNull();
  expect(pressed(get(".cl-map .cl-frame"), "f")).toBe(false);
  unmountAll();
  withScreen(true);
  Element.prototype.requestFullscreen = () => Promise.reject(new TypeError("Permissions check failed"));
  const other = app();
  act(() => other.button("Focus on Filter 1").click());
  act(() => other.button("Full screen (F)").click());
  await vi.waitFor(() =>
    expect(other.get("[role=alert]").textContent).toContain("No full screenPermissions check failed"),
  );
});

test("hints are of a finger where that is the pointer, else of a mouse and keys", () => {
  const coarse = (matches: boolean) =>
    vi.stubGlobal("matchMedia", (query: string) => ({ matches: matches && query === "(pointer: coarse)" }));
  for (const finger of [true, false]) {
    coarse(finger);
    const { get, button } = app();
    act(() => button("Focus on Filter 1").click());
    expect(get(".cl-focussum").textContent).toMatch(finger ? /^Tap a pixel/ : /^Click a pixel/);
    const help = get(".cl-help .cl-panel").textContent;
    for (const word of ["two fingers", "double tap"]) expect(help?.includes(word)).toBe(finger);
    for (const word of ["wheel", "Ctrl", "Escape", "double-click"])
      expect(help?.includes(word)).toBe(!finger);
    unmountAll();
  }
  vi.unstubAllGlobals();
});

test("an error is shown with its title and text, and goes when it is dismissed", () => {
  const { lens, get, button, root } = app();
  act(() => lens.report("This image cannot be read", "“notes.txt” is not an image."));
  expect(get("[role=alert]").textContent).toContain("This image cannot be read“notes.txt” is not an image.");
  act(() => button("Dismiss").click());
  expect(root.querySelector(".cl-notice")).toBeNull();
});

test("an exact value replaces the predicted one in the readout once Keras has said it", async () => {
  const { python, lens, get } = app();
  act(() => lens.pin([3, 4]));
  expect(get(".cl-map .cl-readout").textContent).toMatch(/^row 3, col 4: ≈ /);
  await vi.waitFor(() => {
    python.pump();
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
  // Two sets of radio buttons in each: all filters or one, and the stage.
  expect(new Set(groups).size).toBe(4);
});

test("the notebook's own shortcuts leave what is typed in the lens alone", () => {
  expect(app().get(".convlens").dataset.lmSuppressShortcuts).toBe("true");
});

test("no line is drawn with numbers that are none while a new filter has neither numbers nor a map", () => {
  const { lens, root, model } = app();
  const drawn = () => [...root.querySelectorAll("[d]")].map((one) => one.getAttribute("d") ?? "");
  act(() => lens.pin([3, 4]));
  const before = drawn().length;
  const state = model.get("_state");
  const order = [...state.order, 999];
  const names = [...model.get("names"), "new"];
  act(() => model.receiveTraits({ _state: { ...state, generation: state.generation + 1, order }, names }));
  expect(root.querySelectorAll(".cl-map")).toHaveLength(5);
  expect(drawn().length).toBeGreaterThanOrEqual(before);
  expect(drawn().filter((d) => /NaN|Infinity/.test(d))).toEqual([]);
});
