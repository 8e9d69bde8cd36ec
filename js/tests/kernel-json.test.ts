import fc from "fast-check";
import { expect, test } from "vitest";
import { formatKernels, parseKernels } from "../maths/kernel-json.ts";

test("every float32 comes back as it was, with names and bias", () => {
  const float = fc.float();
  const files = fc
    .record({
      shape: fc.tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
      ),
      count: fc.integer({ min: 1, max: 3 }),
    })
    .chain(({ shape, count }) => {
      const size = shape[0] * shape[1] * shape[2];
      const many = <T>(one: fc.Arbitrary<T>, n: number) => fc.array(one, { minLength: n, maxLength: n });
      return fc.record({
        shape: fc.constant(shape),
        kernels: many(
          many(float, size).map((values) => Float32Array.from(values)),
          count,
        ),
        bias: many(float.map(Math.fround), count),
        names: fc.option(many(fc.string(), count), { nil: null }),
      });
    });
  fc.assert(
    fc.property(files, (file) => {
      const parsed = parseKernels(formatKernels(file));
      expect(parsed).toEqual({ ok: true, file });
    }),
  );
});

test("the text is the documented format", () => {
  const kernels = [Float32Array.of(1, 0.1, Number.POSITIVE_INFINITY, -0.5)];
  expect(JSON.parse(formatKernels({ shape: [2, 2, 1], kernels, bias: [0], names: ["a × b"] }))).toEqual({
    convlens: 1,
    kernels: [
      [
        [1, 0.1],
        ["Infinity", -0.5],
      ],
    ],
    bias: [0],
    names: ["a × b"],
  });
});

test("bias and names may be left out", () => {
  const parsed = parseKernels('{"convlens": 1, "kernels": [[[1, 2]], [[3, "NaN"]]]}');
  expect(parsed.ok && parsed.file.bias).toEqual([0, 0]);
  expect(parsed.ok && parsed.file.names).toBeNull();
});

test.each([
  ["", "This is not JSON"],
  ["[[1, 2]]", 'no "convlens"'],
  ["null", 'no "convlens"'],
  ['{"convlens": 2, "kernels": [[[1]]]}', "reads format 1"],
  ['{"convlens": 1, "kernel": [[[1]]]}', '"kernel" is not known'],
  ['{"convlens": 1}', "kernels must be a list"],
  ['{"convlens": 1, "kernels": []}', "kernels must be a list that is not empty"],
  ['{"convlens": 1, "kernels": [[[1, 2], [3]]]}', "kernels[0][1] has 1 columns and kernels[0][0] has 2"],
  [
    '{"convlens": 1, "kernels": [[[1]], [[1, 2]]]}',
    "kernels[1] has shape (1, 2, 1) and kernels[0] has (1, 1, 1)",
  ],
  ['{"convlens": 1, "kernels": [[[[1, 2], [3]]]]}', "kernels[0][0][1] has 1 channels"],
  ['{"convlens": 1, "kernels": [[["x"]]]}', 'kernels[0][0][0] is "x"'],
  ['{"convlens": 1, "kernels": [[[1e39]]]}', "more than a float32 holds"],
  ['{"convlens": 1, "kernels": [[[1]]], "bias": [1, 2]}', '"bias" has 2 entries for 1 kernels'],
  ['{"convlens": 1, "kernels": [[[1]]], "names": [3]}', "names[0] is 3"],
])("%s is refused with a sentence", (text, why) => {
  const parsed = parseKernels(text);
  expect(parsed.ok ? "" : parsed.why).toContain(why);
});
