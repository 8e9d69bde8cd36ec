// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { found } from "../components/network/LayerChooser.tsx";
import { difference, topClasses } from "../components/network/Predictions.tsx";
import { snapshotWords } from "../components/network/Training.tsx";
import { SETTLE_MS } from "../state/user-model.ts";
import { app, closeAll, LAYERS } from "./model-app.tsx";

afterEach(closeAll);

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
    expect(get("[role=listbox] p").textContent).toBe("Opening another layer needs Python.");
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
