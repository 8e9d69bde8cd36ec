import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatArray, formatBlock, parseBlock } from "../maths/number-block.ts";

const rows = (text: string): number[][] => {
  const parsed = parseBlock(text);
  if (!parsed.ok) throw new Error(parsed.why);
  const { rows: high, cols, values } = parsed.block;
  return Array.from({ length: high }, (_, r) => [...values.subarray(r * cols, (r + 1) * cols)]);
};
const why = (text: string) => {
  const parsed = parseBlock(text);
  return parsed.ok ? `read as ${[...parsed.block.values]}` : parsed.why;
};
const f32 = (numbers: number[][]) => numbers.map((row) => row.map(Math.fround));

describe("NumPy source", () => {
  it("has the kernel's own axes, and one for the planes where there are several", () => {
    const values = Float32Array.of(-1, 0.5, Number.NaN, -Infinity);
    expect(formatArray([2, 2, 1], values)).toBe(
      'np.array([[-1, 0.5],\n          [np.nan, -np.inf]], dtype="float32")',
    );
    expect(formatArray([1, 2, 2], values)).toBe(
      'np.array([[[-1, 0.5], [np.nan, -np.inf]]], dtype="float32")',
    );
  });

  it("reads back as the same float32", () => {
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 6, maxLength: 6, noNaN: true, noDefaultInfinity: true }),
        (given) => {
          const values = given.map((v) => v + 0);
          expect(parseBlock(formatArray([2, 3, 1], values))).toEqual({
            ok: true,
            block: { rows: 2, cols: 3, values },
          });
        },
      ),
    );
  });
});

