// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { App } from "../components/App.tsx";
import { found } from "../components/network/LayerChooser.tsx";
import { difference, topClasses } from "../components/network/Predictions.tsx";
import { snapshotWords } from "../components/network/Training.tsx";
import { matching, sorted } from "../components/network/useRanking.ts";
import type { LayerRecord } from "../protocol/records.ts";
import { SETTLE_MS } from "../state/user-model.ts";
import type { FixtureOptions } from "./fake-host.ts";
import { played } from "./play.ts";

const layer = (path: string, size: number, filters: number): LayerRecord => ({
  path,
  class_name: path.endsWith("dw") ? "DepthwiseConv2D" : "Conv2D",
  input_shape: [size, size, 8],
  output_shape: [size, size, filters],
  kernel_size: [3, 3],
  filters,
});
const LAYERS = [layer("stem/conv", 112, 16), layer("block1/dw", 56, 16), layer("block1/conv", 56, 64)];

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

function app(options: FixtureOptions = { layers: LAYERS }) {
  const play = played({ rows: 8, cols: 9, size: 3, kernels: numbered(3), ...options });
  const root = document.body.appendChild(document.createElement("div"));
  act(() => render(<App lens={play.lens} />, root));
  act(() => play.python.pump());
  open.push(() => {
    render(null, root);
    play.lens.dispose();
    root.remove();
  });
  const get = <E extends HTMLElement = HTMLElement>(selector: string): E => {
    const one = root.querySelector<E>(selector);
    if (!one) throw new Error(`nothing matches ${selector}`);
    return one;
  };
  const all = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
  const key = (target: Element, name: string) =>
    act(() => void target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true })));
  const type = (target: HTMLInputElement, text: string) =>
    act(() => {
      target.value = text;
      target.dispatchEvent(new Event("input", { bubbles: true }));
    });
  const sent = (name: string) => play.model.sent.filter(({ content }) => content.type === name);
  return { ...play, root, get, all, key, type, sent };
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, f) => Float32Array.from({ length: 9 }, (_, i) => (i === 4 ? f + 1 : 0)));

describe("the layer chooser", () => {
  test("is not there without a model", () => {
    expect(app({}).all("[role=combobox]")).toEqual([]);
  });

  test("finds layers by every word of what is typed, in path, class or shape", () => {
    const paths = (query: string) => found(LAYERS, query).map(({ path }) => path);
    expect(paths("")).toHaveLength(3);
    expect(paths("block1 64")).toEqual(["block1/conv"]);
    expect(paths("DEPTHWISE")).toEqual(["block1/dw"]);
    expect(paths("block2")).toEqual([]);
  });

  test("opens a layer with arrows and Enter, and says which option is meant", () => {
    const { get, all, key, sent } = app();
    const field = get<HTMLInputElement>("[role=combobox]");
    expect(field.value).toBe("stem/conv");
    key(field, "ArrowDown");
    expect(field.getAttribute("aria-expanded")).toBe("true");
    key(field, "ArrowDown");
    const marked = all("[role=option]").find((one) => one.id === field.getAttribute("aria-activedescendant"));
    expect(marked?.textContent).toContain("block1/dw");
    expect(marked?.getAttribute("aria-selected")).toBe("true");
    key(field, "Enter");
    expect(field.getAttribute("aria-expanded")).toBe("false");
    expect(sent("set").at(-1)?.content).toMatchObject({ name: "layer_path", value: "block1/dw" });
  });

  test("puts back what it showed on Escape, and asks for nothing", () => {
    const { get, key, type, sent } = app();
    const field = get<HTMLInputElement>("[role=combobox]");
    type(field, "block1");
    key(field, "Escape");
    expect(field.value).toBe("stem/conv");
    expect(sent("set")).toEqual([]);
  });

  test("opens no other layer while Python is not connected", () => {
    const { get, all, key, model, sent } = app();
    act(() => model.trigger("comm:close"));
    const field = get<HTMLInputElement>("[role=combobox]");
    key(field, "ArrowDown");
    expect(get("[role=listbox] p").textContent).toBe("Another layer takes Python.");
    const options = all("[role=listbox] [role=option].cl-layer");
    expect(options.map((one) => one.getAttribute("aria-disabled"))).toEqual([null, "true", "true"]);
    act(() => options[1]?.click());
    key(field, "ArrowDown");
    key(field, "Enter");
    act(() => void all(".cl-bars > g")[2]?.dispatchEvent(new MouseEvent("click", { bubbles: true })));
    expect(sent("set")).toEqual([]);
    key(field, "Escape");
    expect(field.value).toBe("stem/conv");
  });

  test("has a bar for each layer, with the open one marked", () => {
    const { all } = app();
    expect(all(".cl-bars > g")).toHaveLength(3);
    expect(all(".cl-bars > g").map((bar) => bar.hasAttribute("data-on"))).toEqual([true, false, false]);
  });
});

