/** What the edits do to the model's output: its top classes before and after, as bars and in numbers, or its picture. */
import { formatNumber } from "../../maths/numbers.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { Attribution } from "./Attribution.tsx";
import { OutputMaps } from "./OutputMaps.tsx";

const TOP = 5;

/** Classes by their greatest value before or after, so that one which rises or falls is seen either way. */
export function topClasses(before: Float32Array, after: Float32Array): number[] {
  const most = (i: number) => Math.max(before[i] as number, after[i] as number);
  const order = [...after.keys()].filter((i) => !Number.isNaN(most(i)));
  return order.sort((a, b) => most(b) - most(a)).slice(0, TOP);
}

/** "+0.25", "−0.1" or "0": a difference that is only rounding is none. */
export function difference(before: number, after: number): string {
  const step = after - before;
  if (Math.abs(step) <= 1e-6 * Math.max(1, Math.abs(before))) return "0";
  return `${step > 0 ? "+" : ""}${formatNumber(Math.fround(step), 6)}`;
}

export function Predictions({ lens }: { lens: LensView }) {
  if (lens.network.layers.value.length === 0) return null;
  return <Panel lens={lens} />;
}

function Panel({ lens }: { lens: LensView }) {
  const { before, after, version, state, error, note } = lens.network.predictions.value;
  const output = lens.network.output.value;
  // Its maps are requested when the model has run.
  const coming = !!output && !error && lens.network.outputMaps.shown.value?.version !== version;
  const offline = lens.link.value === "offline";
  return (
    <fieldset
      class="cl-predictions"
      aria-label="The model's prediction"
      aria-busy={!offline && (state !== "settled" || coming)}
    >
      <p>
        <strong>{output ? "output" : "prediction"}</strong>{" "}
        <span class="cl-muted">
          {state === "saved"
            ? "before → after, from Keras, as saved"
            : state === "outdated"
              ? "as saved, before the edits in this page"
              : offline
                ? "needs Python"
                : state === "settled"
                  ? "before → after"
                  : "running the model…"}
        </span>
      </p>
      {error && <p class="cl-kalert">{error}</p>}
      {output ? (
        <OutputMaps key={String(output)} lens={lens} shape={output} />
      ) : before && after ? (
        <Classes lens={lens} before={before} after={after} />
      ) : (
        state === "settled" && !error && <p class="cl-muted">{note ?? "Nothing to compare."}</p>
      )}
    </fieldset>
  );
}

function Classes({ lens, before, after }: { lens: LensView; before: Float32Array; after: Float32Array }) {
  const { attributed } = lens.interpretation;
  const labels = lens.network.labels.value;
  const top = topClasses(before, after);
  const both = top.flatMap((i) => [before[i] as number, after[i] as number]);
  // Probabilities fill the bar at 1, logits at the greatest magnitude on show.
  const full = Math.max(1, ...both.map(Math.abs).filter(Number.isFinite));
  const bar = (value: number) => ({ inlineSize: `${(100 * Math.min(Math.abs(value), full)) / full}%` });
  const first = (values: Float32Array) =>
    top.reduce((best, i) => ((values[i] as number) > (values[best] as number) ? i : best), top[0] ?? 0);
  const [was, is] = [first(before), first(after)];
  const name = (i: number) => labels[i] ?? `class ${i}`;
  return (
    <>
      <ol>
        {top.map((i) => {
          const [from, to] = [before[i] as number, after[i] as number];
          return (
            <li key={i} data-best={i === is || undefined}>
              <Button
                class="cl-class"
                title={`${name(i)}, index ${i}. Click to see what in the image it rests on`}
                aria-pressed={attributed.value?.target === i}
                onClick={() => {
                  const { method = "gradcam", target } = attributed.value ?? {};
                  attributed.value = target === i ? null : { target: i, method };
                }}
              >
                {name(i)}
              </Button>
              <span class="cl-number">
                <span class="cl-muted">{formatNumber(from, 6)} →</span> {formatNumber(to, 6)}
              </span>
              <span class="cl-twobars" aria-hidden="true">
                <span style={bar(from)} />
                <span style={bar(to)} />
              </span>
              <span class="cl-number">{difference(from, to)}</span>
            </li>
          );
        })}
      </ol>
      <p role="status" class={was === is ? "cl-hidden" : undefined}>
        {was === is ? `Still ${name(is)}.` : `The edits turn ${name(was)} into ${name(is)}.`}
      </p>
      {attributed.value && (
        <Attribution lens={lens} {...attributed.value} name={name(attributed.value.target)} output={after} />
      )}
    </>
  );
}
