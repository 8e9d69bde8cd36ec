import { expect, test } from "vitest";
import { mapReadout } from "../components/picture/Readout.tsx";
import { readLimits } from "../components/toolbar/RangeControl.tsx";
import { percent, rangeWords, span, statusWords, zeroWords } from "../components/ui/wording.ts";
import type { MapView } from "../paint/drawable.ts";
import { fixture } from "./fake-host.ts";

const geometry = fixture().model.get("_state").geometry;
const map = (zeros: number): MapView => ({
  provenance: "keras",
  rows: 10,
  cols: 20,
  keras: null,
  preview: null,
  range: [0, 1],
  counts: { nan: 0, posinf: 0, neginf: 0, zeros },
  sampled: false,
  version: 1,
});

test("a legend names its range: own, shared, symmetric or fixed", () => {
  expect(rangeWords("per_map")).toBe("this map's range");
  expect(rangeWords("shared")).toBe("range of all maps");
  expect(rangeWords("symmetric")).toBe("0 in the middle");
  expect(rangeWords([-1, 1])).toBe("fixed range");
});

test("the share of zeros never reads as none or all unless it is", () => {
  expect(percent(0, 200)).toBe("0 %");
  expect(percent(1, 200)).toBe("<1 %");
  expect(percent(74, 200)).toBe("37 %");
  expect(percent(199, 200)).toBe(">99 %");
  expect(percent(200, 200)).toBe("100 %");
});

test("the share of zeros is told for ReLU always, for others only where there are zeros", () => {
  expect(zeroWords(map(74), geometry, "activation")).toBe("37 % zero");
  expect(zeroWords(map(0), geometry, "activation")).toBe("0 % zero");
  expect(zeroWords(map(0), { ...geometry, activation: "tanh" }, "activation")).toBeNull();
  expect(zeroWords(map(2), { ...geometry, activation: "tanh" }, "activation")).toBe("1 % zero");
});

test("before the activation, the share of zeros says which function makes them", () => {
  expect(zeroWords(map(74), geometry, "pre_activation")).toBe("37 % zero after relu");
});

test("a map that is not there has no share of zeros", () => {
  expect(zeroWords({ ...map(0), provenance: "waiting" }, geometry, "activation")).toBeNull();
});

test("the status tells the most serious thing first", () => {
  const ready = { keras: "ready", detail: "TensorFlow, Keras 3.15.1" } as const;
  expect(statusWords(ready, "idle")).toEqual({
    tone: "calm",
    icon: "check",
    text: "TensorFlow, Keras 3.15.1",
  });
  expect(statusWords(ready, "sending").text).toBe("TensorFlow, Keras 3.15.1");
  expect(statusWords(ready, "busy").text).toBe("kernel busy: showing previews");
  expect(statusWords({ keras: "loading", detail: "" }, "busy").text).toBe("loading Keras: showing previews");
  expect(statusWords(ready, "offline").text).toBe("Keras not connected: showing previews");
  expect(statusWords(ready, "offline", null, true)).toEqual({
    tone: "calm",
    icon: "check",
    text: "saved page",
  });
});

test("where nothing is previewed, the status promises no previews", () => {
  const ready = { keras: "ready", detail: "" } as const;
  const words = (...[status, link]: Parameters<typeof statusWords>) =>
    statusWords(status, link, null, false, false).text;
  expect(words({ keras: "loading", detail: "" }, "idle")).toBe("loading Keras: maps wait for it");
  expect(words(ready, "busy")).toBe("kernel busy: maps wait for it");
  expect(words(ready, "disconnected")).toBe("connection lost: edits wait");
  expect(words(ready, "offline")).toBe("Keras not connected: edits change no map");
});

test("a failed import of Keras is shown with its text", () => {
  const { tone, text } = statusWords(
    { keras: "failed", detail: "ModuleNotFoundError: No module named 'tensorflow'" },
    "idle",
  );
  expect(tone).toBe("danger");
  expect(text).toContain("No module named 'tensorflow'");
});

test("a value that Keras has not said itself is marked as approximate", () => {
  const probe = { pixel: { row: 12, col: 40 }, pinned: false, where: "row 12, col 40", value: 0.732 };
  expect(mapReadout({ ...probe, exact: true })).toBe("row 12, col 40: 0.732");
  expect(mapReadout({ ...probe, exact: false })).toBe("row 12, col 40: ≈ 0.732");
  expect(mapReadout({ ...probe, value: null, exact: false })).toBe("row 12, col 40: …");
});

test("rows of a window that reach into the padding are negative", () => {
  expect(span(-1, 2)).toBe("−1 to 2");
  expect(span(3, 3)).toBe("3");
});

test("a fixed range is two finite numbers in order; anything else is refused with the reason", () => {
  expect(readLimits("-1/2", "2e-1")).toEqual({ range: [-0.5, Math.fround(0.2)] });
  expect(readLimits("1", "1")).toEqual({ why: "The lower limit must be below the upper one." });
  expect(readLimits("0", "inf")).toEqual({ why: "Both limits must be finite numbers." });
  expect(readLimits("abc", "1")).toMatchObject({ why: expect.stringContaining("abc") });
});