describe("predictions", () => {
  test("are the five classes with the greatest value before or after", () => {
    const before = Float32Array.of(0.5, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05);
    const after = Float32Array.of(0.01, 0.1, 0.1, 0.1, 0.1, 0.05, 0.54);
    expect(topClasses(before, after)).toEqual([6, 0, 1, 2, 3]);
  });

  test("differ by what is more than rounding", () => {
    expect(difference(0.25, 0.75)).toBe("+0.5");
    expect(difference(0.75, 0.5)).toBe("−0.25");
    expect(difference(0.3, Math.fround(0.3))).toBe("0");
  });

  test("are shown in words, with the labels that the user gave", async () => {
    const { python, schedule, get, model } = app();
    model.receiveTraits({ labels: ["cat"] });
    python.predict = () => ({ before: Float32Array.of(0.75, 0.25), after: Float32Array.of(0.25, 0.75) });
    act(() => schedule.pass(SETTLE_MS));
    act(() => python.pump());
    await vi.waitFor(() => expect(get(".cl-predictions").getAttribute("aria-busy")).toBe("false"));
    expect(get(".cl-predictions").textContent).toContain("The edits turn cat into class 1.");
    expect(get(".cl-predictions li").textContent).toContain("−0.5");
  });

  test("of an output that is no vector say what it is and where it can be read", async () => {
    const { python, schedule, get } = app();
    python.note = "The model's output is an array of 12 × 10 × 2.";
    act(() => schedule.pass(SETTLE_MS));
    act(() => python.pump());
    await vi.waitFor(() => expect(get(".cl-predictions").getAttribute("aria-busy")).toBe("false"));
    expect(get(".cl-predictions").textContent).toContain(python.note);
  });
});

describe("ablation", () => {
  test("sets kernel and bias to zero with one press, and undo brings them back", () => {
    const { lens, python, all } = app();
    const filter = lens.filters.value[1];
    act(() => lens.select(1));
    act(() => lens.edit([{ uid: filter?.uid ?? 0, bias: 2 }]));
    act(() => python.pump());
    const button = all(".cl-card button").find(({ textContent }) => textContent === "Ablate");
    act(() => button?.click());
    expect([...(filter?.kernel.value ?? [1]), filter?.bias.value]).toEqual(new Array(10).fill(0));
    act(() => python.pump());
    act(() => lens.undo());
    act(() => python.pump());
    expect([filter?.kernel.value[4], filter?.bias.value]).toEqual([2, 2]);
  });
});

