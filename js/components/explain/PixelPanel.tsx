/** Why the pinned pixel has its value: patch × kernel tap by tap, their sum, the bias and the activation function. */
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { addUp, agrees, convolved, type Explanation, explain } from "../../lens/explain.ts";
import { formatNumber } from "../../lens/numbers.ts";
import type { FilterView, LensModel } from "../../model/lens.ts";
import { Icon } from "../icons.tsx";
import { span } from "../wording.ts";
import { activationFormula } from "./activationFormula.ts";
import { Contributions } from "./Contributions.tsx";
import { Formula } from "./Formula.tsx";
import type { Tap } from "./Heat.tsx";
import { Planes } from "./Planes.tsx";
import { Segments } from "./Segments.tsx";
import { Slide } from "./Slide.tsx";
import { selectedFilter } from "./selectedFilter.ts";

/** The channels of the layer's input, as a person calls them. */
export function channelName(channels: number, channel: number): string {
  return (
    (channels === 3 || channels === 4 ? ["red", "green", "blue", "alpha"][channel] : null) ??
    `channel ${channel}`
  );
}

export function PixelPanel({ lens }: { lens: LensModel }) {
  const chosen = selectedFilter(lens);
  const pixel = lens.pixel.value;
  const { kind, input_shape, output_shape } = lens.geometry.value;
  const { rows, cols, channels } = lens.picture.value;
  if (!chosen) return null;
  const { filter, index, name } = chosen;
  const here = lens.imageIsInput.value && String([rows, cols, channels]) === String(input_shape);
  const known = here && (kind === "conv" || kind === "depthwise");
  return (
    <>
      <div class="cl-explainhead">
        <strong>
          {pixel ? `${name}, row ${pixel[0]}, col ${pixel[1]}` : "Why does a pixel have its value?"}
        </strong>
        <Slide lens={lens} />
      </div>
      {!pixel && (
        <p>
          Click a pixel of a map, or press Enter on a map, and see the input values and the weights that it is
          made of.
        </p>
      )}
      {pixel && !known && (
        <p>
          {here ? `How a ${lens.geometry.value.class_name} reads its input` : "What this layer is fed"} is
          known in Python: <code>{`lens.explain(${index}, ${pixel[0]}, ${pixel[1]})`}</code>
        </p>
      )}
      {pixel && known && pixel[0] < output_shape[0] && pixel[1] < output_shape[1] && (
        <Taken lens={lens} filter={filter} row={pixel[0]} col={pixel[1]} />
      )}
    </>
  );
}

const WAYS = { correlation: "cross-correlation (Keras)", convolution: "convolution" } as const;

function Taken({
  lens,
  filter,
  row,
  col,
}: {
  lens: LensModel;
  filter: FilterView;
  row: number;
  col: number;
}) {
  const over = useSignal<Tap | null>(null);
  const way = useSignal<keyof typeof WAYS>("correlation");
  const explanation = useComputed(() => lens.pixel.value && explanationAt(lens, filter, lens.pixel.value));
  const kernel = filter.kernel.value;
  const geometry = lens.geometry.value;
  const e = explanation.value;
  const turned = way.value === "convolution";

  // The tap that is pointed at is marked in the input image, too.
  useSignalEffect(() => {
    const tap = over.value;
    const at = explanation.peek();
    if (!at) return;
    const [y, x] = tap ? [at.rows[tap[0]] ?? -1, at.cols[tap[1]] ?? -1] : [-1, -1];
    const inside = y >= 0 && x >= 0 && y < geometry.input_shape[0] && x < geometry.input_shape[1];
    lens.hoverInput.value = inside ? { row: y, col: x } : null;
  });
  useEffect(
    () => () => {
      lens.hoverInput.value = null;
    },
    [lens],
  );

  if (!e || kernel.length === 0) return null;
  const along = (name: string, indices: number[], step: number) =>
    `${name} ${span(indices[0] ?? 0, indices.at(-1) ?? 0)}${step > 1 ? ` by ${step}` : ""}`;
  const [stepY, stepX] = geometry.dilation_rate;
  const padded = e.inside.filter((reads) => !reads).length;
  return (
    <div class="cl-taken">
      <div>
        <Planes lens={lens} filter={filter} explanation={e} over={over} turned={turned} />
        <Total lens={lens} filter={filter} explanation={e} row={row} col={col} />
      </div>
      <div>
        <p>
          The patch is {along("rows", e.rows, stepY)}, {along("cols", e.cols, stepX)} of the input
          {padded > 0 ? `; ${padded} of its ${e.inside.length} cells lie in the padding.` : "."}
        </p>
        <Segments label="The kernel is drawn for" options={WAYS} value={way} />
        <Flip
          explanation={e}
          kernel={kernel}
          bias={filter.bias.value}
          depth={geometry.kernel_channels}
          turned={turned}
        />
        <Contributions lens={lens} filter={filter} explanation={e} />
      </div>
    </div>
  );
}

