/** Keras 3's elementwise activations, with its defaults: those named in PREVIEWABLE of src/convlens/maths/activations.py. */

import { formatNumber } from "./numbers.ts";

type Params = Readonly<Record<string, number>>;

export interface Activation {
  /** Of one pre-activation, rounded to float32. */
  one: (value: number) => number;
  /** In place, from index `from` to before `to`. */
  apply: (values: Float32Array, from: number, to: number) => void;
  /** Whether it is max(x, 0). */
  rectifies: boolean;
  /** Whether a greater pre-activation never gives a smaller activation, so that the ends of a range stay its ends. */
  monotone: boolean;
  /** The pre-activations whose activation is exactly 0; of a function that is not monotone only the one at 0. */
  zeros: readonly [from: number, to: number];
}

/** One activation function for its constants. */
interface Rule {
  f: (x: number) => number;
  /** In the notation of components/ui/Formula.tsx, of x; null where the general form is too long to show. */
  formula: string | null;
  rectifies?: boolean;
  /** True by default. */
  monotone?: boolean;
  /** [0, 0] by default. */
  zeros?: readonly [number, number];
}

const { exp, log1p, max, min, tanh } = Math;
const NOWHERE = -Infinity;
/** exp(x) is 0 in float32 below. */
const UNDERFLOW = -104;

// Klambauer et al. 2017, as Keras spells them.
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const sigmoid = (x: number) => 1 / (1 + exp(-x));
const softplus = (x: number) => (x > 30 ? x : log1p(exp(x)));
const relu6 = (x: number) => min(max(x, 0), 6);
const hardSigmoid = (x: number) => relu6(x + 3) / 6;
const elu = (x: number, alpha: number) => (x > 0 ? x : alpha * Math.expm1(x));

const otherwise = (below: string) => `x " where " x > 0 ", else " ${below}`;
const eluFormula = (scale: string) => otherwise(`${scale} ( e ^ x − 1 )`);
const SOFTPLUS = "ln ( 1 + e ^ x )";
const HARD_SIGMOID = "{min ( max ( x + 3 , 0 ) , 6 )/6}";

/** keras.activations.relu with its three arguments. */
function relu(params: Params): Rule {
  const { negative_slope: slope = 0, max_value = Infinity, threshold = 0 } = params;
  // The general ReLU has three constants; its formula is not the plain one.
  const formula = Object.keys(params).length === 0 ? "max ( 0 , x )" : null;
  const plain = threshold === 0 && slope === 0 && max_value > 0;
  if (plain && max_value < Infinity)
    return { f: (x) => min(max(x, 0), max_value), formula, zeros: [NOWHERE, 0] };
  if (plain) return { f: (x) => max(x, 0), formula, rectifies: true, zeros: [NOWHERE, 0] };
  const rectified = (x: number) => (x > threshold ? min(x, max_value) : x <= threshold ? 0 : x);
  const f = (x: number) => rectified(x) - slope * max(0, threshold - x);
  // Not declared monotone where it need not be: the map is then scanned pixel by pixel.
  return { f, formula, monotone: slope > 0 && threshold === 0 };
}

const silu = (): Rule => ({ f: (x) => x * sigmoid(x), formula: "{x/1 + e ^ {− x}}", monotone: false });
const hardSilu = (): Rule => ({
  f: (x) => x * hardSigmoid(x),
  formula: `x · ${HARD_SIGMOID}`,
  monotone: false,
});

/** Every activation that the browser knows, by Keras's name: a new one is a row here. */
const RULES: Readonly<Record<string, (params: Params) => Rule>> = {
  linear: () => ({ f: (x) => x, formula: "x" }),
  relu,
  relu6: () => ({ f: relu6, formula: "min ( max ( 0 , x ) , 6 )", zeros: [NOWHERE, 0] }),
  leaky_relu: ({ negative_slope: slope = 0.2 }) => ({
    f: (x) => (x < 0 ? slope * x : x),
    formula: otherwise(`${formatNumber(slope)} x`),
    monotone: slope >= 0,
  }),
  elu: ({ alpha = 1 }) => ({
    f: (x) => elu(x, alpha),
    formula: eluFormula(alpha === 1 ? "" : formatNumber(alpha)),
    monotone: alpha >= 0,
  }),
  selu: () => ({
    f: (x) => SELU_SCALE * elu(x, SELU_ALPHA),
    formula: `1.0507 · ( ${eluFormula("1.6733")} )`,
  }),
  gelu: ({ approximate = 0 }) => ({
    f: approximate ? geluTanh : geluErf,
    formula: approximate
      ? "{x/2} ( 1 + tanh ( {√ {2/π}} ( x + 0.044715 x ^ 3 ) ) )"
      : 'x · Φ ( x ) ", Φ the normal distribution"',
    monotone: false,
  }),
  silu,
  swish: silu,
  sigmoid: () => ({ f: sigmoid, formula: "{1/1 + e ^ {− x}}", zeros: [NOWHERE, UNDERFLOW] }),
  hard_sigmoid: () => ({ f: hardSigmoid, formula: HARD_SIGMOID, zeros: [NOWHERE, -3] }),
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  tanh: () => ({ f: tanh, formula: "tanh x" }),
  softplus: () => ({ f: softplus, formula: SOFTPLUS, zeros: [NOWHERE, UNDERFLOW] }),
  softsign: () => ({ f: (x) => x / (1 + Math.abs(x)), formula: "{x/1 + | x |}" }),
  exponential: () => ({ f: exp, formula: "e ^ x", zeros: [NOWHERE, UNDERFLOW] }),
  mish: () => ({ f: (x) => x * tanh(softplus(x)), formula: `x · tanh ( ${SOFTPLUS} )`, monotone: false }),
};

function geluTanh(x: number): number {
  return 0.5 * x * (1 + tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
}

function geluErf(x: number): number {
  return 0.5 * x * erfc(-x / Math.SQRT2);
}

/** Complementary error function to 1.2e-7 relative: Press et al., Numerical Recipes, 2nd ed., section 6.2. */
function erfc(x: number): number {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  const coefficients = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
    1.00002368, -1.26551223,
  ];
  const tail = t * exp(-x * x + coefficients.reduce((sum, c) => sum * t + c, 0));
  return x >= 0 ? tail : 2 - tail;
}

function ruleOf(name: string, params: Params): Rule | undefined {
  return Object.hasOwn(RULES, name) ? RULES[name]?.(params) : undefined;
}

/** The activation as a formula of x under Keras's name and constants; null where it has none here. */
export function activationFormula(name: string, params: Params = {}): string | null {
  return ruleOf(name, params)?.formula ?? null;
}

/** The activation under Keras's name and constants, or null where the browser does not know it. */
export function activationOf(name: string, params: Params = {}): Activation | null {
  const rule = ruleOf(name, params);
  if (!rule) return null;
  const { f } = rule;
  return {
    one: (value) => Math.fround(f(value)),
    apply(values, from, to) {
      for (let i = from; i < to; i++) values[i] = f(values[i] as number);
    },
    rectifies: rule.rectifies ?? false,
    monotone: rule.monotone ?? true,
    zeros: rule.zeros ?? [0, 0],
  };
}

/** Whether applying it changes nothing. */
export function isLinear(name: string): boolean {
  return name === "linear";
}

/** The names that the browser knows. */
export const KNOWN: readonly string[] = Object.keys(RULES);

/** Least and greatest activation of a range of pre-activations; only where the activation is monotone. */
export function activatedRange(activation: Activation, low: number, high: number): [number, number] {
  const ends = [activation.one(low), activation.one(high)] as const;
  return [min(...ends), max(...ends)];
}
