// @vitest-environment happy-dom
import axe from "axe-core";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, test } from "vitest";
import { App } from "../components/App.tsx";
import { pngUrl } from "../protocol/bytes.ts";
import type { ExcitationRecord, RunRecord } from "../protocol/messages.ts";
import type { LayerRecord } from "../protocol/records.ts";
import { LOOK_MS } from "../queries/long-runs.ts";
import { SETTLE_MS } from "../state/user-model.ts";
import { played } from "./play.ts";

const LAYER: LayerRecord = {
  path: "stem",
  class_name: "Conv2D",
  input_shape: [8, 9, 1],
  output_shape: [6, 7, 2],
  kernel_size: [3, 3],
  filters: 2,
};
const KERNELS = [1, 2].map((f) => Float32Array.from({ length: 9 }, (_, i) => (i === 4 ? f : 0)));
const PNG = new DataView(Uint8Array.of(137, 80, 78, 71).buffer);

const stored = (filter: number, rank: number, value: number): ExcitationRecord => ({
  filter,
  rank,
  image: `digit-${filter}${rank}`,
  value,
  pixel: [filter + 1, rank + 2],
  picture: PNG,
});
const BEST = [stored(0, 0, 3.5), stored(0, 1, 2.25), stored(1, 0, 7)];

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function app({ model = true, survey = true, tab = true, rank = 2 as 1 | 2 } = {}) {
  const play = played({
    rows: 8,
    cols: 9,
    size: 3,
    kernels: KERNELS,
    layers: model ? [LAYER] : [],
    settings: { rank },
  });
  const { python, lens, schedule } = play;
  python.predict = () => ({ before: Float32Array.of(0.75, 0.25), after: Float32Array.of(0.5, 0.5) });
  const root = document.body.appendChild(document.createElement("div"));
  act(() => render(<App lens={lens} />, root));
  /** Let Python answer everything, and let what depends on the answers be drawn. */
  const settle = () =>
    act(async () => {
      for (let i = 0; i < 4; i++) {
        python.pump();
        await new Promise((done) => setTimeout(done));
      }
    });
  const look = async () => {
    act(() => schedule.pass(LOOK_MS));
    await settle();
  };
  if (survey) {
    python.excited = { best: BEST, kernels: KERNELS };
    act(() => python.assignTrait("_survey", { version: 1, layers: ["stem"], images: 40 }));
  }
  open.push(() => {
    render(null, root);
    lens.dispose();
    root.remove();
  });
  const all = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
  const named = (text: string) => all("button").find((one) => one.textContent?.startsWith(text));
  const click = async (one: HTMLElement | undefined) => {
    act(() => one?.click());
    await settle();
  };
  const sent = (type: string) =>
    play.model.sent.map(({ content }) => content).filter((one) => one.type === type);
  await settle();
  if (tab) await click(named("What excites it"));
  return { ...play, root, all, named, click, settle, look, sent };
}