describe("ablation as a toggle", () => {
  test("says that the filter is off, and switches it on again with its own weights", () => {
    const { lens, python, all } = app();
    const filter = lens.filters.value[1];
    const weights = () => [...(filter?.kernel.value ?? []), filter?.bias.value];
    const given = weights();
    act(() => lens.select(1));
    const card = () => all(".cl-card")[0];
    const button = () =>
      [...(card()?.querySelectorAll("button") ?? [])].find((b) => b.textContent === "Ablate");
    const press = () => act(() => button()?.click());
    expect(button()?.getAttribute("aria-pressed")).toBe("false");
    press();
    act(() => python.pump());
    expect(button()?.getAttribute("aria-pressed")).toBe("true");
    expect(card()?.querySelector(".cl-off")?.textContent).toBe("off");
    press();
    act(() => python.pump());
    expect(weights()).toEqual(given);
    expect(card()?.querySelector(".cl-off")).toBeNull();
  });

  test("Ctrl+Z on its button takes it back, and in the name of a filter it is the field's own", () => {
    const { lens, python, all } = app();
    const filter = lens.filters.value[1];
    act(() => lens.select(1));
    act(() =>
      all(".cl-card button")
        .find((b) => b.textContent === "Ablate")
        ?.click(),
    );
    act(() => python.pump());
    const key = (target: Element | null | undefined) =>
      act(() => {
        target?.dispatchEvent(new KeyboardEvent("keydown", { key: "z", ctrlKey: true, bubbles: true }));
        python.pump();
      });
    key(all(".cl-name")[0]);
    expect(filter?.kernel.value[4]).toBe(0);
    key(all(".cl-card button").find((b) => b.textContent === "Ablate"));
    expect(filter?.kernel.value[4]).toBe(2);
  });
});

describe("the gallery", () => {
  test("ablates each filter in turn and puts the greatest loss first", async () => {
    const { lens, python, all, get } = app({ layers: LAYERS, kernels: numbered(20) });
    act(() =>
      all(".cl-overview button")
        .find((b) => b.textContent === "Ablate each")
        ?.click(),
    );
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(get(".cl-overview [role=status]").textContent).toBe(
        "20 of 20, by how far the score of class 1 falls",
      );
    });
    // The fake's score is the sum of all maps, and kernel k has k in its middle.
    expect(all(".cl-place")[0]?.getAttribute("aria-label")).toMatch(/^19: \S+, Filter 20$/);
    // What the losses are of is said once the weights are others.
    act(() => lens.edit([{ uid: lens.filters.value[0]?.uid ?? 0, bias: 1 }]));
    act(() => python.pump());
    await vi.waitFor(() =>
      expect(get(".cl-overview [role=status]").textContent).toContain("fell before an edit"),
    );
  });

  test("takes the place of cards from the seventh filter on, and in every layer of a model", () => {
    expect(app({ kernels: numbered(6) }).all(".cl-card")).toHaveLength(6);
    expect(app({ layers: LAYERS, kernels: numbered(3) }).all(".cl-card")).toHaveLength(1);
    const { all } = app({ kernels: numbered(7) });
    expect(all(".cl-card")).toHaveLength(1);
    expect(all(".cl-grid")).toHaveLength(1);
  });

  test("counts and marks the filters whose maps are 0 everywhere, also after an edit", () => {
    const { lens, python, schedule, all, get } = app({ kernels: numbered(8) });
    const status = () => get(".cl-overview [role=status]").textContent;
    expect(status()).toBe("8 of 8");
    const uid = lens.filters.value[2]?.uid ?? 0;
    act(() => lens.edit([{ uid, taps: { index: [4], value: [0] } }]));
    act(() => schedule.repaint());
    act(() => python.pump());
    expect(status()).toBe("8 of 8, 1 dead");
    expect(
      all(".cl-place")
        .map((place) => place.querySelector("mark") !== null)
        .indexOf(true),
    ).toBe(2);
    expect(all(".cl-place")[2]?.getAttribute("aria-label")).toBe("2: dead, Filter 3");
    act(() => lens.undo());
    act(() => python.pump());
    act(() => schedule.repaint());
    expect(status()).toBe("8 of 8");
  });

  test("of 2,048 filters has a few in the document, each saying its place among all", () => {
    const { all } = app({ kernels: numbered(2048) });
    const places = all("[role=option].cl-place");
    expect(places.length).toBeLessThan(100);
    expect(places[1]?.getAttribute("aria-posinset")).toBe("2");
    expect(places[1]?.getAttribute("aria-setsize")).toBe("2048");
  });

  test("chooses by key, and shows the chosen filter's kernel in full", () => {
    const { lens, get, key } = app({ kernels: numbered(40) });
    key(get(".cl-grid"), "End");
    expect(lens.selected.value).toBe(39);
    expect(get(".cl-opened [data-at='0,1,1']").getAttribute("aria-label")).toContain("40");
  });

  test("is searched by index and by part of a name", () => {
    const names = ["edge", "blur", ...Array.from({ length: 10 }, (_, i) => `noise ${i}`)];
    expect(matching(names, "1")).toEqual([1, 10, 11]);
    expect(matching(names, " BLU ")).toEqual([1]);
    expect(matching(names, "")).toHaveLength(12);
  });

  test("is sorted with the greatest first and NaN last", () => {
    expect(sorted([0, 1, 2, 3], Float32Array.of(1, Number.NaN, 5, 1))).toEqual([2, 0, 3, 1]);
  });

  test("asks Python for the numbers that it sorts by, and shows them", async () => {
    const { python, get, all } = app({ kernels: numbered(20) });
    const select = get<HTMLSelectElement>(".cl-overview select");
    act(() => {
      select.value = "norm";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    act(() => python.pump());
    // Kernel f holds f + 1 and zeros: that is its norm.
    await vi.waitFor(() => expect(all(".cl-place")[0]?.getAttribute("aria-label")).toBe("19: 20, Filter 20"));
  });
});

