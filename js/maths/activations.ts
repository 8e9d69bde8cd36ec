/** Keras 3's elementwise activations, with its defaults: those named in PREVIEWABLE of src/convlens/geometry.py. */

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

interface Rule {
  f: (x: number) => number;
  rectifies?: boolean;
  monotone?: boolean;
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
const leaky = (slope: number): Rule => ({ f: (x) => (x < 0 ? slope * x : x), monotone: slope >= 0 });

/** keras.activations.relu with its three arguments. */
function relu({ negative_slope: slope = 0, max_value = Infinity, threshold = 0 }: Params): Rule {
  const plain = threshold === 0 && slope === 0 && max_value > 0;
  if (plain && max_value < Infinity) return { f: (x) => min(max(x, 0), max_value), zeros: [NOWHERE, 0] };
  if (plain) return { f: (x) => max(x, 0), rectifies: true, zeros: [NOWHERE, 0] };
  const rectified = (x: number) => (x > threshold ? min(x, max_value) : x <= threshold ? 0 : x);
  // Not claimed monotone where it need not be: the map is then looked through pixel by pixel.
  return { f: (x) => rectified(x) - slope * max(0, threshold - x), monotone: slope > 0 && threshold === 0 };
}

const RULES: Readonly<Record<string, (params: Params) => Rule>> = {
  linear: () => ({ f: (x) => x }),
  relu,
  relu6: () => ({ f: relu6, zeros: [NOWHERE, 0] }),
  leaky_relu: ({ negative_slope = 0.2 }) => leaky(negative_slope),
  elu: ({ alpha = 1 }) => ({ f: (x) => elu(x, alpha), monotone: alpha >= 0 }),
  selu: () => ({ f: (x) => SELU_SCALE * elu(x, SELU_ALPHA) }),
  gelu: ({ approximate = 0 }) => ({ f: approximate ? geluTanh : geluErf, monotone: false }),
  silu: () => ({ f: (x) => x * sigmoid(x), monotone: false }),
  swish: () => ({ f: (x) => x * sigmoid(x), monotone: false }),
  sigmoid: () => ({ f: sigmoid, zeros: [NOWHERE, UNDERFLOW] }),
  hard_sigmoid: () => ({ f: hardSigmoid, zeros: [NOWHERE, -3] }),
  hard_silu: () => ({ f: (x) => x * hardSigmoid(x), monotone: false }),
  hard_swish: () => ({ f: (x) => x * hardSigmoid(x), monotone: false }),
  tanh: () => ({ f: tanh }),
  softplus: () => ({ f: softplus, zeros: [NOWHERE, UNDERFLOW] }),
  softsign: () => ({ f: (x) => x / (1 + Math.abs(x)) }),
  exponential: () => ({ f: exp, zeros: [NOWHERE, UNDERFLOW] }),
  mish: () => ({ f: (x) => x * tanh(softplus(x)), monotone: false }),
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

/** The activation under Keras's name and constants, or null where the browser does not know it. */
export function activationOf(name: string, params: Params = {}): Activation | null {
  const rule = Object.hasOwn(RULES, name) ? RULES[name]?.(params) : undefined;
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
