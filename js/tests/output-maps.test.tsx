// @vitest-environment happy-dom
/** An output that is a picture: what is requested, what is drawn, and the text about it. */
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { App } from "../components/App.tsx";
import { changeWords } from "../components/network/OutputMaps.tsx";
import { Flag, type Palette } from "../paint/colors.ts";
import { outputRange, paintOutput } from "../paint/output.ts";
import type { OutputMapsRecord } from "../protocol/messages.ts";
import type { LayerRecord } from "../protocol/records.ts";
import { OutputMaps, SAVED } from "../queries/output-maps.ts";
import { Lens } from "../state/lens.ts";
import { SETTLE_MS } from "../state/user-model.ts";
import { fixture } from "./fake-host.ts";
import { PlayedSchedule } from "./play.ts";
import { quantise } from "./reference.ts";

const LAYER: LayerRecord = {
  path: "conv",
  class_name: "Conv2D",
  input_shape: [8, 9, 1],
  output_shape: [6, 7, 4],
  kernel_size: [3, 3],
  filters: 4,
};

function maps(before: number[], after: number[], size: [number, number]): OutputMapsRecord {
  const map = (values: number[]) => {
    const all = Float32Array.from(values);
    return quantise(all, all, "activation", size);
  };
  const difference = map(after.map((value, i) => value - (before[i] as number)));
  return { channel: 0, size, before: map(before), after: map(after), difference };
}

/** The level of a pixel is its colour. */
const LEVELS: Palette = {
  colors: Uint32Array.from({ length: 256 }, (_, i) => i),
  special: (flag) => 1000 + flag,
};

function painted(of: OutputMapsRecord, side: "before" | "after" | "difference") {
  const [rows, cols] = of.size;
  const target = { pixels: new Uint32Array(rows * cols), width: cols, height: rows };
  paintOutput(target, { x: 0, y: 0, width: cols, height: rows }, { maps: of, grid: null }, side, LEVELS);
  return [...target.pixels];
}

describe("the maps of an output", () => {
  test("before and after have the same colour for the same value, whatever the range of each is", () => {
    const of = maps([0, 1, 0.5, 1], [0, 4, 2, 1], [2, 2]);
    expect(outputRange(of, "before")).toEqual([0, 4]);
    expect(outputRange(of, "after")).toEqual([0, 4]);
    // 256 levels over 0 to 4; 8 bits over 0 to 1 put 0.5 into the middle of an interval.
    expect(painted(of, "before")).toEqual([0, 63, 32, 63]);
    expect(painted(of, "after")).toEqual([0, 255, 128, 64]);
  });

  test("the difference is drawn over a range that is symmetric about 0", () => {
    const of = maps([1, 1, 1], [1, 0.5, 3], [1, 3]);
    expect(outputRange(of, "difference")).toEqual([-2, 2]);
    const [none, less, more] = painted(of, "difference");
    expect(Math.abs((none as number) - 128)).toBeLessThanOrEqual(1);
    expect(less).toBe(96);
    expect(more).toBeGreaterThanOrEqual(254);
  });

  test("where nothing changed the difference has the middle colour, not the lowest", () => {
    expect(painted(maps([1, 2], [1, 2], [1, 2]), "difference")).toEqual([128, 128]);
  });

  test("what is no number looks like none", () => {
    const of = maps([1, 2, 3], [1, Number.NaN, Number.POSITIVE_INFINITY], [1, 3]);
    expect(painted(of, "after").slice(1)).toEqual([1000 + Flag.nan, 1000 + Flag.posinf]);
    expect(painted(of, "difference").slice(1)).toEqual([1000 + Flag.nan, 1000 + Flag.posinf]);
  });

  test("a part lies where it was cut out", () => {
    // Rows 1 to 2 and columns 2 to 3 of 4 × 4 pixels.
    const of: OutputMapsRecord = { ...maps([0, 1, 2, 3], [0, 1, 2, 3], [2, 2]), size: [4, 4] };
    const target = { pixels: new Uint32Array(16), width: 4, height: 4 };
    const grid = {
      part: [1, 3, 2, 4] as [number, number, number, number],
      shape: [2, 2] as [number, number],
    };
    paintOutput(target, { x: 0, y: 0, width: 4, height: 4 }, { maps: of, grid }, "after", LEVELS);
    expect([...target.pixels]).toEqual([0, 0, 0, 0, 0, 0, 0, 85, 0, 0, 170, 255, 0, 0, 0, 0]);
  });

  test("are told in a sentence", () => {
    expect(changeWords(maps([1, 2, 3, 4], [1, 2, 3, 4], [2, 2]))).toBe("The edits change no pixel.");
    expect(changeWords(maps([1, 2], [1, 3], [1, 2]), true)).toBe(
      "The edits change 50 % of the steps, by 1 at most.",
    );
    expect(changeWords(maps([1, 2, 3, 4], [1, 2, 3, 2.5], [2, 2]))).toBe(
      "The edits change 25 % of the pixels, by 1.5 at most.",
    );
  });
});

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A lens on a model whose output has 2 × 3 pixels of two channels. */
function app() {
  const { python, model } = fixture({ rows: 8, cols: 9, size: 3, kernels: kernels(), layers: [LAYER] });
  const before = Float32Array.of(0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15);
  python.output = { shape: [2, 3, 2], before, after: before.slice() };
  model.receiveTraits({ _state: { ...model.get("_state"), output: [2, 3, 2] } });
  const schedule = new PlayedSchedule();
  const lens = new Lens(model.afm, schedule);
  const root = document.body.appendChild(document.createElement("div"));
  act(() => render(<App lens={lens} />, root));
  act(() => python.pump());
  open.push(() => {
    render(null, root);
    lens.dispose();
    root.remove();
  });
  const panel = () => root.querySelector(".cl-predictions") as HTMLElement;
  const settled = async () => {
    act(() => schedule.pass(SETTLE_MS));
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(panel().getAttribute("aria-busy")).toBe("false");
    });
  };
  const sent = (type: string) => model.sent.filter(({ content }) => content.type === type);
  const labels = () =>
    [...panel().querySelectorAll(".cl-frame")].map((frame) => frame.getAttribute("aria-label"));
  return { python, model, lens, root, panel, settled, sent, labels };
}