describe("a filter that is nearly silent", () => {
  const weights = [1e-34, 4, 0.005, 0, 0.002, 1e-34, 0.5];
  const kernels = weights.map((weight) => Float32Array.from({ length: 9 }, (_, i) => (i === 4 ? weight : 0)));
  // Each map is the picture times the weight, so that ranges are to each other as weights are: 0.002 / 4 = 1 / 2,000,
  // and 0.005 / 4 = 1 / 800. Two maps are beyond the edge, but count.
  const said = ["1/4e34", "", "", "", "1/2,000"];
  const label = (share: string, i: number) =>
    `${i}: ${i === 3 ? "dead, " : ""}${share && `nearly silent: ${share} of the layer's range, `}Filter ${i + 1}`;

  test("says so with its share of the layer's range in the gallery, on its card and in focus", () => {
    const { lens, python, get, all } = app({ layers: LAYERS, kernels });
    const labels = () => all(".cl-place").map((place) => place.getAttribute("aria-label"));
    expect(labels()).toEqual(said.map(label));
    expect(get(".cl-overview [role=status]").textContent).toBe("7 of 7, 1 dead, 3 nearly silent");
    const place = all(".cl-place")[4];
    expect(place?.querySelector("mark")?.textContent).toBe("nearly silent");
    expect(place?.textContent).toContain("1/2,000");
    act(() => lens.select(4));
    act(() => python.pump());
    const words = "nearly silent: 1/2,000 of the layer's range";
    expect(get(".cl-opened .cl-silent").textContent).toBe(words);
    expect(get(".cl-opened .cl-map .cl-frame").getAttribute("aria-label")).toContain(words);
    act(() => lens.set("view", "focus"));
    expect(get(".cl-focus .cl-silent").textContent).toBe(words);
  });

  test("is so of the weights as they are: an edit of it, or of the widest, ends it, and undo brings it back", () => {
    const { lens, python, schedule, all } = app({ layers: LAYERS, kernels });
    const marked = () =>
      all(".cl-place").map((place) =>
        /silent: \S+/.exec(place.getAttribute("aria-label") ?? "")?.[0].slice(8),
      );
    const change = (index: number, value: number) => {
      const uid = lens.filters.value[index]?.uid ?? 0;
      act(() => lens.edit([{ uid, taps: { index: [4], value: [value] } }]));
      act(() => schedule.repaint());
      act(() => python.pump());
    };
    change(4, 0.02);
    expect(marked().indexOf("1/2,000")).toBe(-1);
    act(() => lens.undo());
    act(() => python.pump());
    act(() => schedule.repaint());
    expect(marked()[4]).toBe("1/2,000");
    change(1, 0.5);
    expect(marked()[4]).toBeUndefined();
    expect(marked()[0]).toBe("1/5e33");
  });

  test("draws as faint as it is after one press on “One range”, and vivid again after another", () => {
    const { lens, python, get, all } = app({ layers: LAYERS, kernels });
    const [silent = 0, widest = 0] = lens.filters.value.map(({ uid }) => uid);
    const button = () => all(".cl-overview button").find((one) => one.textContent === "One range");
    expect(lens.displayRange(silent)[1]).toBeLessThan(1e-33);
    act(() => button()?.click());
    act(() => python.pump());
    expect(button()?.getAttribute("aria-pressed")).toBe("true");
    expect(lens.displayRange(silent)[1]).toBe(lens.displayRange(widest)[1]);
    act(() => button()?.click());
    expect(lens.displayRange(silent)[1]).toBeLessThan(1e-33);
    expect(get(".cl-by select").getAttribute("aria-describedby")).toBe(get(".cl-by [role=tooltip]").id);
  });
});

