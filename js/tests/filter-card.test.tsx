// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import {
  card,
  cell,
  focus,
  kernelInPython,
  label,
  leaked,
  lens,
  press,
  python,
  root,
  show,
  type,
} from "./filter-cards.tsx";

describe("a filter's menu", () => {
  async function menu(of = 0): Promise<HTMLElement[]> {
    const button = card(of).querySelector(".cl-more") as HTMLElement;
    button.focus();
    press("ArrowDown");
    await vi.waitFor(() => expect(focus().getAttribute("role")).toBe("menuitem"));
    return [...card(of).querySelectorAll<HTMLElement>('[role="menuitem"]')];
  }
  const item = (items: HTMLElement[], text: string) =>
    items.find((one) => one.textContent === text) as HTMLElement;

  it("opens on its first entry, walks with the arrows and by letter, and gives the focus back on Escape", async () => {
    await show();
    const items = await menu();
    expect(focus()).toBe(items[0]);
    press("ArrowUp");
    expect(focus().textContent).toBe("Delete");
    press("t");
    expect(focus().textContent).toBe("Transpose");
    press("Escape");
    await vi.waitFor(() => expect(label()).toBe("Operations on Filter 1"));
    expect(leaked).toEqual([]);
  });

  it("transposes the kernel that Python holds", async () => {
    await show();
    item(await menu(), "Transpose").click();
    await vi.waitFor(() =>
      expect(kernelInPython()).toEqual([-1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1]),
    );
    expect(label()).toBe("Operations on Filter 1");
  });

  const ODD = [1, 2, 3, 4, 5, 6, 7, 8, 10];
  const norm = Math.hypot(...ODD);
  it.each([
    ["Negate", ODD.map((v) => -v)],
    ["Rotate 90° clockwise", [7, 4, 1, 8, 5, 2, 10, 6, 3]],
    ["Flip left–right", [3, 2, 1, 6, 5, 4, 10, 8, 7]],
    ["Flip top–bottom", [7, 8, 10, 4, 5, 6, 1, 2, 3]],
    ["Normalise: sum to 1", ODD.map((v) => v / 46)],
    ["Normalise: zero mean", ODD.map((v) => v - 46 / 9)],
    ["Normalise: unit norm", ODD.map((v) => v / norm)],
    ["Set to zero", ODD.map(() => 0)],
  ])("does what it says: %s", async (text, expected) => {
    await show({ size: 3, kernels: [Float32Array.from(ODD), Float32Array.from(ODD)] });
    item(await menu(), text).click();
    await vi.waitFor(() => expect(kernelInPython()).toEqual(expected.map((v) => expect.closeTo(v, 5))));
    expect(kernelInPython(1)).toEqual(ODD);
    expect(python.history.undo).toBe(1);
  });

  it("scales by any number that is typed", async () => {
    await show({ size: 3, kernels: [Float32Array.from(ODD)] });
    item(await menu(), "Scale…").click();
    await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
    type("1/2");
    press("Enter");
    await vi.waitFor(() => expect(kernelInPython()).toEqual(ODD.map((v) => v / 2)));
  });

  it("duplicates a filter beside itself and deletes it again", async () => {
    await show();
    item(await menu(1), "Duplicate").click();
    const names = () => python.filters.map((one) => one.name);
    await vi.waitFor(() =>
      expect(names()).toEqual(["Filter 1", "Filter 2", "Filter 2 copy", "Filter 3", "Filter 4"]),
    );
    expect(kernelInPython(2)).toEqual(kernelInPython(1));
    await vi.waitFor(() => expect(root.querySelectorAll("[data-card]")).toHaveLength(5));
    item(await menu(2), "Delete").click();
    await vi.waitFor(() => expect(names()).toEqual(["Filter 1", "Filter 2", "Filter 3", "Filter 4"]));
  });

  it("says why a kernel that sums to 0 cannot be normalised to a sum of 1", async () => {
    await show();
    item(await menu(), "Normalise: sum to 1").click();
    await vi.waitFor(() =>
      expect(card().querySelector('[role="alert"]')?.textContent).toMatch(/^The kernel sums to 0/),
    );
  });

  it("offers no transpose where it would give one kernel of many another shape, and says so", async () => {
    const kernels = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)];
    await show({ kernels, size: 1, settings: { kernel_size: [1, 3] } });
    const transpose = item(await menu(), "Transpose");
    expect(transpose.getAttribute("aria-disabled")).toBe("true");
    expect(transpose.title).toMatch(/one shape, here 1 × 3/);
    transpose.click();
    expect(kernelInPython()).toEqual([1, 2, 3]);
  });

  it("inside a model offers to zero a filter and says why it cannot be added, moved or removed", async () => {
    await show({ settings: { builtin: false, path: "block/conv" } });
    const items = await menu();
    for (const text of ["Duplicate", "Move down", "Delete"]) {
      expect(item(items, text).title).toMatch(/part of a model/);
    }
    lens.edit([{ uid: 1, bias: 3 }]);
    item(items, "Ablate: kernel and bias to 0").click();
    await vi.waitFor(() => expect(new Set(kernelInPython())).toEqual(new Set([0])));
    expect(python.filters[0]?.bias).toBe(0);
    expect(root.querySelector<HTMLButtonElement>(".cl-add button")?.disabled).toBe(true);
  });

  it("resizes every kernel around its centre", async () => {
    await show();
    item(await menu(), "Resize all kernels…").click();
    await vi.waitFor(() => expect(focus().tagName).toBe("INPUT"));
    type("2");
    press("Enter");
    await vi.waitFor(() => expect(python.geometry.kernel_size).toEqual([2, 2]));
    // Of four rows and columns the second is the centre, of two the first.
    expect(kernelInPython()).toEqual([-1, 1, -1, 1]);
  });

  it("replaces the kernel by a preset, and names the filter after it, as one step", async () => {
    await show();
    item(await menu(), "Presets…").click();
    await vi.waitFor(() => expect(focus().className).toBe("cl-preset"));
    press("s");
    expect(focus().textContent).toBe("Sobel x3 × 3");
    focus().click();
    await vi.waitFor(() =>
      expect(kernelInPython()).toEqual([-1, 0, 1, 0, -2, 0, 2, 0, -1, 0, 1, 0, 0, 0, 0, 0]),
    );
    await vi.waitFor(() => expect(python.filters[0]?.name).toBe("Sobel x"));
    lens.undo();
    await vi.waitFor(() => expect(python.filters[0]?.name).toBe("Filter 1"));
    expect(lens.history.peek()).toEqual({ undo: 0, redo: 1 });
  });

  it("makes all kernels larger for a preset that is, and loses no number of either", async () => {
    await show();
    item(await menu(), "Presets…").click();
    await vi.waitFor(() => expect(focus().className).toBe("cl-preset"));
    press("m");
    focus().click();
    await vi.waitFor(() => expect(python.geometry.kernel_size).toEqual([4, 5]));
    expect(kernelInPython().filter(Boolean)).toEqual([1, 2, 3, 4, 5]);
    expect(kernelInPython(1).reduce((a, b) => a + Math.abs(b), 0)).toBe(16);
  });

  it("copies the kernel as NumPy source", async () => {
    await show({ size: 2, kernels: [Float32Array.of(1, 2, 3, 4)] });
    const wrote = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    item(await menu(), "Copy as np.array").click();
    await vi.waitFor(() => expect(card(0).textContent).toContain("Copied, as np.array(…)."));
    expect(wrote).toHaveBeenCalledWith('np.array([[1, 2],\n          [3, 4]], dtype="float32")');
  });

  it("spreads a preset over colour channels without changing its weight", async () => {
    await show({ channels: 3, kernels: [new Float32Array(27)], size: 3 });
    item(await menu(), "Presets…").click();
    await vi.waitFor(() => expect(focus().className).toBe("cl-preset"));
    focus().click();
    const third = Math.fround(1 / 3);
    await vi.waitFor(() => expect(kernelInPython().slice(12, 15)).toEqual([third, third, third]));
  });
});

