import fc from "fast-check";
import { expect, test } from "vitest";
import { outputLength, reshaped } from "../maths/geometry.ts";
import {
  batchShape,
  imageShape,
  kernelShape,
  lengthFormula,
  outputShape,
  reshapeTrap,
  type Shape,
  weightShape,
} from "../maths/shape-axes.ts";
import { fixture } from "./fake-host.ts";

const gray = fixture({ rows: 255, cols: 384 }).python.geometry;
const colour = fixture({ rows: 255, cols: 384, channels: 3 }).python.geometry;
const sizes = (shape: Shape) => shape.map(({ size }) => size);
const names = (shape: Shape) => shape.map(({ name }) => name);

test("the tutorial's shapes, with the names of their axes", () => {
  expect(sizes(imageShape(gray))).toEqual([255, 384]);
  const input = batchShape(gray, gray.input_shape, 1, "channels");
  expect(sizes(input)).toEqual([1, 255, 384, 1]);
  expect(names(input)).toEqual(["batch", "rows", "columns", "channels"]);
  expect(sizes(kernelShape(gray))).toEqual([4, 4]);
  expect(sizes(weightShape(gray))).toEqual([4, 4, 1, 4]);
  expect(names(weightShape(gray))).toEqual(["kernel rows", "kernel columns", "input channels", "filters"]);
  expect(sizes(outputShape(gray))).toEqual([1, 252, 381, 4]);
});

test("a colour kernel has its channels, and channels that come first are put first", () => {
  expect(sizes(kernelShape(colour))).toEqual([4, 4, 3]);
  const first = { ...colour, data_format: "channels_first" as const };
  expect(sizes(batchShape(first, first.input_shape, 3, "channels"))).toEqual([1, 3, 255, 384]);
  expect(sizes(outputShape(first))).toEqual([1, 4, 252, 381]);
});

test("depthwise and transposed layers keep Keras's own order of axes", () => {
  const depthwise = reshaped(colour, { kind: "depthwise", kernel_channels: 1, filters: 6 });
  expect(sizes(weightShape(depthwise))).toEqual([4, 4, 3, 2]);
  expect(names(weightShape(depthwise)).slice(2)).toEqual(["input channels", "filters a channel"]);
  const transpose = { ...colour, kind: "transpose" as const, weight_shape: [4, 4, 8, 3] };
  expect(names(weightShape(transpose)).slice(2)).toEqual(["filters", "input channels"]);
});

/** The left-hand side of "a − b + 1 = c", computed: the formula is arithmetic and no more. */
function compute(numbers: string): [left: number, right: number] {
  const [left = "", right = ""] = numbers.split(" = ");
  const script = left
    .replace(/\{([^/{}]*)\/([^/{}]*)\}/g, "(($1)/($2))")
    .replace(/⌊/g, "Math.floor(")
    .replace(/⌈/g, "Math.ceil(")
    .replace(/[⌋⌉]/g, ")")
    .replace(/·/g, "*")
    .replace(/−/g, "-");
  return [new Function(`return ${script}`)() as number, Number(right)];
}

test("the formula with the numbers in it gives the output's length", () => {
  const small = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 99 }),
      small,
      small,
      small,
      fc.constantFrom("valid", "same"),
      (n, k, s, d, padding) => {
        const geometry = reshaped(gray, {
          input_shape: [n, 50, 1],
          kernel_size: [k, 3],
          strides: [s, 1],
          dilation_rate: [d, 1],
          padding: padding as "valid" | "same",
        });
        if (geometry.output_shape[0] < 1) return;
        const [left, right] = compute(lengthFormula(geometry, 0).numbers);
        expect(right).toBe(outputLength(n, k, s, d, geometry.padding));
        expect(left).toBe(right);
      },
    ),
  );
});

test("a transposed layer's formula is shown where it holds", () => {
  const same = {
    ...gray,
    kind: "transpose" as const,
    padding: "same" as const,
    strides: [2, 2] as [number, number],
  };
  const formula = lengthFormula({ ...same, output_shape: [510, 768] }, 0);
  expect(formula.numbers).toBe("255 · 2 = 510");
  expect(lengthFormula({ ...same, output_shape: [511, 769] }, 0).numbers).toBe("511");
});

test("np.reshape of a stack reads the numbers in the wrong order, and the ledger counts them", () => {
  const geometry = reshaped(gray, {
    kernel_size: [1, 2],
    filters: 2,
    input_shape: [4, 4, 1],
    kernel_channels: 1,
  });
  // np.reshape([[[1, 2]], [[3, 4]]], (1, 2, 1, 2))[:, :, 0, 0] is [[1, 3]]; of the four numbers 2 and 3 change places.
  const trap = reshapeTrap(geometry, [Float32Array.of(1, 2), Float32Array.of(3, 4)]);
  expect([...(trap?.scrambled ?? [])]).toEqual([1, 3]);
  expect([trap?.moved, trap?.of]).toEqual([2, 4]);
  expect(trap?.wrong).toBe("np.reshape(kernels, (1, 2, 1, 2))");
});

test("one colour kernel that is kept channels first wants np.transpose", () => {
  const geometry = reshaped(colour, { kernel_size: [1, 2], filters: 1 });
  // Channels first: [[1, 2]], [[3, 4]], [[5, 6]]; reshaped to (1, 2, 3) the rows are 1 2 3 and 4 5 6.
  const trap = reshapeTrap(geometry, [Float32Array.of(1, 3, 5, 2, 4, 6)]);
  expect([...(trap?.scrambled ?? [])]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(trap?.right).toBe("np.transpose(kernel_chw, (1, 2, 0))[..., np.newaxis]");
});

test("there is no trap where nothing would move", () => {
  expect(reshapeTrap(gray, [new Float32Array(16).fill(1), new Float32Array(16).fill(1)])).toBeNull();
  expect(reshapeTrap(gray, [Float32Array.from({ length: 16 }, (_, i) => i)])).toBeNull();
});
