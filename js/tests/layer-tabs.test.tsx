// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { panel } from "./explain-panel.tsx";
import { unmountAll } from "./mounted.tsx";

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
});

afterEach(() => {
  unmountAll();
  vi.unstubAllGlobals();
});

test("the ledger has the numbers of this lens, and an axis that is pressed lights up in all of it", () => {
  const { button, root, all, strip } = panel({ rows: 24, cols: 32 });
  act(() => button("Shapes").click());
  expect(strip.textContent).toContain("np.reshape(img, (1, 24, 32, 1))");
  expect(strip.querySelector("math")?.textContent).toBe("rows′=rows−kh+1");
  const rows = all<HTMLButtonElement>('.cl-axis[data-axis="rows"]');
  act(() => rows[0]?.click());
  expect((root.querySelector(".convlens") as HTMLElement).dataset.lit).toBe("rows");
  expect(all('.cl-axis[aria-pressed="true"]')).toHaveLength(rows.length);
});

test("strides and dilation above 1 are not both taken, and the reason is shown", async () => {
  const { python, lens, button, all, strip } = panel({ settings: { strides: [2, 1] } });
  act(() => button("Layer").click());
  const field = all<HTMLInputElement>(".cl-settings input[type=text]")[4] as HTMLInputElement;
  act(() => {
    field.value = "2";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  act(() => void field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true })));
  expect(strip.querySelector("[role=alert]")?.textContent).toContain("the strides are 2 × 1");
  expect(python.waiting).toHaveLength(0);
  expect(lens.geometry.value.dilation_rate).toEqual([1, 1]);
});

