import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  exactNumber,
  formatCell,
  formatNumber,
  parseNumber,
  readNumber,
  snap,
  stepFor,
} from "../maths/numbers.ts";

const value = (text: string) => {
  const parsed = parseNumber(text);
  if (!parsed.ok) throw new Error(parsed.why);
  return parsed.value;
};
const why = (text: string) => {
  const parsed = parseNumber(text);
  return parsed.ok ? `read as ${parsed.value}` : parsed.why;
};

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });

describe("parseNumber", () => {
  it.each([
    ["1", 1],
    ["-0.25", -0.25],
    ["+3", 3],
    [".5", 0.5],
    ["2.", 2],
    ["-.5e1", -5],
    ["2e-3", 0.002],
    ["1E3", 1000],
    ["1/9", 1 / 9],
    [" 1 / 3 ", 1 / 3],
    ["-1/2", -0.5],
    ["1e-1/.5", 0.2],
    ["−2", -2],
    ["–2", -2],
    ["1e-60", 0],
  ])("reads %j as the float32 nearest to %d", (text, expected) => {
    expect(value(text)).toBe(Math.fround(expected));
  });

  it.each([
    ["nan", Number.NaN],
    ["NaN", Number.NaN],
    ["inf", Infinity],
    ["-inf", -Infinity],
    ["−∞", -Infinity],
    ["Infinity", Infinity],
  ])("reads %j, since a kernel may hold it", (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  it.each(["√2", "abc", "1/2/3", "1//2", "0x10", "1e", "e5", "--1", "1 000", "1.2.3", "1;2"])(
    "refuses %j, quoting it and saying what would do",
    (text) => {
      expect(why(text)).toBe(`“${text}” is not a number. Write 0.5, 1/9, 2e-3, nan or inf.`);
    },
  );

  it("refuses nothing at all", () => {
    expect(why("  ")).toMatch(/^Nothing was typed/);
  });

  it("refuses a decimal comma and shows the number with a point", () => {
    expect(why("0,5")).toBe("“0,5” has a comma. Write 0.5 with a point.");
  });

  it("refuses a division by zero", () => {
    expect(why("1/0")).toMatch(/divides by zero/);
    expect(why("0/0")).toMatch(/divides by zero/);
  });

  it.each(["1e400", "-1e400", "1e39", "3.5e38"])("refuses %s, which float32 cannot hold", (text) => {
    expect(why(text)).toMatch(/more than a float32 holds/);
  });

  it("takes the greatest float32", () => {
    expect(value("3.4028235e38")).toBe((2 - 2 ** -23) * 2 ** 127);
  });

  it("keeps a long refused text short", () => {
    expect(why("x".repeat(500)).length).toBeLessThan(100);
  });
});

describe("exactNumber", () => {
  it("reads back as the same float32, for every float32", () => {
    fc.assert(
      fc.property(float32, (v) => {
        expect(value(exactNumber(v))).toBe(v === 0 ? 0 : v);
      }),
      { numRuns: 2000 },
    );
  });

  it("is as short as NumPy's own repr", () => {
    // repr(np.float32(x)), NumPy 2.
    expect(exactNumber(Math.fround(0.1))).toBe("0.1");
    expect(exactNumber(Math.fround(1 / 9))).toBe("0.11111111");
    expect(exactNumber(Math.fround(1 / 3))).toBe("0.33333334");
    expect(exactNumber(16777216)).toBe("16777216");
  });

  it("is plain ASCII, as Python and spreadsheets read it", () => {
    expect([-1.5, Number.NaN, Infinity, -Infinity, -0].map(exactNumber)).toEqual([
      "-1.5",
      "nan",
      "inf",
      "-inf",
      "0",
    ]);
  });
});

describe("formatNumber", () => {
  it.each([
    [-1, 5, "−1"],
    [0.25, 4, "0.25"],
    [-0.25, 5, "−0.25"],
    [1 / 9, 5, "0.111"],
    [-1 / 9, 5, "−0.11"],
    [-0.05, 4, "−.05"],
    [0.0625, 4, ".063"],
    [123456, 5, "1.2e5"],
    [0.00123, 4, ".001"],
    [-0.003, 5, "−.003"],
    [0.0000123, 5, "1e−5"],
    [0.999, 4, "1"],
    [-0, 4, "0"],
    [Number.NaN, 4, "NaN"],
    [-Infinity, 4, "−∞"],
  ])("writes %d in %d characters as %s", (v, width, expected) => {
    expect(formatNumber(Math.fround(v), width)).toBe(expected);
  });

  it("says “…” rather than a wrong number where there is no room", () => {
    expect(formatNumber(-1e-30, 4)).toBe("…");
  });

  it("stays within its width and within the precision it shows", () => {
    fc.assert(
      fc.property(float32, fc.integer({ min: 6, max: 12 }), (v, width) => {
        const text = formatNumber(v, width);
        expect(text.length).toBeLessThanOrEqual(width);
        const shown = Number(text.replace(/−/g, "-"));
        // One digit is right to half a unit of that digit at worst.
        expect(Math.abs(shown - v)).toBeLessThanOrEqual(Math.abs(v) * 0.5 + Number.MIN_VALUE);
        if (v !== 0) expect(shown).not.toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("formatCell", () => {
  it("shows as “≈0” what is nothing next to the kernel's greatest number, and as 0 only what is 0", () => {
    expect(formatCell(1e-7, 5, 1)).toBe("≈0");
    expect(formatCell(0, 5, 1)).toBe("0");
    expect(formatCell(0.001, 5, 1)).toBe("0.001");
    expect(formatCell(1e-7, 5, 1e-7)).toBe("1e−7");
  });
});

describe("readNumber", () => {
  it("is exact, with a real minus sign", () => {
    expect(readNumber(Math.fround(-1 / 9))).toBe("−0.11111111");
  });
});

describe("stepFor and snap", () => {
  it.each([
    [0, 0.1],
    [1, 0.1],
    [4, 0.1],
    [10, 1],
    [255, 10],
    [0.11, 0.01],
    [0.001, 0.0001],
  ])("steps among numbers up to %d by %d", (most, step) => {
    expect(stepFor(most)).toBeCloseTo(step, 12);
  });

  it("lands on the float32 of the decimal, however many steps were taken", () => {
    for (let n = -300; n <= 300; n++) expect(snap(n * 0.01, 0.01)).toBe(Math.fround(n / 100));
  });
});
