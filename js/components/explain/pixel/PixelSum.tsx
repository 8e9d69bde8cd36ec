/** Sums, bias, pre-activation, activation function and value of one pixel, as one line of arithmetic. */
import type { ComponentChildren } from "preact";
import { activationFormula } from "../../../maths/activations.ts";
import { addUp, agrees, type Explanation } from "../../../maths/explanation.ts";
import { formatNumber } from "../../../maths/numbers.ts";
import type { FilterView, LensView } from "../../../state/lens-view.ts";
import { channelName } from "../../ui/channelName.ts";
import { Formula } from "../../ui/Formula.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Word } from "../../ui/Word.tsx";

export interface PixelSumProps {
  lens: LensView;
  filter: FilterView;
  explanation: Explanation;
  row: number;
  col: number;
}

/** More terms than this are shown as one. */
const MOST_TERMS = 4;

export function PixelSum({ lens, filter, explanation: e, row, col }: PixelSumProps) {
  const geometry = lens.geometry.value;
  const bias = filter.bias.value;
  const apart = e.sums.length > 1 && e.sums.length <= MOST_TERMS;
  const together = e.sums.length > 1 ? `Σ of all ${e.sums.length} channels` : "Σ products";
  const labels: string[] = apart
    ? e.sums.map((_, i) => `Σ ${channelName(lens, filter.firstChannel + i)}`)
    : [together];
  const terms = apart ? [...e.sums] : [e.sums.reduce((a, b) => a + b, 0)];
  if (geometry.use_bias) {
    terms.push(bias);
    labels.push("bias");
  }
  const sum = addUp(terms, e.total);
  const value = lens.valueAt(filter.uid, row, col);
  const { previewable, activation, activation_params } = geometry;
  const formula = previewable ? activationFormula(activation, activation_params) : null;
  const linear = geometry.activation === "linear";
  return (
    <>
      <p class="cl-sum">
        {sum.terms.map((text, i) => (
          <>
            {i > 0 && <span class="cl-op">+</span>}
            <Term label={labels[i] ?? ""} text={text} />
          </>
        ))}
        <span class="cl-op">{sum.exact ? "=" : "≈"}</span>
        <Term
          label={
            <Word why="The pre-activation: the sum of all products and the bias, before the activation function.">
              {linear ? "the sum" : `before ${geometry.activation}`}
            </Word>
          }
          text={sum.total}
        />
        <span class="cl-op">→</span>
        <span class="cl-term">
          <span>
            {formula ? <Formula of={`${geometry.activation} ( x ) = ${formula}`} /> : geometry.activation}
          </span>
          <small>{linear ? "no activation function" : "activation function"}</small>
        </span>
        <span class="cl-op">→</span>
        <span class="cl-term" data-result>
          <span class="cl-number">{value ? formatNumber(value.activation, 8) : "…"}</span>
          <small>
            <Icon name={value?.exact ? "check" : "approx"} size={12} /> {value?.exact ? "Keras" : "preview"}
          </small>
        </span>
      </p>
      {value?.exact && !agrees(e, value.pre_activation) && (
        <p class="cl-kalert">
          Keras's sum before the activation function is {formatNumber(value.pre_activation, 9)}: this layer
          does not compute what its settings say, or computes in less than float32.
        </p>
      )}
    </>
  );
}

function Term({ label, text }: { label: ComponentChildren; text: string }) {
  return (
    <span class="cl-term">
      <span class="cl-number">{text}</span>
      <small>{label}</small>
    </span>
  );
}