test("a setting that is changed is asked of Python, and the ledger and the maps follow", () => {
  const { lens, button, all, answered } = panel({ rows: 24, cols: 32 });
  act(() => button("Layer").click());
  const select = all<HTMLSelectElement>(".cl-settings select")[0] as HTMLSelectElement;
  act(() => {
    select.value = "same";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  answered();
  expect(lens.geometry.value.output_shape).toEqual([24, 32]);
});

test("a user's own layer is shown first, and other settings are tried on a copy and left again", () => {
  const { python, model, lens, button, all, answered, strip } = panel({ settings: { builtin: false } });
  act(() => button("Layer").click());
  expect(strip.querySelector("code")?.textContent).toBe(
    'layer = keras.layers.Conv2D(4, (4, 4), activation="relu")',
  );
  expect(strip.textContent).toContain(
    "4 filters of 4 × 4 and 4 biases: 68 numbers. An input of 24 × 32 gives maps of 21 × 29.",
  );
  expect(strip.querySelector(".cl-settings")).toBeNull();
  const own = lens.geometry.value;
  act(() => button("Try other settings on a copy").click());
  const select = all<HTMLSelectElement>(".cl-settings select")[0] as HTMLSelectElement;
  act(() => {
    select.value = "same";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  answered();
  act(() => model.set("_state", { ...model.get("_state"), own }));
  expect(all("code").map((code) => code.textContent)).toEqual([
    'layer = keras.layers.Conv2D(4, (4, 4), activation="relu")',
    'layer = keras.layers.Conv2D(4, (4, 4), padding="same", activation="relu")',
  ]);
  expect(all(".cl-settings input[type=checkbox]")).toHaveLength(0);
  act(() => button("Back to your layer's settings").click());
  expect(python.waiting.at(-1)?.content).toMatchObject({ type: "configure", settings: { padding: "valid" } });
});

test("a press shows the padding: a pixel at the border, whose patch lies partly in it", () => {
  const { lens, button, all } = panel({ settings: { padding: "same" } });
  act(() => button("Layer").click());
  act(() => button("See it at the border").click());
  expect(lens.pixel.value).toEqual([0, 0]);
  expect(lens.explained.value).toBe("pixel");
  expect(all("[aria-label=patch] [data-padding]").length).toBeGreaterThan(0);
});

test("an even kernel that is padded below and right alone is shown there", () => {
  const kernels = [Float32Array.of(1, 2, 3, 4)];
  const { lens, button } = panel({ rows: 5, cols: 6, size: 2, kernels, settings: { padding: "same" } });
  // Of a 2×2 kernel the one zero comes after, as in TensorFlow.
  expect(lens.geometry.value.pads).toEqual([0, 1, 0, 1]);
  act(() => button("Layer").click());
  act(() => button("See it at the border").click());
  expect(lens.pixel.value).toEqual([4, 5]);
});

test("without padding there is no border to see", () => {
  const { button } = panel();
  act(() => button("Layer").click());
  expect(button("See it at the border").disabled).toBe(true);
});

test("the shapes are those of the user's own layer, of one filter, and the copy's beside them", () => {
  const { python, model, lens, button, strip } = panel({ rows: 24, cols: 32, settings: { builtin: false } });
  const own = { ...python.geometry, filters: 1, weight_shape: [4, 4, 1, 1] };
  act(() => model.set("_state", { ...model.get("_state"), own }));
  act(() => lens.select(2));
  act(() => button("Shapes").click());
  expect(strip.textContent).toContain("Why 4 × 4 × 1 × 1?");
  expect(strip.textContent).toContain("has as many filters: 4 × 4 × 1 × 4.");
  const code = [...strip.querySelectorAll(".cl-ledger code")].map((one) => one.textContent);
  expect(code).toEqual([
    "x = np.reshape(img, (1, 24, 32, 1))",
    "kernel = np.reshape(lens.kernels[2], (4, 4, 1, 1))",
    "bias = np.zeros(1)\nlayer.set_weights([kernel, bias])",
    "maps = layer(x)",
  ]);
});

test("diagnostics come from Python, and are asked for again when the kernel changes", async () => {
  const { lens, button, strip, answered } = panel();
  act(() => button("Kernel").click());
  const sum = () => strip.querySelector("dd")?.textContent;
  await vi.waitFor(() => {
    answered();
    expect(sum()).toContain("0:");
  });
  act(() => lens.edit([{ uid: lens.filters.value[0]?.uid ?? -1, taps: { index: [0], value: [4] } }]));
  await vi.waitFor(() => {
    answered();
    expect(sum()).toContain("5:");
  });
});

test("without a kernel the diagnostics say so", async () => {
  const { python, button, strip } = panel();
  act(() => python.models[0]?.trigger("comm:close"));
  act(() => button("Kernel").click());
  await vi.waitFor(() => expect(strip.textContent).toContain("Python is not connected"));
});

test("code comes from Python into a text that can be selected", async () => {
  const { button, all, answered } = panel();
  act(() => button("Export").click());
  act(() => button("NumPy code").click());
  await vi.waitFor(() => {
    answered();
    expect(all<HTMLTextAreaElement>("textarea")[0]?.value).toBe("# numpy\n");
  });
  expect(all<HTMLTextAreaElement>("textarea")[0]?.readOnly).toBe(true);
});

test("kernels leave as JSON and come back: another number of another size, with bias and names", async () => {
  const { lens, button, all, answered, strip } = panel();
  act(() => button("Export").click());
  act(() => button("Kernels as JSON").click());
  const area = await vi.waitFor(() => {
    const found = all<HTMLTextAreaElement>("textarea")[0];
    if (!found) throw new Error("there is no text yet");
    return found;
  });
  expect(JSON.parse(area.value).kernels).toHaveLength(4);
  act(() => {
    area.value = '{"convlens": 1, "kernels": [[[1]], [[2]]], "bias": [0, 3], "names": ["one", "two"]}';
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  act(() => button("Put into the lens").click());
  await vi.waitFor(() => {
    answered();
    expect(lens.filters.value.map(({ kernel }) => [...kernel.value])).toEqual([[1], [2]]);
    expect(lens.filters.value.map(({ bias }) => bias.value)).toEqual([0, 3]);
    expect(lens.names.value).toEqual(["one", "two"]);
  });
  act(() => {
    area.value = "[1, 2]";
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  act(() => button("Put into the lens").click());
  expect(strip.querySelector("[role=status]")?.textContent).toContain('no "convlens"');
});
