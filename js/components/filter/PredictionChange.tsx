/** What the edits do to the model's first class, in one line on the card: the whole prediction may be out of sight. */
import { formatNumber } from "../../maths/numbers.ts";
import type { LensView } from "../../state/lens-view.ts";

export function PredictionChange({ lens }: { lens: LensView }) {
  const { before, after, state } = lens.network.predictions.value;
  if (!before || !after || state === "outdated") return null;
  const first = before.reduce((best, value, i) => (value > (before[best] as number) ? i : best), 0);
  const [from, to] = [before[first] as number, after[first] as number];
  return (
    <span class="cl-number cl-muted" title="The model's first class before the edits, and its value now">
      {lens.network.labels.value[first] ?? `class ${first}`} {formatNumber(from, 4)} → {formatNumber(to, 4)}
    </span>
  );
}
