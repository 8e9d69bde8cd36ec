/** Keras's activation functions in the notation of Formula.tsx. */
import { formatNumber } from "../../lens/numbers.ts";
import type { Geometry } from "../../model/types.ts";

const ELU = (scale: string) => `x " where " x > 0 ", else " ${scale} ( e ^ x − 1 )`;
const SIGMOID = "{1/1 + e ^ {− x}}";
const HARD = "{min ( max ( x + 3 , 0 ) , 6 )/6}";
const SOFTPLUS = "ln ( 1 + e ^ x )";

const FORMULAS: Record<string, (params: Record<string, number>) => string> = {
  linear: () => "x",
  relu: () => "max ( 0 , x )",
  relu6: () => "min ( max ( 0 , x ) , 6 )",
  leaky_relu: ({ negative_slope: slope = 0.2 }) => `x " where " x > 0 ", else " ${formatNumber(slope)} x`,
  elu: ({ alpha = 1 }) => ELU(alpha === 1 ? "" : formatNumber(alpha)),
  selu: () => `1.0507 · ( ${ELU("1.6733")} )`,
  gelu: ({ approximate = 0 }) =>
    approximate
      ? "{x/2} ( 1 + tanh ( {√ {2/π}} ( x + 0.044715 x ^ 3 ) ) )"
      : 'x · Φ ( x ) ", Φ the normal distribution"',
  silu: () => "{x/1 + e ^ {− x}}",
  sigmoid: () => SIGMOID,
  hard_sigmoid: () => HARD,
  hard_silu: () => `x · ${HARD}`,
  tanh: () => "tanh x",
  softplus: () => SOFTPLUS,
  softsign: () => "{x/1 + | x |}",
  exponential: () => "e ^ x",
  mish: () => `x · tanh ( ${SOFTPLUS} )`,
};
const SAME: Record<string, string> = { swish: "silu", hard_swish: "hard_silu" };

/** What the activation makes of x; null for a function that is not known here. */
export function activationFormula({
  activation,
  activation_params: params,
  previewable,
}: Geometry): string | null {
  const name = SAME[activation] ?? activation;
  // The general ReLU has three constants; its formula is not the plain one.
  const plain = name !== "relu" || Object.keys(params).length === 0;
  return previewable && plain && Object.hasOwn(FORMULAS, name) ? (FORMULAS[name]?.(params) ?? null) : null;
}
