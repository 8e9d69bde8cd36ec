// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { matching, sorted } from "../components/network/useRanking.ts";
import { app, closeAll, LAYERS, numbered } from "./model-app.tsx";

afterEach(closeAll);

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
