/** Which filter responds most at the pinned pixel: all filters in the order of their maps' values there. */
import { useSignal } from "@preact/signals";
import { formatNumber } from "../../../maths/numbers.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { Button } from "../../ui/Button.tsx";

/** With more filters than this, the overview beside them is sorted by the pixel. */
const MOST = 6;

interface AnswersProps {
  lens: LensView;
  row: number;
  col: number;
}

export function Answers({ lens, row, col }: AnswersProps) {
  const open = useSignal(false);
  const count = lens.filters.value.length;
  if (count < 2) return null;
  return (
    <details
      class="cl-details"
      open={open.value}
      onToggle={({ currentTarget }) => {
        open.value = currentTarget.open;
      }}
    >
      <summary>Which filter responds most here?</summary>
      {open.value &&
        (count > MOST ? (
          <p>Sort the filters by “at the pinned pixel”.</p>
        ) : (
          <Ranked {...{ lens, row, col }} />
        ))}
    </details>
  );
}

/** In list order until all values have arrived, so that nothing moves while they come. */
function Ranked({ lens, row, col }: AnswersProps) {
  const stage = lens.shared.stage.value;
  const found = lens.filters.value.map(({ uid }, index) => {
    const value = lens.valueAt(uid, row, col);
    return { index, exact: value?.exact ?? false, value: value?.[stage] ?? Number.NaN };
  });
  if (found.every(({ value }) => !Number.isNaN(value))) found.sort((a, b) => b.value - a.value);
  return (
    <ol class="cl-answers">
      {found.map(({ index, value, exact }) => (
        <li key={index}>
          <Button
            class="cl-link"
            aria-current={index === lens.selected.value}
            onClick={() => lens.select(index)}
          >
            {lens.names.value[index]}
          </Button>{" "}
          <span class="cl-number">
            {Number.isNaN(value) ? "…" : `${exact ? "" : "≈ "}${formatNumber(value, 8)}`}
          </span>
        </li>
      ))}
    </ol>
  );
}
