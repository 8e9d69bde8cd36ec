import { expect, test } from "vitest";
import { activatedRange, activationOf, KNOWN } from "../maths/activations.ts";

// Formulas of keras.io/api/layers/activations, worked out by hand; Python's tests compare with Keras itself.
test.each([
  ["linear", -2, -2],
  ["relu", -2, 0],
  ["relu", 3, 3],
  ["relu6", 7, 6],
  ["leaky_relu", -1, -0.2],
  ["elu", -1, Math.expm1(-1)],
  ["selu", 1, 1.0507009873554805],
  ["gelu", 1, 0.8413447460685429],
  ["silu", 1, 1 / (1 + Math.exp(-1))],
  ["sigmoid", 0, 0.5],
  ["hard_sigmoid", 1, 4 / 6],
  ["hard_silu", 1, 4 / 6],
  ["tanh", 1, Math.tanh(1)],
  ["softplus", 0, Math.LN2],
  ["softplus", 1000, 1000],
  ["softsign", -3, -0.75],
  ["exponential", 1, Math.E],
  ["mish", 0, 0],
])("%s of %d is %d", (name, x, y) => {
  expect(activationOf(name)?.one(x)).toBeCloseTo(y, 6);
});

test("constants are Keras's arguments", () => {
  expect(activationOf("leaky_relu", { negative_slope: 0.5 })?.one(-2)).toBe(-1);
  expect(activationOf("elu", { alpha: 2 })?.one(-1)).toBeCloseTo(2 * Math.expm1(-1), 6);
  expect(activationOf("gelu", { approximate: 1 })?.one(1)).toBeCloseTo(0.841192, 5);
  const relu = activationOf("relu", { negative_slope: 0.5, max_value: 4, threshold: 1 });
  expect([-1, 0, 1, 2, 9].map((x) => relu?.one(x))).toEqual([-1, -0.5, 0, 2, 4]);
});

test("a function that the browser does not know is none, whatever an object happens to call its own", () => {
  expect(activationOf("my_function")).toBeNull();
  expect(activationOf("toString")).toBeNull();
});

const SAMPLES = Float32Array.from({ length: 401 }, (_, i) => (i - 200) / 10);

test.each(KNOWN)("%s keeps its promises about order and zeros", (name) => {
  const activation = activationOf(name);
  if (!activation) throw new Error(name);
  const values = SAMPLES.map(activation.one);
  const inPlace = SAMPLES.slice();
  activation.apply(inPlace, 0, inPlace.length);
  expect(inPlace).toEqual(values);
  if (!activation.monotone) return;
  for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1] as number);
  expect(activatedRange(activation, -20, 20)).toEqual([values[0], values.at(-1)]);
  SAMPLES.forEach((x, i) => {
    const [from, to] = activation.zeros;
    expect(values[i] === 0).toBe(x >= from && x <= to);
  });
});

test.each(KNOWN)("%s leaves NaN as it is", (name) => {
  expect(activationOf(name)?.one(Number.NaN)).toBeNaN();
  // Of either sign, as a processor makes them.
  const both = new Float32Array(Uint32Array.of(0x7fc00000, 0xffc00000).buffer);
  activationOf(name)?.apply(both, 0, 2);
  expect(both).toEqual(Float32Array.of(Number.NaN, Number.NaN));
});

test.each(KNOWN)("%s of many is that of each, at the ends of float32 too", (name) => {
  const activation = activationOf(name);
  const ends = Float32Array.of(-Infinity, -3.4e38, -1e-45, -0, 0, 1e-45, 3.4e38, Infinity);
  const inPlace = Float32Array.of(7, ...ends, -7);
  activation?.apply(inPlace, 1, 9);
  expect([...inPlace]).toEqual([7, ...Array.from(ends, (x) => activation?.one(x)), -7]);
});