describe("what excites a filter", () => {
  test("has no tab without a model", async () => {
    expect((await app({ model: false, survey: false, tab: false })).named("What excites it")).toBeUndefined();
  });

  test("lists the stored images of the selected filter, each a button with value and place", async () => {
    const { all, lens, settle } = await app();
    const labels = () => all(".cl-patches button").map((one) => one.getAttribute("aria-label"));
    expect(labels()).toEqual([
      "Image digit-00: 3.5 at row 1, col 2. Show it",
      "Image digit-01: 2.25 at row 1, col 3. Show it",
    ]);
    expect(all(".cl-patches img").map((one) => one.getAttribute("src"))).toEqual([pngUrl(PNG), pngUrl(PNG)]);
    act(() => lens.select(1));
    await settle();
    expect(labels()).toEqual(["Image digit-10: 7 at row 2, col 2. Show it"]);
  });

  test("tells the step of a stored signal, and what the height of its curves spans", async () => {
    const { all, named, click, look, python } = await app({ rank: 1, survey: false });
    python.excited = { best: [{ ...stored(0, 0, 3.5), range: [-1.25, 1.5] }], kernels: KERNELS };
    act(() => python.assignTrait("_survey", { version: 1, layers: ["stem"], images: 40 }));
    await look();
    const [button] = all(".cl-patches button");
    expect(button?.getAttribute("aria-label")).toBe("Signal digit-00: 3.5 at step 2. Show it");
    expect(button?.textContent).toBe("3.5signal digit-00step 2−1.25 to 1.5");
    python.runs = [
      { running: false, step: 9, steps: 9, activation: 2, picture: PNG, range: [-1, 1] } as RunRecord,
    ];
    await click(named("Signal that excites it most"));
    await look();
    expect(all(".cl-growing figcaption")[0]?.textContent).toContain("curve from −1 to 1");
  });

  test("asks for the images of a filter once, and again for another survey", async () => {
    const { lens, settle, sent, python } = await app();
    for (const index of [1, 0, 1]) {
      act(() => lens.select(index));
      await settle();
    }
    expect(sent("excited").map(({ uid }) => uid)).toEqual([1, 2]);
    act(() => python.assignTrait("_survey", { version: 2, layers: ["stem"], images: 50 }));
    await settle();
    expect(sent("excited").map(({ uid }) => uid)).toEqual([1, 2, 2]);
  });

  test("shows a stored image with its pixel pinned, stays open, and leads back", async () => {
    const { all, named, click, sent, lens } = await app();
    await click(all(".cl-patches button")[1]);
    expect(sent("show_excited").at(-1)).toMatchObject({ filter: 0, rank: 1 });
    expect(lens.pixel.peek()).toEqual([1, 3]);
    expect(named("What excites it")?.getAttribute("aria-selected")).toBe("true");
    await click(named("Back to the previous image"));
    expect(sent("show_excited").at(-1)).toMatchObject({ filter: null, rank: null });
    expect(named("Back to the previous image")).toBeUndefined();
    act(() => lens.pin([0, 0]));
    expect(named("This pixel")?.getAttribute("aria-selected")).toBe("true");
  });

  test("says that the ranking is of other weights where the model was changed since, and ranks again", async () => {
    const { all, named, click, settle, look, python } = await app();
    const words = () => all(".cl-stored [role=status]")[0]?.textContent;
    python.excited = { best: BEST, kernels: KERNELS, current: false };
    act(() => python.assignTrait("_survey", { version: 2, layers: ["stem"], images: 40 }));
    await settle();
    expect(words()).toBe("of the weights that the model had when surveyed");
    python.runs = [{ running: false, best: [stored(1, 0, 21)] } as RunRecord];
    await click(named("Rank again"));
    await look();
    expect(words()).toBe("of the present kernel, among the stored patches");
  });

  test("says that the ranking is of the original kernel once that is edited, and ranks again on request", async () => {
    const { all, named, click, settle, look, lens, python } = await app();
    const words = () => all(".cl-stored [role=status]")[0]?.textContent;
    expect(words()).toBe("of 40 images");
    expect(named("Rank again")).toBeUndefined();
    act(() => lens.edit([{ uid: 1, taps: { index: [0], value: [5] } }]));
    await settle();
    expect(words()).toBe("of the original kernel");
    python.runs = [{ running: false, best: [stored(1, 0, 21)] } as RunRecord];
    await click(named("Rank again"));
    await look();
    expect(words()).toBe("of the edited kernel, among the stored patches");
    expect(all(".cl-patches button").map((one) => one.getAttribute("aria-label"))).toEqual([
      "Image digit-10: 21 at row 2, col 2. Show it",
    ]);
    act(() => lens.edit([{ uid: 1, taps: { index: [0], value: [6] } }]));
    await settle();
    expect(words()).toBe("of the kernel before the last edits, among the stored patches");
    await click(named("As surveyed"));
    expect(words()).toBe("of the original kernel");
    act(() => lens.undo());
    act(() => lens.undo());
    await settle();
    expect(words()).toBe("of 40 images");
  });

  test("says what it needs where Python was gone before", async () => {
    const { model, settle, lens, named, click, all } = await app({ tab: false });
    model.deliver = () => {
      throw new Error("no kernel");
    };
    act(() => lens.edit([{ uid: 1, taps: { index: [0], value: [5] } }]));
    await settle();
    await click(named("What excites it"));
    expect(all(".cl-excites")[0]?.textContent).toContain("Python is not connected");
  });

  test("keeps what was loaded where Python is gone, and says what needs it", async () => {
    const { all, model, settle, lens } = await app();
    model.deliver = () => {
      throw new Error("no kernel");
    };
    act(() => lens.edit([{ uid: 1, taps: { index: [0], value: [5] } }]));
    await settle();
    expect(lens.link.peek()).toBe("offline");
    expect(all(".cl-patches img")).toHaveLength(2);
    expect(all(".cl-patches button").every((one) => one.hasAttribute("disabled"))).toBe(true);
    expect(all(".cl-stored")[0]?.textContent).toContain("needs Python");
    expect(all(".cl-growing")[0]?.textContent).toContain("needs Python");
  });
});

