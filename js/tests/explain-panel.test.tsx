// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LayerRecord } from "../protocol/records.ts";
import type { FixtureOptions } from "./fake-host.ts";
import { mounted, unmountAll } from "./mounted.tsx";

let reduced = false;

beforeEach(() => {
  reduced = false;
  vi.stubGlobal("matchMedia", () => ({ matches: reduced }));
});

afterEach(() => {
  unmountAll();
  vi.unstubAllGlobals();
});

function panel(options: FixtureOptions = {}) {
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

test("without a pinned pixel there is one sentence on how to pin one", () => {
  const { strip } = panel();
  expect(strip.querySelector("[role=tabpanel]")?.textContent).toContain("Click a pixel of a map");
});

const ramp = Uint8Array.from({ length: 30 }, (_, i) => i * 8);

test("a pinned pixel is taken apart: patch × kernel = products, their sum, the bias and Keras's value", async () => {
  const settings = { activation: "relu" };
  const { lens, strip, plane, pin } = panel({
    rows: 5,
    cols: 6,
    pixels: ramp,
    size: 2,
    kernels: [Float32Array.of(1, 0, 0, -2)],
    settings,
  });
  await pin(1, 2);
  // The image is i × 8 / 255 at flat index i: rows 1 and 2, columns 2 and 3 are 8, 9, 14, 15.
  const unit = 8 / 255;
  expect(plane("patch").map(Number)).toEqual([8, 9, 14, 15].map((i) => Number((i * unit).toPrecision(3))));
  expect(plane("kernel")).toEqual(["1", "0", "0", "−2"]);
  expect(plane("products").map((text) => Number(text?.replace("−", "-")))).toEqual([
    expect.closeTo(8 * unit, 2),
    0,
    0,
    expect.closeTo(-30 * unit, 2),
  ]);
  const sum = strip.querySelector(".cl-sum")?.textContent ?? "";
  expect(sum).toContain((-22 * unit).toFixed(4).replace("-", "−"));
  expect(sum).toContain("before relu");
  expect(sum).toContain("The pre-activation: the sum of all products and the bias");
  await vi.waitFor(() => expect(strip.querySelector("[data-result]")?.textContent).toBe("0 Keras"));
  expect(lens.valueAt(lens.filters.value[0]?.uid ?? -1, 1, 2)?.pre_activation).toBeCloseTo(-22 * unit, 5);
});

test("a colour image has one row of planes a channel, named, and a sum for each", async () => {
  const { all, strip, pin } = panel({ channels: 3 });
  await pin(0, 0);
  expect(all("[role=table]").map((table) => table.getAttribute("aria-label"))).toEqual(
    ["red", "green", "blue"].flatMap((name) => [`${name} patch`, `${name} kernel`, `${name} products`]),
  );
  const labels = [...strip.querySelectorAll(".cl-sum small")].map((small) => small.textContent);
  expect(labels.slice(0, 4)).toEqual(["Σ red", "Σ green", "Σ blue", "bias"]);
});

test("taps in the padding are drawn as padding", async () => {
  const { all, strip, pin } = panel({ settings: { padding: "same" } });
  await pin(0, 0);
  // A 4×4 kernel is padded by one row above and one column left: 4 + 4 − 1 cells.
  const padded = all("[aria-label=patch] [data-padding]");
  expect(padded).toHaveLength(7);
  expect(new Set(padded.map((cell) => `${cell.textContent}|${cell.title}`))).toEqual(
    new Set(["0|0, padding"]),
  );
  expect(strip.textContent).toContain("7 of its 16 cells lie in the padding");
});

test("the switch to convolution turns the drawing of the kernel and not the result", async () => {
  const kernels = [Float32Array.of(1, 2, 3, 4)];
  const { all, plane, pin, strip } = panel({ rows: 5, cols: 6, pixels: ramp, size: 2, kernels });
  await pin(0, 0);
  const products = plane("products");
  expect(strip.querySelector(".cl-flip")?.textContent).toContain("Keras computes a cross-correlation");
  const radio = all<HTMLInputElement>("input[type=radio]")[1];
  act(() => radio?.click());
  expect(plane("kernel")).toEqual(["4", "3", "2", "1"]);
  expect(plane("products")).toEqual(products);
  expect(strip.querySelector(".cl-flip")?.textContent).toContain("gives the same");
});

const DEEP: LayerRecord = {
  path: "block/conv",
  class_name: "Conv2D",
  input_shape: [6, 7, 6],
  output_shape: [5, 6, 2],
  kernel_size: [2, 2],
  filters: 2,
};

/** A layer inside a model that is fed six channels of 6 × 7, with kernels of ones and of twos. */
function deep() {
  const kernels = [1, 2].map((value) => new Float32Array(24).fill(value));
  return panel({
    rows: 6,
    cols: 7,
    channels: 6,
    size: 2,
    kernels,
    layers: [DEEP],
    settings: { activation: "relu" },
  });
}

test("inside a model the patch comes from Python, and the sum is Keras's", async () => {
  const { lens, strip, all, answered, pin } = deep();
  await pin(2, 3);
  await vi.waitFor(() => {
    answered();
    expect(all(".cl-product")).toHaveLength(6);
  });
  const uid = lens.filters.value[0]?.uid ?? -1;
  const patch = lens.patchAt(uid, 2, 3);
  if (!patch || patch instanceof Error) throw new Error("there is no patch");
  // All weights are 1: the sum is that of the patch.
  const sum = patch.values.reduce((a, b) => a + b, 0);
  await vi.waitFor(() => expect(strip.querySelector("[data-result]")?.textContent).toContain("Keras"));
  expect(lens.valueAt(uid, 2, 3)).toEqual({
    activation: expect.closeTo(sum, 4),
    pre_activation: expect.closeTo(sum, 4),
    exact: true,
  });
  expect(strip.querySelector(".cl-kalert")).toBeNull();
  expect(strip.textContent).toContain("The patch is rows 2 to 3, cols 3 to 4 of the input.");
  expect(strip.textContent).toContain("Σ of all 6 channels");
});

test("an edit inside a model is multiplied with the patch that is here, before Python answers", async () => {
  const { python, lens, all, answered, plane, pin } = deep();
  await pin(2, 3);
  await vi.waitFor(() => {
    answered();
    expect(all(".cl-product")).toHaveLength(6);
  });
  const order = all(".cl-channel").map((button) => button.textContent);
  act(() => lens.edit([{ uid: lens.filters.value[0]?.uid ?? -1, taps: { index: [0], value: [-8] } }]));
  expect(plane("channel 0 kernel")).toEqual(["−8", "1", "1", "1"]);
  const [value, product] = [plane("channel 0 patch")[0], plane("channel 0 products")[0]];
  expect(Number(product?.replace("−", "-"))).toBeCloseTo(-8 * Number(value), 1);
  expect(all(".cl-channel").map((button) => button.textContent)).toEqual(order);
  expect(python.waiting.some(({ content }) => (content as { type: string }).type === "edit")).toBe(true);
});

test("of many channels those with the largest sums come first, and the rest is summed up", async () => {
  const kernels = [Float32Array.from({ length: 40 }, (_, k) => (k % 2 ? -k : k))];
  const layers = [
    { ...DEEP, input_shape: [6, 7, 40] as [number, number, number], kernel_size: [1, 1] as [number, number] },
  ];
  const { lens, all, answered, pin, strip, button } = panel({
    rows: 6,
    cols: 7,
    channels: 40,
    size: 1,
    kernels,
    layers,
  });
  await pin(0, 0);
  await vi.waitFor(() => {
    answered();
    expect(all(".cl-product")).toHaveLength(8);
  });
  const patch = lens.patchAt(lens.filters.value[0]?.uid ?? -1, 0, 0);
  if (!patch || patch instanceof Error) throw new Error("there is no patch");
  const products = [...patch.values].map((value, k) => value * (k % 2 ? -k : k));
  const largest = [...products.keys()].sort(
    (a, b) => Math.abs(products[b] ?? 0) - Math.abs(products[a] ?? 0),
  );
  expect(all(".cl-channel").map((one) => one.textContent)).toEqual(
    largest.slice(0, 8).map((k) => `channel ${k}`),
  );
  expect(strip.textContent).toContain("The other 32 channels together");
  act(() => button("Show 32 more").click());
  expect(all(".cl-product")).toHaveLength(40);
  expect(strip.textContent).not.toContain("channels together:");
});

test("the channel that is pressed is shown as a picture of the layer's input", async () => {
  const { all, answered, pin, strip, button } = deep();
  await pin(2, 3);
  await vi.waitFor(() => {
    answered();
    expect(strip.querySelector(".cl-layerinput .cl-legend-range")).not.toBeNull();
  });
  act(() => button("channel 4").click());
  await vi.waitFor(() => {
    answered();
    expect(strip.querySelector(".cl-layerinput")?.textContent).toContain("channel 4 of 6");
  });
  expect(all('.cl-channel[aria-pressed="true"]').map((one) => one.textContent)).toEqual(["channel 4"]);
});

test("where nobody can say what the layer is fed, Python is named as the place to ask", async () => {
  const { python, strip, pin } = deep();
  act(() => python.models[0]?.trigger("comm:close"));
  await pin(2, 3);
  await vi.waitFor(() => expect(strip.textContent).toContain("lens.explain(0, 2, 3)"));
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

test("the slide steps from pixel to pixel, row after row, and veils what it has not reached", () => {
  const { lens, button } = panel({ rows: 5, cols: 6 });
  act(() => button("One pixel forward").click());
  expect(lens.pixel.value).toEqual([0, 0]);
  expect(lens.sliding.value).toBe(true);
  for (let i = 0; i < 3; i++) act(() => button("One pixel forward").click());
  // The map is 2 × 3: after three pixels a new row begins.
  expect(lens.pixel.value).toEqual([1, 0]);
  act(() => button("One pixel back").click());
  expect(lens.pixel.value).toEqual([0, 2]);
  act(() => button("End the slide and show the whole maps").click());
  expect(lens.sliding.value).toBe(false);
});

test("an edit ends the slide, and so does letting the pixel go", () => {
  const { lens, button, answered } = panel({ rows: 5, cols: 6 });
  const slide = () => act(() => button("One pixel forward").click());
  const end = () => button("End the slide and show the whole maps");
  expect(end().disabled).toBe(true);
  slide();
  expect(end().disabled).toBe(false);
  act(() => lens.edit([{ uid: lens.filters.value[0]?.uid ?? -1, taps: { index: [0], value: [4] } }]));
  expect(lens.sliding.value).toBe(false);
  answered();
  slide();
  expect(lens.sliding.value).toBe(true);
  act(() => lens.undo());
  answered();
  expect(lens.sliding.value).toBe(false);
  slide();
  act(() => lens.pin(null));
  expect(lens.sliding.value).toBe(false);
});

test("what the slide has not reached is hatched by a pattern of its own in each map", () => {
  const { root, button } = panel({ rows: 5, cols: 6 });
  act(() => button("One pixel forward").click());
  const veils = [...root.querySelectorAll(".cl-veil")];
  const patterns = veils.map((veil) => veil.querySelector("pattern")?.id);
  expect(new Set(patterns).size).toBe(veils.length);
  veils.forEach((veil, i) => {
    const fills = [...veil.children].slice(1).map((rect) => rect.getAttribute("fill"));
    expect(fills).toEqual([`url(#${patterns[i]})`, `url(#${patterns[i]})`]);
  });
});

test("filters are listed by their values at the pinned pixel, the greatest first", async () => {
  const kernels = [1, 3, 2].map((value) => Float32Array.of(value, 0, 0, 0));
  const { lens, strip, all, pin } = panel({ rows: 5, cols: 6, pixels: ramp, size: 2, kernels });
  await pin(1, 2);
  const details = [...strip.querySelectorAll("details")].at(-1) as HTMLDetailsElement;
  expect(details.textContent).toBe("Which filter responds most here?");
  act(() => {
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
  });
  expect(all(".cl-answers button").map((one) => one.textContent)).toEqual([
    "Filter 2",
    "Filter 3",
    "Filter 1",
  ]);
  act(() => all(".cl-answers button")[1]?.click());
  expect(lens.selected.value).toBe(2);
});

test("under reduced motion the slide does not play, and steps", () => {
  reduced = true;
  const { lens, button } = panel();
  expect(button("Play").disabled).toBe(true);
  act(() => button("One pixel forward").click());
  expect(lens.pixel.value).toEqual([0, 0]);
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