describe("the list of filters", () => {
  const names = () => python.filters.map((one) => one.name);

  it("is put in order with Alt and the arrows, and the focus stays where it was", async () => {
    await show();
    cell(1, 1).focus();
    press("ArrowDown", { altKey: true });
    await vi.waitFor(() => expect(names()).toEqual(["Filter 2", "Filter 1", "Filter 3", "Filter 4"]));
    await vi.waitFor(() => expect(focus()).toBe(cell(1, 1, 0, 1)));
  });

  it("takes a new name on Enter and the old one back on Escape", async () => {
    await show();
    const name = card().querySelector(".cl-name") as HTMLInputElement;
    name.focus();
    type("Vertical");
    press("Enter");
    await vi.waitFor(() => expect(names()[0]).toBe("Vertical"));
    name.focus();
    type("Nonsense");
    press("Escape");
    expect(name.value).toBe("Vertical");
    expect(names()[0]).toBe("Vertical");
  });

  it("grows by a blank filter of the same shape", async () => {
    await show();
    root.querySelector<HTMLElement>(".cl-add button")?.click();
    await vi.waitFor(() => expect(names().length).toBe(5));
    expect(kernelInPython(4)).toEqual(new Array(16).fill(0));
  });

  it("takes a bias as any number is typed, and refuses what is none", async () => {
    await show();
    const bias = card().querySelector(".cl-numfield input") as HTMLInputElement;
    bias.focus();
    type("-1/4");
    press("Enter");
    await vi.waitFor(() => expect(python.filters[0]?.bias).toBe(-0.25));
    type("much");
    press("Enter");
    await vi.waitFor(() => expect(bias.getAttribute("aria-invalid")).toBe("true"));
    expect(python.filters[0]?.bias).toBe(-0.25);
  });
});