const kernels = () => [1, 2, 3, 4].map((f) => new Float32Array(9).fill(f / 9));

describe("the panel of an output that is a picture", () => {
  test("has its three places before the model has run, so that nothing moves when the maps come", async () => {
    const { panel, settled } = app();
    expect(panel().querySelectorAll(".cl-output")).toHaveLength(3);
    expect(panel().getAttribute("aria-busy")).toBe("true");
    const elements = panel().querySelectorAll("*").length;
    await settled();
    expect(panel().querySelectorAll("*").length - elements).toBeLessThanOrEqual(2); // marks of 0 on the bars
    expect(panel().textContent).toContain("The edits change no pixel.");
  });

  test("names the channel by the user's label, for a screen reader as well", async () => {
    const { model, panel, settled, labels } = app();
    act(() => model.receiveTraits({ labels: ["road", "sky"] }));
    await settled();
    expect([...panel().querySelectorAll("option")].map((one) => one.textContent)).toEqual(["road", "sky"]);
    expect(labels()).toEqual([
      "Output before the edits, road, 2 rows, 3 columns",
      "Output after the edits, road, 2 rows, 3 columns",
      "Output after minus before the edits, road, 2 rows, 3 columns",
    ]);
  });

  test("another channel is asked for without running the model again", async () => {
    const { lens, panel, settled, sent } = app();
    await settled();
    const runs = sent("predict").length;
    const select = panel().querySelector("select") as HTMLSelectElement;
    act(() => {
      select.value = "1";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await settled();
    expect(sent("output_maps").map(({ content }) => content.channel)).toEqual([0, 1]);
    expect(sent("predict")).toHaveLength(runs);
    expect(lens.network.outputMaps.shown.value?.maps.before.range).toEqual([10, 15]);
  });

  test("follows an edit, and says what it changes", async () => {
    const { python, lens, panel, settled } = app();
    await settled();
    const { before, shape } = python.output ?? { before: new Float32Array(), shape: [0, 0, 0] };
    python.output = {
      shape: shape as [number, number, number],
      before,
      after: before.map((value, i) => (i === 4 ? value - 0.75 : value)),
    };
    act(() => lens.edit([{ uid: lens.filters.value[0]?.uid ?? 0, bias: 2 }]));
    act(() => python.pump());
    expect(panel().getAttribute("aria-busy")).toBe("true");
    // What is drawn stays until the new maps are here.
    expect(lens.network.outputMaps.shown.value?.maps.after.range).toEqual([0, 5]);
    await settled();
    expect(panel().textContent).toContain("The edits change 17 % of the pixels, by 0.75 at most.");
    expect(lens.network.outputMaps.shown.value?.maps.difference.range).toEqual([-0.75, 0]);
  });

  test("reads Keras's own values out at the pixel that is chosen by keys", async () => {
    const { python, lens, panel, settled } = app();
    await settled();
    const frame = panel().querySelector(".cl-frame") as HTMLElement;
    const press = (key: string) =>
      act(() => void frame.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })));
    press(" ");
    const start = panel().querySelector(".cl-where")?.textContent;
    press("ArrowRight");
    expect(panel().querySelector(".cl-where")?.textContent).not.toBe(start);
    expect(lens.pixel.value).toBeNull();
    await settled();
    const [row, col] = (panel().querySelector(".cl-where")?.textContent ?? "").match(/\d+/g) ?? [];
    const value = 3 * Number(row) + Number(col);
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(panel().querySelector("output")?.textContent).toMatch(new RegExp(`: ${value}$`));
    });
  });

  test("is asked for again when another output is chosen in Python", async () => {
    const { python, model, panel, settled, sent } = app();
    await settled();
    const runs = sent("predict").length;
    python.output = null;
    python.predict = () => ({ before: Float32Array.of(0.75, 0.25), after: Float32Array.of(0.25, 0.75) });
    python.generation++;
    const state = { ...model.get("_state"), generation: python.generation, output: null };
    act(() => model.receiveTraits({ _state: state }));
    await settled();
    expect(sent("predict")).toHaveLength(runs + 1);
    expect(panel().querySelector(".cl-outputs")).toBeNull();
    expect(panel().textContent).toContain("The edits turn class 0 into class 1.");
  });
});