describe("the numbers that a gallery is sorted by", () => {
  test("are worked out here without Python, but for those that take its maps or its model", async () => {
    const { lens, model, get, all } = app({ layers: LAYERS, kernels: numbered(20) });
    act(() => model.trigger("comm:close"));
    expect(lens.link.value).toBe("offline");
    const select = get<HTMLSelectElement>(".cl-overview select");
    const [energy, norm] = ["energy", "norm"].map((one) => select.querySelector(`[value=${one}]`));
    expect([energy?.hasAttribute("disabled"), norm?.hasAttribute("disabled")]).toEqual([true, false]);
    expect(energy?.textContent).toBe("energy of the map, needs Python");
    act(() => {
      select.value = "norm";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await vi.waitFor(() => expect(all(".cl-place")[0]?.getAttribute("aria-label")).toBe("19: 20, Filter 20"));
    const ablate = all(".cl-overview button").find((one) => one.textContent === "Ablate each");
    expect(ablate?.title).toBe("Running the model needs Python");
  });

  test("are the values at the pinned pixel, which must be there", async () => {
    const { lens, python, get, all } = app({ layers: LAYERS, kernels: numbered(20) });
    const select = get<HTMLSelectElement>(".cl-overview select");
    const choose = () =>
      act(() => {
        select.value = "pixel";
        select.dispatchEvent(new Event("change", { bubbles: true }));
      });
    choose();
    expect(get(".cl-overview [role=status]").textContent).toContain("Pin a pixel first");
    act(() => lens.pin([1, 1]));
    choose();
    // Kernel f holds f + 1 and zeros, over an input that is above 0.
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(all(".cl-place")[0]?.getAttribute("aria-label")).toMatch(/^19: /);
    });
  });

  test("follow an edit, while the order stays", async () => {
    const { lens, python, get, all } = app({ layers: LAYERS, kernels: numbered(20) });
    const select = get<HTMLSelectElement>(".cl-overview select");
    act(() => {
      select.value = "norm";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    act(() => python.pump());
    const first = () => all(".cl-place")[0]?.getAttribute("aria-label");
    await vi.waitFor(() => expect(first()).toBe("19: 20, Filter 20"));
    act(() => lens.select(19));
    act(() =>
      all(".cl-opened button")
        .find(({ textContent }) => textContent === "Ablate")
        ?.click(),
    );
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(first()).toBe("19: 0, Filter 20");
    });
  });
});

