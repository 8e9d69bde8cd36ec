/** Sums, bias, pre-activation, activation function and value of one pixel: arithmetic in one line, or one term a line. */
import type { ComponentChildren } from "preact";
import { activationFormula } from "../../../maths/activations.ts";
import { addUp, agrees, type Explanation } from "../../../maths/explanation.ts";
import { formatNumber } from "../../../maths/numbers.ts";
import type { FilterView, LensView } from "../../../state/lens-view.ts";
import { SUMS_APART } from "../../ui/arrangement.ts";
import { channelName } from "../../ui/channelName.ts";
import { Formula } from "../../ui/Formula.tsx";
import { Icon } from "../../ui/icons.tsx";
import { useLedger } from "../../ui/useLedger.ts";
import { Word } from "../../ui/Word.tsx";
import { PROVENANCE } from "../../ui/wording.ts";

export interface PixelSumProps {
  lens: LensView;
  filter: FilterView;
  explanation: Explanation;
  row: number;
  col: number;
}

/** Characters above which a formula is too long for a narrow lens, which has the name of the function instead. */
const LONG = 42;

export function PixelSum({ lens, filter, explanation: e, row, col }: PixelSumProps) {
  const geometry = lens.geometry.value;
  const bias = filter.bias.value;
  const apart = e.sums.length > 1 && e.sums.length <= SUMS_APART;
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
  const mark = PROVENANCE[value ? (value.exact ? "keras" : "preview") : "waiting"];
  const linear = activation === "linear";
  return (
    <>
      <Sum key={`${labels} ${activation}`}>
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
              {linear ? "the sum" : `before ${activation}`}
            </Word>
          }
          text={sum.total}
          total
        />
        <span class="cl-op">→</span>
        <span class="cl-term">
          {formula && (
            <span class="cl-formula" data-long={formula.length > LONG}>
              <Formula of={`${activation} ( x ) = ${formula}`} />
            </span>
          )}
          <span>{activation}</span>
          <small>{linear ? "no activation function" : "activation function"}</small>
        </span>
        <span class="cl-op">→</span>
        <span class="cl-term" data-result>
          <span class="cl-number">{value ? formatNumber(value.activation, 8) : "…"}</span>
          <small>
            <Icon name={mark.icon} size={12} /> {mark.text}
          </small>
        </span>
      </Sum>
      {value?.exact && !agrees(e, value.pre_activation) && (
        <p class="cl-kalert">
          Keras's sum before the activation function is {formatNumber(value.pre_activation, 9)}: this layer
          does not compute what its settings say, or computes in less than float32.
        </p>
      )}
    </>
  );
}

/** Another equation begins with the width that it needs unknown. */
function Sum({ children }: { children: ComponentChildren }) {
  return (
    <p class="cl-sum" ref={useLedger()}>
      {children}
    </p>
  );
}

function Term({ label, text, total }: { label: ComponentChildren; text: string; total?: boolean }) {
  return (
    <span class="cl-term" data-total={total}>
      <span class="cl-number">{text}</span>
      <small>{label}</small>
    </span>
  );
}