describe("spreadsheets", () => {
  it("writes tab-separated lines in plain ASCII", () => {
    const block = { rows: 2, cols: 2, values: Float32Array.of(-1, 0.5, Number.NaN, -Infinity) };
    expect(formatBlock(block)).toBe("-1\t0.5\nnan\t-inf");
  });

  it("reads back exactly what it wrote, for any float32", () => {
    const anything = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([r, c]) =>
        fc
          .float32Array({ minLength: r * c, maxLength: r * c })
          .map((values) => ({ rows: r, cols: c, values: values.map((v) => v + 0) })),
      );
    fc.assert(
      fc.property(anything, (block) => {
        expect(parseBlock(formatBlock(block))).toEqual({ ok: true, block });
      }),
    );
  });

  it("reads what Excel and LibreOffice put on the clipboard: CRLF and a last empty line", () => {
    expect(rows("1\t2\r\n3\t4\r\n")).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("reads commas, semicolons and spaces as separators where there are no tabs", () => {
    expect(rows("1,2\n3,4")).toEqual(rows("1; 2\n3; 4"));
    expect(rows("  1   2\n  3   4  ")).toEqual(rows("1,2\n3,4"));
  });

  it("reads fractions in cells, with spaces in them where tabs separate", () => {
    expect(rows("1/9\t 1 / 3 ")).toEqual(f32([[1 / 9, 1 / 3]]));
  });

  it("names the cell that is empty or no number", () => {
    expect(why("1\t\n3\t4")).toBe("Row 1, column 2 is empty. Write a number there.");
    expect(why("1\t2\n3\tx")).toMatch(/^Row 2, column 2: “x” is not a number/);
  });

  it("names the row that is longer or shorter", () => {
    expect(why("1\t2\n3\t4\t5")).toBe(
      "Row 2 has length 3 and row 1 has length 2; rows must be equally long.",
    );
  });
});

describe("NumPy and its kin", () => {
  // Each text was printed by NumPy 2 (repr unless noted).
  it.each<[string, string, number[][]]>([
    [
      "a float32 array",
      "array([[1., 2.],\n       [3., 4.]], dtype=float32)",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "what print() shows",
      "[[1. 2.]\n [3. 4.]]",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "scientific notation",
      "array([[9.9999997e-10, 1.9999999e-09],\n       [2.9999998e-09, 3.9999999e-09]], dtype=float32)",
      f32([
        [9.9999997e-10, 1.9999999e-9],
        [2.9999998e-9, 3.9999999e-9],
      ]),
    ],
    [
      "NaN and infinities",
      "array([[ nan,  inf],\n       [-inf,   0.]])",
      [
        [Number.NaN, Infinity],
        [-Infinity, 0],
      ],
    ],
    [
      "integers",
      "array([[-2,  3, -3],\n       [-3,  2,  1],\n       [-5, -5, -2]])",
      [
        [-2, 3, -3],
        [-3, 2, 1],
        [-5, -5, -2],
      ],
    ],
    ["a list of NumPy scalars", "[np.float32(1.5), np.float32(2.0)]", [[1.5, 2]]],
    [
      "a nested list",
      "[[1, 2], [3, 4]]",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "a last axis of length 1, as a Keras kernel of one channel has it",
      "array([[[1.],\n        [2.]],\n\n       [[3.],\n        [4.]]], dtype=float32)",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "a TensorFlow tensor",
      "<tf.Tensor: shape=(2, 2), dtype=float32, numpy=\narray([[1., 2.],\n       [3., 4.]], dtype=float32)>",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "a PyTorch tensor",
      "tensor([[1., 2.],\n        [3., 4.]])",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "rows without brackets around them",
      "[1, 2],\n[3, 4]",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["a trailing comma and fractions", "[[1/9, 1 / 3,],]", f32([[1 / 9, 1 / 3]])],
    ["a column", "array([[1.],\n       [2.]])", [[1], [2]]],
    ["a row", "array([1., 2., 3.])", [[1, 2, 3]]],
    [
      "a first axis of length 1",
      "array([[[1., 1., 1.],\n        [1., 1., 1.]]], dtype=float32)",
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
    ],
  ])("reads %s", (_, text, expected) => {
    expect(rows(text)).toEqual(expected);
  });

  it("reads rows that NumPy wrapped over several lines", () => {
    const text = `array([[ 0.12573022, -0.13210486,  0.64042264,  0.10490011, -0.5356694 ,
         0.36159506,  1.304     ,  0.94708097, -0.70373523, -1.2654215 ,
        -0.62327445,  0.04132598],
       [-2.3250308 , -0.21879166, -1.245911  , -0.7322674 , -0.544259  ,
        -0.31630015,  0.41163054,  1.0425134 , -0.12853466,  1.3664634 ,
        -0.6651947 ,  0.35151008]], dtype=float32)`;
    const read = rows(text);
    expect(read.map((row) => row.length)).toEqual([12, 12]);
    expect(read[0]?.[5]).toBe(Math.fround(0.36159506));
    expect(read[1]?.[11]).toBe(Math.fround(0.35151008));
  });

  it.each([
    ["numbers that NumPy left out", "array([[ 0.35, -1.2, ...,  1.29]], shape=(40, 40))", /left numbers out/],
    ["a third axis", "[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]", /more than two axes.*kernel\[:, :, 0\]/],
    ["rows of unequal length", "[[1, 2], [3]]", /^Row 2 has length 1 and row 1 has length 2/],
    ["numbers beside rows", "[1, [2, 3]]", /mixes numbers and rows/],
    ["a missing bracket", "[[1, 2], [3, 4]", /closing bracket/],
    ["booleans", "array([[False, True]])", /“False” is not a number/],
    ["an empty array", "array([], shape=(0, 3))", /no numbers/],
    ["nothing", "   ", /empty/],
  ])("meets %s with a sentence", (_, text, expected) => {
    expect(why(text)).toMatch(expected);
  });

  it("reads Python's own repr of any nested list of numbers", () => {
    const lists = fc.integer({ min: 1, max: 4 }).chain((cols) =>
      fc.array(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: cols, maxLength: cols }),
        {
          minLength: 2,
          maxLength: 4,
        },
      ),
    );
    fc.assert(
      fc.property(lists, (list) => {
        expect(rows(JSON.stringify(list))).toEqual(list.map((row) => row.map((v) => v + 0)));
      }),
    );
  });

  it("never throws, whatever is pasted", () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[[\]0-9., \t\n-]*$/), (free, arrayish) => {
        for (const text of [free, arrayish]) {
          const parsed = parseBlock(text);
          if (!parsed.ok) expect(parsed.why).not.toBe("");
        }
      }),
      { numRuns: 500 },
    );
  });
});