describe("asking for an output", () => {
  const answer = maps([0, 1], [1, 0], [1, 2]);

  test("of what piles up while one answer is on its way, the newest is asked for and no other", async () => {
    const asked: number[] = [];
    let reply = () => {};
    const ask = (request: { channel?: number }) => {
      asked.push(request.channel ?? -1);
      return new Promise((resolve) => {
        reply = () => resolve({ output_maps: { ...answer, channel: request.channel } });
      });
    };
    const outputs = new OutputMaps({ ask } as never);
    for (const channel of [0, 1, 2, 3]) outputs.want({ version: 1, channel, grid: null });
    expect(asked).toEqual([0]);
    reply();
    await vi.waitFor(() => expect(asked).toEqual([0, 3]));
    reply();
    await vi.waitFor(() => expect(outputs.shown.value?.channel).toBe(3));
    outputs.want({ version: 1, channel: 3, grid: null });
    expect(asked).toEqual([0, 3]);
  });

  test("a saved page answers itself: its maps, and its values where it has them", () => {
    const ask = () => Promise.reject(new Error("nobody is there"));
    const values = new Uint8Array(Float32Array.of(0, 0.1, 1, 0.25).buffer);
    const outputs = new OutputMaps({ ask } as never, [
      { ...answer, values: values as never },
      { ...answer, channel: 1 },
    ]);
    outputs.want({ version: SAVED, channel: 0, grid: null });
    expect(outputs.shown.value?.maps.after).toBe(answer.after);
    const before = Math.fround(0.1);
    expect(outputs.valuesAt({ version: SAVED, channel: 0 }, 0, 1)).toEqual([before, 0.25]);
    expect(outputs.valuesAt({ version: SAVED, channel: 1 }, 0, 1)).toBeNull();
    outputs.want({ version: SAVED, channel: 2, grid: null });
    expect(outputs.shown.value).toBeNull();
  });
});
