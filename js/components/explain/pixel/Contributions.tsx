/** The taps of one pixel as a list, the largest products first: what stays readable in a large kernel. */

import { type Explanation, largestFirst } from "../../../maths/explanation.ts";
import { kindOf } from "../../../maths/kinds.ts";
import { formatNumber } from "../../../maths/numbers.ts";
import type { FilterView, LensView } from "../../../state/lens-view.ts";
import { channelName } from "../../ui/channelName.ts";
import { span } from "../../ui/wording.ts";

const MOST = 24;

interface ContributionsProps {
  lens: LensView;
  filter: FilterView;
  explanation: Explanation;
}

export function Contributions({ lens, filter, explanation: e }: ContributionsProps) {
  const { kernel_size, kernel_channels: depth } = lens.geometry.value;
  const transposed = kindOf(lens.geometry.value).spreads;
  const pictured = lens.geometry.value.rank !== 1;
  const kernel = filter.kernel.value;
  const order = largestFirst(e.products);
  const rest = order.slice(MOST);
  const others = rest.reduce((sum, i) => sum + (e.products[i] as number), 0);
  return (
    <details class="cl-details">
      <summary>Largest contributions first</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
      <section class="cl-scroll" aria-label="Largest contributions" tabIndex={0}>
        <table class="cl-table">
          <thead>
            <tr>
              {pictured && <th>row</th>}
              <th>{pictured ? "col" : "step"}</th>
              {depth > 1 && <th>channel</th>}
              <th>value</th>
              <th>× weight</th>
              <th>= product</th>
            </tr>
          </thead>
          <tbody>
            {order.slice(0, MOST).map((i) => {
              const cell = Math.floor(i / depth);
              const [row, col] = [
                e.rows[Math.floor(cell / kernel_size[1])] ?? 0,
                e.cols[cell % kernel_size[1]] ?? 0,
              ];
              return (
                <tr key={i}>
                  {pictured && <td>{e.inside[cell] || !transposed ? span(row, row) : "–"}</td>}
                  <td>{e.inside[cell] || !transposed ? span(col, col) : "–"}</td>
                  {depth > 1 && <td>{channelName(lens, filter.firstChannel + (i % depth))}</td>}
                  <td>
                    {e.inside[cell]
                      ? formatNumber(e.values[i] as number, 9)
                      : transposed
                        ? "0, no input"
                        : "0, padding"}
                  </td>
                  <td>{formatNumber(kernel[i] as number, 9)}</td>
                  <td>{formatNumber(e.products[i] as number, 9)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {rest.length > 0 && (
          <p>
            The other {rest.length} together: {formatNumber(Math.fround(others), 9)}
          </p>
        )}
        <p class="cl-muted">
          Products are float32, as in the layer; they are added up in float64. ≈ marks rounding.
        </p>
      </section>
    </details>
  );
}
