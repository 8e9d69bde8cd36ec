import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as ops from "../maths/kernel-operations.ts";

type Kernel = ops.Kernel;

const make = (rows: number, cols: number, values: number[], channels = 1): Kernel => ({
  shape: [rows, cols, channels],
  values: Float32Array.from(values),
});
const list = ({ values }: Kernel) => [...values];

const kernels = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }))
  .chain(([rows, cols, channels]) =>
    fc
      .array(fc.integer({ min: -9, max: 9 }), {
        minLength: rows * cols * channels,
        maxLength: rows * cols * channels,
      })
      .map((values) => make(rows, cols, values, channels)),
  );

const same = (a: Kernel, b: Kernel) => {
  expect(a.shape).toEqual(b.shape);
  expect(list(a)).toEqual(list(b));
};

describe("shapes", () => {
  // 1 2 3
  // 4 5 6
  const k = make(2, 3, [1, 2, 3, 4, 5, 6]);

  it("transposes rows into columns", () => {
    same(ops.transpose(k), make(3, 2, [1, 4, 2, 5, 3, 6]));
  });

  it("rotates a quarter turn clockwise", () => {
    same(ops.rotate(k), make(3, 2, [4, 1, 5, 2, 6, 3]));
  });

  it("flips left–right and top–bottom", () => {
    same(ops.flipColumns(k), make(2, 3, [3, 2, 1, 6, 5, 4]));
    same(ops.flipRows(k), make(2, 3, [4, 5, 6, 1, 2, 3]));
  });

  it("turns every channel by itself", () => {
    const two = make(1, 2, [1, 10, 2, 20], 2);
    same(ops.flipColumns(two), make(1, 2, [2, 20, 1, 10], 2));
    same(ops.transpose(two), make(2, 1, [1, 10, 2, 20], 2));
  });

  it("comes back after two transposes, two flips, two negations or four quarter turns", () => {
    fc.assert(
      fc.property(kernels, (kernel) => {
        const clean = ops.scale(kernel, 1);
        same(ops.transpose(ops.transpose(clean)), clean);
        same(ops.flipRows(ops.flipRows(clean)), clean);
        same(ops.flipColumns(ops.flipColumns(clean)), clean);
        same(ops.negate(ops.negate(clean)), clean);
        same(ops.rotate(ops.rotate(ops.rotate(ops.rotate(clean)))), clean);
      }),
    );
  });

  it("makes half a turn of both flips, as the flip that turns correlation into convolution", () => {
    fc.assert(
      fc.property(kernels, (kernel) => {
        same(ops.rotate(ops.rotate(kernel)), ops.flipRows(ops.flipColumns(kernel)));
      }),
    );
  });

  it("leaves the kernel it was given as it was", () => {
    const before = make(2, 2, [1, 2, 3, 4]);
    for (const change of [ops.negate, ops.transpose, ops.rotate, ops.flipRows, ops.flipColumns, ops.zero]) {
      change(before);
    }
    expect(list(before)).toEqual([1, 2, 3, 4]);
  });
});

describe("values", () => {
  it("negates and scales without making negative zeros", () => {
    expect(list(ops.negate(make(1, 3, [0, 1, -2])))).toEqual([0, -1, 2]);
    expect(list(ops.scale(make(1, 3, [0, 1, -2]), -0.5))).toEqual([0, -0.5, 1]);
  });

  it("keeps NaN and infinity through negation and scaling", () => {
    expect(list(ops.negate(make(1, 2, [Number.NaN, Infinity])))).toEqual([Number.NaN, -Infinity]);
    expect(list(ops.scale(make(1, 2, [Number.NaN, Infinity]), 2))).toEqual([Number.NaN, Infinity]);
  });

  it("normalises to a sum of 1, to a mean of 0 and to a norm of 1", () => {
    const k = make(2, 2, [1, 2, 3, 4]);
    const take = (outcome: ops.Outcome) => (outcome.ok ? list(outcome.kernel) : outcome.why);
    expect(take(ops.normaliseSum(k))).toEqual([0.1, 0.2, 0.3, 0.4].map(Math.fround));
    expect(take(ops.zeroMean(k))).toEqual([-1.5, -0.5, 0.5, 1.5]);
    // 1 + 4 + 9 + 16 = 30
    expect(take(ops.unitNorm(k))).toEqual([1, 2, 3, 4].map((v) => Math.fround(v / Math.sqrt(30))));
  });

  it("says why a kernel that sums to 0 cannot sum to 1", () => {
    expect(ops.normaliseSum(make(1, 2, [-1, 1]))).toEqual({
      ok: false,
      why: expect.stringMatching(/^The kernel sums to 0/),
    });
    // Sums to 0 up to float32's rounding.
    expect(ops.normaliseSum(make(1, 3, [0.1, 0.2, -0.3])).ok).toBe(false);
  });

  it("says why zeros have no norm, and why NaN cannot be normalised", () => {
    expect(ops.unitNorm(make(1, 2, [0, 0]))).toEqual({ ok: false, why: expect.stringMatching(/no norm/) });
    for (const change of [ops.normaliseSum, ops.zeroMean, ops.unitNorm]) {
      expect(change(make(1, 2, [Number.NaN, 1])).ok).toBe(false);
      expect(change(make(1, 2, [Infinity, 1])).ok).toBe(false);
    }
  });
});

describe("resize", () => {
  const k3 = make(3, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  it("keeps the centre of a 3 × 3 kernel in 5 × 5, with zeros around", () => {
    const rows = [0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9, 0, 0, 0, 0, 0, 0];
    same(ops.resize(k3, 5, 5), make(5, 5, rows));
  });

  it("cuts the rim off a 3 × 3 kernel in 1 × 1", () => {
    same(ops.resize(k3, 1, 1), make(1, 1, [5]));
  });

  it("adds an even size's extra row and column after the others, where “same” pads more", () => {
    same(ops.resize(k3, 4, 4), make(4, 4, [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0, 0]));
    same(ops.resize(make(2, 2, [1, 2, 3, 4]), 3, 3), make(3, 3, [0, 0, 0, 0, 1, 2, 0, 3, 4]));
  });

  it("comes back from any larger size", () => {
    fc.assert(
      fc.property(kernels, fc.nat(4), fc.nat(4), (kernel, down, right) => {
        const [rows, cols] = kernel.shape;
        same(ops.resize(ops.resize(kernel, rows + down, cols + right), rows, cols), kernel);
      }),
    );
  });
});

describe("channels", () => {
  it("spreads a preset so that the channels together weigh what it weighs", () => {
    const spread = ops.spread(1, 2, [3, -6], 3);
    expect(spread.shape).toEqual([1, 2, 3]);
    expect(list(spread)).toEqual([1, 1, 1, -2, -2, -2]);
  });
});
