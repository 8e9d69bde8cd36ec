// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LayerRecord } from "../protocol/records.ts";
import { panel } from "./explain-panel.tsx";
import { unmountAll } from "./mounted.tsx";

let reduced = false;

beforeEach(() => {
  reduced = false;
  vi.stubGlobal("matchMedia", () => ({ matches: reduced }));
});

afterEach(() => {
  unmountAll();
  vi.unstubAllGlobals();
});

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
