/** Which of correlation and convolution Keras computes, and that both can give this result. */
import { addUp, convolved, type Explanation } from "../../../maths/explanation.ts";
import { Formula } from "../../ui/Formula.tsx";

export const WAYS = { correlation: "cross-correlation (Keras)", convolution: "convolution" } as const;

export interface FlipProps {
  explanation: Explanation;
  kernel: Float32Array;
  bias: number;
  turned: boolean;
  rank: 1 | 2;
}

export function Flip({ explanation: e, kernel, bias, turned, rank }: FlipProps) {
  const show = (value: number) => addUp([value], value).total;
  const total = show(e.total);
  const other = show(convolved(e, kernel, bias, e.sums.length));
  const letters = (sign: string, k: string) =>
    rank === 1
      ? `y _ i = ∑ _ r x _ {i ${sign} r} ${k} _ r`
      : `y _ {i j} = ∑ _ {r c} x _ {i ${sign} r , j ${sign} c} ${k} _ {r c}`;
  return (
    <p class="cl-flip">
      {turned ? (
        <>
          A convolution, <Formula of={letters("−", "k′")} />, written ∗, turns its kernel by 180° before it
          multiplies: each weight meets the {rank === 1 ? "step" : "pixel"} opposite it. The kernel in the
          drawing is turned, k′, and gives the same {total}.
        </>
      ) : (
        <>
          Keras computes a cross-correlation, <Formula of={letters("+", "k")} />: the kernel lies on the patch
          as it is drawn; nothing is flipped. It gives {total}.
        </>
      )}{" "}
      {other === total
        ? "A convolution with the kernel as it is gives the same number here."
        : `A convolution with the kernel as it is would give ${other}.`}
    </p>
  );
}
