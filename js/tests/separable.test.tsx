// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { App } from "../components/App.tsx";
import { played } from "./play.ts";

const DEPTHWISE = Float32Array.from({ length: 2 * 2 * 2 }, (_, i) => i + 1);
const POINTWISE = [Float32Array.of(1, -1), Float32Array.of(0.5, 2)];

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** Two filters of a separable layer on two channels. */
function app() {
  const kernels = POINTWISE.map((w) => DEPTHWISE.map((v, tap) => v * (w[tap % 2] ?? 0)));
  const settings = { kind: "separable", class_name: "SeparableConv2D", previewable: false } as const;
  const play = played({ rows: 6, cols: 7, channels: 2, size: 2, kernels, settings });
  play.python.parts = { depthwise: DEPTHWISE.slice(), pointwise: POINTWISE.map((w) => w.slice()) };
  const root = document.body.appendChild(document.createElement("div"));
  act(() => render(<App lens={play.lens} />, root));
  open.push(() => {
    render(null, root);
    play.lens.dispose();
    root.remove();
  });
  const numbers = (label: string) =>
    [...root.querySelectorAll(`[aria-label^="${label}"] [role=gridcell]`)].map((cell) =>
      Number(cell.textContent?.replace("−", "-")),
    );
  const sent = () => play.model.sent.filter(({ content }) => content.type === "factors" && content.edit);
  return { ...play, root, numbers, sent };
}

async function loaded() {
  const one = app();
  await vi.waitFor(() => {
    act(() => one.python.pump());
    expect(one.numbers("Depthwise kernels of Filter 2")).toHaveLength(8);
  });
  return one;
}

describe("a separable layer's card", () => {
  test("shows the depthwise kernels, which all filters share, and the filter's own pointwise kernel", async () => {
    const { numbers, root } = await loaded();
    for (const name of ["Filter 1", "Filter 2"]) {
      expect(numbers(`Depthwise kernels of ${name}`)).toEqual([1, 3, 5, 7, 2, 4, 6, 8]);
    }
    expect(numbers("Pointwise kernel of Filter 1")).toEqual([1, -1]);
    expect(numbers("Pointwise kernel of Filter 2")).toEqual([0.5, 2]);
    expect(root.textContent).toContain("shared: changes all 2 maps");
    const together = [...root.querySelectorAll('[aria-label^="Effective kernel of Filter 2,"] [role=cell]')];
    expect(together.map((cell) => Number(cell.textContent?.replace("−", "-")))).toEqual([0.5, 1.5, 2.5, 3.5]);
  });

  test("edits a depthwise tap for every filter and a pointwise weight for one, and says that Keras computes", async () => {
    const { lens, python, numbers, root, sent } = await loaded();
    const [first, second] = lens.filters.value;
    act(() => lens.network.editFactor(first?.uid ?? 0, { part: "depthwise", index: [0], value: [10] }));
    expect(numbers("Depthwise kernels of Filter 2")[0]).toBe(10);
    expect(root.textContent).toContain("Keras is computing");
    expect(lens.filters.value.map(({ map }) => map.value.provenance)).toEqual(["stale", "stale"]);
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(second?.kernel.value[0]).toBe(5);
      expect(root.textContent).not.toContain("Keras is computing");
    });
    expect(lens.filters.value.map(({ map }) => map.value.provenance)).toEqual(["keras", "keras"]);

    act(() => lens.network.editFactor(second?.uid ?? 0, { part: "pointwise", index: [1], value: [4] }));
    await vi.waitFor(() => {
      act(() => python.pump());
      expect([...(second?.kernel.value ?? [])]).toEqual([5, 8, 1.5, 16, 2.5, 24, 3.5, 32]);
    });
    expect(first?.kernel.value[1]).toBe(-2);
    expect(sent()).toHaveLength(2);
  });

  test("sends what a drag changed meanwhile as one edit, and undo brings the kernels back", async () => {
    const { lens, python, numbers, sent } = await loaded();
    const { uid = 0 } = lens.filters.value[0] ?? {};
    act(() => {
      lens.beginGesture();
      for (let value = 1; value <= 20; value++) {
        lens.network.editFactor(uid, { part: "pointwise", index: [0], value: [value] });
      }
      lens.endGesture();
    });
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(python.parts?.pointwise[0]?.[0]).toBe(20);
    });
    expect(sent().length).toBeLessThanOrEqual(2);
    expect(python.history.undo).toBe(1);
    // The fake's undo knows effective kernels only; the parts are requested again because the filter changed.
    python.parts = { depthwise: DEPTHWISE.slice(), pointwise: POINTWISE.map((w) => w.slice()) };
    act(() => lens.undo());
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(numbers("Pointwise kernel of Filter 1")).toEqual([1, -1]);
    });
  });

  test("takes back what it showed ahead, with the reason, where Python refuses", async () => {
    const { lens, python, numbers } = await loaded();
    const { uid = 0 } = lens.filters.value[0] ?? {};
    const { parts } = python;
    python.parts = null;
    act(() => lens.network.editFactor(uid, { part: "depthwise", index: [0], value: [10] }));
    act(() => void python.step());
    python.parts = parts;
    await vi.waitFor(() => {
      act(() => python.pump());
      expect(numbers("Depthwise kernels of Filter 1")[0]).toBe(1);
    });
    expect(lens.problem.value?.text).toContain("No separable layer");
  });
});

describe("while a model is trained", () => {
  const training = { running: true, snapshots: [], shown: null };
  function trained({ python }: ReturnType<typeof app>, factor: number): void {
    const parts = { depthwise: DEPTHWISE.map((v) => v * factor), pointwise: POINTWISE.map((w) => w.slice()) };
    python.following = true;
    python.parts = parts;
    const kernel = (i: number) => parts.depthwise.map((v, tap) => v * (parts.pointwise[i]?.[tap % 2] ?? 0));
    act(() => {
      python.assign(python.filters.map((filter, i) => ({ ...filter, kernel: kernel(i) })));
      python.assignTrait("_training", training);
    });
  }

  test.each(["before any kernel was asked for", "after"])(
    "shows the kernels of each moment with no answer from Python, %s",
    async (when) => {
      const one = when === "after" ? await loaded() : app();
      for (const factor of [10, 100]) {
        trained(one, factor);
        for (const name of ["Filter 1", "Filter 2"]) {
          const expected = [1, 3, 5, 7, 2, 4, 6, 8].map((v) => v * factor);
          expect(one.numbers(`Depthwise kernels of ${name}`)).toEqual(expected);
        }
        expect(one.numbers("Pointwise kernel of Filter 2")).toEqual([0.5, 2]);
        expect(one.root.textContent).not.toContain("Loading the kernel");
      }
    },
  );
});

describe("a filter that changed off screen", () => {
  test("is stale until it is asked for again", async () => {
    const { lens, python, model, schedule } = await loaded();
    const [first] = lens.filters.value;
    const asked = () => model.sent.filter(({ content }) => content.type === "need").length;
    const before = asked();
    act(() => python.outdate([first?.uid ?? 0]));
    expect(first?.map.value.provenance).toBe("stale");
    act(() => schedule.pass(1000));
    await vi.waitFor(() => {
      act(() => python.pump());
      act(() => schedule.repaint());
      expect(first?.map.value.provenance).toBe("keras");
    });
    expect(asked()).toBe(before + 1);
  });
});