function explanationAt(lens: LensModel, filter: FilterView, [row, col]: [number, number]): Explanation {
  const geometry = lens.geometry.value;
  const planes = Array.from({ length: geometry.kernel_channels }, (_, i) =>
    lens.picture.value.plane(filter.firstChannel + i),
  );
  return explain(geometry, planes, filter.kernel.value, filter.bias.value, row, col);
}

interface TotalProps {
  lens: LensModel;
  filter: FilterView;
  explanation: Explanation;
  row: number;
  col: number;
}

/** More terms than this are shown as one. */
const MOST_TERMS = 4;

function Total({ lens, filter, explanation: e, row, col }: TotalProps) {
  const geometry = lens.geometry.value;
  const bias = filter.bias.value;
  const apart = e.sums.length > 1 && e.sums.length <= MOST_TERMS;
  const labels = apart
    ? e.sums.map((_, i) => `Σ ${channelName(geometry.input_shape[2], filter.firstChannel + i)}`)
    : ["Σ products"];
  const terms = apart ? [...e.sums] : [e.sums.reduce((a, b) => a + b, 0)];
  if (geometry.use_bias) {
    terms.push(bias);
    labels.push("bias");
  }
  const sum = addUp(terms, e.total);
  const value = lens.valueAt(filter.uid, row, col);
  const formula = activationFormula(geometry);
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
        <Term label={geometry.use_bias ? "pre-activation" : "pre-activation (no bias)"} text={sum.total} />
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
          Keras's pre-activation is {formatNumber(value.pre_activation, 9)}: this layer computes something
          else than its settings say, or in less than float32.
        </p>
      )}
    </>
  );
}

function Term({ label, text }: { label: string; text: string }) {
  return (
    <span class="cl-term">
      <span class="cl-number">{text}</span>
      <small>{label}</small>
    </span>
  );
}

interface FlipProps {
  explanation: Explanation;
  kernel: Float32Array;
  bias: number;
  depth: number;
  turned: boolean;
}

/** Which of the two operations Keras computes, and that both can give this result. */
function Flip({ explanation: e, kernel, bias, depth, turned }: FlipProps) {
  const show = (value: number) => addUp([value], value).total;
  const total = show(e.total);
  const other = show(convolved(e, kernel, bias, depth));
  const letters = (sign: string, k: string) =>
    `y _ {i j} = ∑ _ {r c} x _ {i ${sign} r , j ${sign} c} ${k} _ {r c}`;
  return (
    <p class="cl-flip">
      {turned ? (
        <>
          A convolution, <Formula of={letters("−", "k′")} />, written ∗, turns its kernel by 180° before it
          multiplies: each weight meets the pixel opposite it. With the kernel k′ that is drawn here, Keras's
          turned by 180°, it gives the same {total}.
        </>
      ) : (
        <>
          Keras computes a cross-correlation, <Formula of={letters("+", "k")} />: the kernel lies on the patch
          as it is drawn, nothing is flipped. It gives {total}.
        </>
      )}{" "}
      {other === total
        ? "A convolution with the kernel as it is gives the same number here."
        : `A convolution with the kernel as it is would give ${other}.`}
    </p>
  );
}