describe("training", () => {
  const snapshots = [
    { epoch: 0, step: 0, loss: null },
    { epoch: 1, step: 40, loss: 0.5 },
  ];

  test("names a snapshot by epoch, batch and loss", () => {
    expect(snapshots.map(snapshotWords)).toEqual(["before training", "epoch 1, batch 40, loss 0.5"]);
  });

  test("is scrubbed by a slider that says where it is, and not while it runs", () => {
    const { python, get, all, sent } = app();
    expect(all(".cl-training")).toEqual([]);
    act(() => python.assignTrait("_training", { running: true, snapshots, shown: 1 }));
    const slider = get<HTMLInputElement>(".cl-training input");
    expect(slider.disabled).toBe(true);
    act(() => python.assignTrait("_training", { running: false, snapshots, shown: 1 }));
    expect(slider.getAttribute("aria-valuetext")).toBe("epoch 1, batch 40, loss 0.5");
    act(() => {
      slider.value = "0";
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    });
    expect(sent("scrub").at(-1)?.content).toMatchObject({ index: 0 });
    expect(slider.getAttribute("aria-valuetext")).toBe("before training");
  });

  const reported = [
    { epoch: 0, step: 0, loss: null, val_loss: null },
    { epoch: 1, step: 40, loss: 0.5, val_loss: 0.75 },
    { epoch: 2, step: 80, loss: "NaN" as const, val_loss: 0.5 },
    { epoch: 3, step: 120, loss: 0.25, val_loss: 1 },
  ];

  test("draws both losses as Keras reported them, without what is no number, and says them in words", () => {
    const { python, get, all } = app();
    act(() => python.assignTrait("_training", { running: true, snapshots: reported, shown: 3 }));
    expect(get(".cl-losses title").textContent).toBe("loss from 0.5 to 0.25, val_loss from 0.75 to 1");
    // Loss 1 is at the top, 0.25 at the bottom, and each snapshot above its place on the slider.
    const drawn = all(".cl-losses path").map((path) => path.getAttribute("d"));
    const third = (1 - 0.5) / 0.75;
    expect(drawn).toEqual(["M3 0V1", `M1,${third}L3,1`, `M1,${0.25 / 0.75}L2,${third}L3,0`]);
    expect(get(".cl-training input").getAttribute("aria-valuetext")).toBe(
      "epoch 3, batch 120, loss 0.25, val_loss 1",
    );
    act(() => python.assignTrait("_training", { running: true, snapshots, shown: 1 }));
    expect(all(".cl-losses")).toEqual([]);
  });

  test("plays from the first snapshot to the last, each once Python shows the one before", async () => {
    const { python, get, all, sent } = app();
    const button = () => all(".cl-training button")[0];
    act(() => python.assignTrait("_training", { running: true, snapshots: reported, shown: 3 }));
    expect(button()).toBeUndefined();
    const shows = (shown: number) =>
      act(() => python.assignTrait("_training", { running: false, snapshots: reported, shown }));
    shows(3);
    expect(button()?.getAttribute("aria-label")).toBe("Play");
    act(() => button()?.click());
    for (let index = 0; index < 3; index++) {
      await vi.waitFor(() => expect(sent("scrub").at(-1)?.content).toMatchObject({ index }));
      expect(button()?.getAttribute("aria-label")).toBe("Pause");
      act(() => python.pump());
      shows(index);
    }
    await vi.waitFor(() => expect(sent("scrub").at(-1)?.content).toMatchObject({ index: 3 }));
    act(() => python.pump());
    shows(3);
    await vi.waitFor(() => expect(button()?.getAttribute("aria-label")).toBe("Play"));
    expect(get<HTMLInputElement>(".cl-training input").value).toBe("3");

    // Paused, and by the slider as well, it goes no further.
    act(() => button()?.click());
    act(() => button()?.click());
    expect(button()?.getAttribute("aria-label")).toBe("Play");
  });

  test("is not played where the system asks for reduced motion", () => {
    vi.stubGlobal("matchMedia", () => ({ matches: true }));
    const { python, all } = app();
    act(() => python.assignTrait("_training", { running: false, snapshots: reported, shown: 3 }));
    const [button] = all(".cl-training button");
    expect([button?.hasAttribute("disabled"), button?.title]).toEqual([
      true,
      "Your system asks for reduced motion: go step by step.",
    ]);
    vi.unstubAllGlobals();
  });
});