describe("the picture that excites a filter most", () => {
  const step = (running: boolean, at: number): RunRecord =>
    ({ running, step: at, steps: 256, activation: at / 2, picture: PNG }) as RunRecord;

  test("grows until it has ended, and stands beside its filter from then on", async () => {
    const { all, named, click, look, lens, settle, python } = await app();
    python.runs = [step(true, 40), step(true, 90), step(false, 256)];
    await click(named("Picture that excites it most"));
    await look();
    const progress = () => all("progress")[0] as HTMLProgressElement | undefined;
    expect(progress()?.getAttribute("value")).toBe("40");
    await look();
    expect(progress()?.getAttribute("value")).toBe("90");
    expect(all(".cl-growing figcaption")[0]?.textContent).toContain("step 90 of 256");
    await look();
    expect(progress()).toBeUndefined();
    expect(all(".cl-growing [role=status]")[0]?.textContent).toBe("found after 256 steps");
    const { violations } = await axe.run(all(".cl-strip")[0] as HTMLElement, {
      rules: {
        "color-contrast": { enabled: false },
        "target-size": { enabled: false },
        region: { enabled: false },
      },
    });
    expect(violations.map(({ id }) => id)).toEqual([]);
    act(() => lens.select(1));
    await settle();
    expect(all(".cl-growing img")).toEqual([]);
    act(() => lens.select(0));
    await settle();
    expect(all(".cl-growing img")).toHaveLength(1);
  });

  test("is stopped by the same button, and keeps what there is", async () => {
    const { all, named, click, look, sent, python } = await app();
    python.runs = [step(true, 40), step(false, 44)];
    await click(named("Picture that excites it most"));
    await look();
    await click(named("Stop"));
    expect(sent("run").at(-1)).toMatchObject({ what: "maximize", act: "stop" });
    await look();
    expect(all(".cl-growing [role=status]")[0]?.textContent).toBe("stopped after 44 steps");
    expect(all(".cl-growing img")).toHaveLength(1);
  });
});

test("the attribution of a class that is clicked lies over the image, before and after the edits", async () => {
  const { all, named, click, look, settle, sent, python, schedule } = await app({
    survey: false,
    tab: false,
  });
  act(() => schedule.pass(SETTLE_MS));
  await settle();
  const other = new DataView(Uint8Array.of(1, 2, 3).buffer);
  python.runs = [{ running: false, most: 2, before: PNG, after: other } as RunRecord];
  await click(named("class 1"));
  expect(sent("run").at(-1)).toMatchObject({
    what: "attribution",
    act: "start",
    target: 1,
    method: "gradcam",
  });
  await look();
  expect(named("class 1")?.getAttribute("aria-pressed")).toBe("true");
  expect(all(".cl-attribution [role=status]")[0]?.textContent).toContain("yellow 2");
  await click(all(".cl-attribution input")[0]);
  await click(named("class 1"));
  expect(all(".cl-attribution")).toEqual([]);
});
