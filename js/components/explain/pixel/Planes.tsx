/** Patch × kernel = products, one row of three heatmaps for each channel. */

import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { addUp, type Explanation, turn } from "../../../maths/explanation.ts";
import { kindOf } from "../../../maths/kinds.ts";
import { formatCell, formatNumber, magnitude } from "../../../maths/numbers.ts";
import { levelOf } from "../../../paint/colors.ts";
import { GRAY } from "../../../paint/palette.ts";
import { finiteRange, shownAs } from "../../../paint/picture.ts";
import type { FilterView, LensView } from "../../../state/lens-view.ts";
import { Button } from "../../ui/Button.tsx";
import { cellColors, kernelTable, toneOf, tonesOf } from "../../ui/cellColors.ts";
import { useCellSize } from "../../ui/cellSize.ts";
import { channelName } from "../../ui/channelName.ts";
import { Heat, type HeatCell, type Tap } from "../../ui/Heat.tsx";

export interface PlanesProps {
  lens: LensView;
  filter: FilterView;
  explanation: Explanation;
  /** Planes of the kernel, the one with the largest sum first. */
  order: readonly number[];
  over: Signal<Tap | null>;
  /** Draw the kernel turned by 180°. */
  turned: boolean;
  /**
   * Channel of the layer's input that is shown as a picture, where that is not the image, and how to choose another.
   */
  looked?: number;
  onLook?: (channel: number) => void;
}

const PLANES_A_ROW = 3;
/** Up to this many channels keep their own order. */
const IN_ORDER = 4;
/** Of more channels, this many are shown, those with the largest sums, and as many again with each press of "more". */
const FIRST = 8;
const MORE = 32;

export function Planes(props: PlanesProps) {
  const { lens, filter, explanation: e, order, over, turned, looked, onLook } = props;
  const count = useSignal(FIRST);
  const depth = e.sums.length;
  const [rows, cols] = [e.rows.length, e.cols.length];
  const kernel = filter.kernel.value;
  const table = kernelTable(lens);
  const tones = useMemo(() => tonesOf(table ?? GRAY), [table]);
  const grays = useMemo(() => tonesOf(GRAY), []);
  const picture = useComputed(() => shownAs(lens.picture.value).range);
  const shown = lens.imageIsInput.value ? picture.value : finiteRange(e.values);
  const { side, fit } = useCellSize(cols, PLANES_A_ROW);
  const drawn = turned ? turn(kernel, depth) : kernel;
  const mosts = { kernel: magnitude(kernel), products: magnitude(e.products) };
  const nothing = kindOf(lens.geometry.value).spreads ? "0, no input pixel spreads to here" : "0, padding";

  const patchCell =
    (channel: number) =>
    (row: number, col: number): HeatCell => {
      const value = e.values[(row * cols + col) * depth + channel] as number;
      if (!e.inside[row * cols + col]) return { text: "0", value, colors: null, padding: nothing };
      const level = Number.isFinite(value) ? levelOf(value, ...shown) : -1;
      return { text: formatNumber(value, fit), value, colors: cellColors(grays, level) };
    };
  const signedCell =
    (values: Float32Array, most: number, channel: number) =>
    (row: number, col: number): HeatCell => {
      const value = values[(row * cols + col) * depth + channel] as number;
      return { text: formatCell(value, fit, most), value, colors: cellColors(tones, toneOf(value, most)) };
    };

  const size = { rows, cols, side, over };
  const many = depth > IN_ORDER;
  const channels = many ? order.slice(0, count.value) : Array.from({ length: depth }, (_, k) => k);
  const rest = many ? order.slice(count.value) : [];
  const others = rest.reduce((sum, k) => sum + (e.sums[k] ?? 0), 0);
  const sigma = (sum: number) => {
    const { total, exact } = addUp([sum], sum);
    return (
      <>
        Σ {exact ? "=" : "≈"} <span class="cl-number">{total}</span>
      </>
    );
  };
  return (
    <>
      {many && (
        <p class="cl-muted">
          {depth} channels; those that add or take away most at this pixel come first.
          {onLook && " Press a channel's name to see it in the layer's input."}
        </p>
      )}
      <section
        class="cl-products"
        aria-label="Patch times kernel"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys.
        tabIndex={0}
        data-many={Boolean(onLook) || undefined}
      >
        {channels.map((plane) => {
          const channel = filter.firstChannel + plane;
          const name = depth > 1 || onLook ? `${channelName(lens, channel)} ` : "";
          return (
            <div class="cl-product" key={plane}>
              <figure>
                <figcaption>
                  {onLook ? (
                    <Button
                      class="cl-channel"
                      aria-pressed={channel === looked}
                      title="Show this channel of the layer's input"
                      onClick={() => onLook(channel)}
                    >
                      {name.trim()}
                    </Button>
                  ) : (
                    name.trim()
                  )}
                  {" patch"}
                </figcaption>
                <Heat label={`${name}patch`} cell={patchCell(plane)} {...size} />
              </figure>
              <div class="cl-factor">
                <span class="cl-op">{turned ? "∗" : "×"}</span>
                <figure>
                  <figcaption>{turned ? `${name}kernel turned by 180°, k′` : `${name}kernel`}</figcaption>
                  <Heat
                    label={`${name}kernel`}
                    cell={signedCell(drawn, mosts.kernel, plane)}
                    turned={turned}
                    {...size}
                  />
                </figure>
              </div>
              <div class="cl-factor">
                <span class="cl-op">=</span>
                <figure>
                  <figcaption>products, {sigma(e.sums[plane] ?? 0)}</figcaption>
                  <Heat
                    label={`${name}products`}
                    cell={signedCell(e.products, mosts.products, plane)}
                    {...size}
                  />
                </figure>
              </div>
            </div>
          );
        })}
        {rest.length > 0 && (
          <p class="cl-more-channels">
            The other {rest.length} channels together: {sigma(others)}
            <Button
              onClick={() => {
                count.value += MORE;
              }}
            >
              Show {Math.min(MORE, rest.length)} more
            </Button>
          </p>
        )}
      </section>
      <p class="cl-muted">
        Patch: {formatNumber(shown[0])} is black, {formatNumber(shown[1])} white. Kernel and products: 0 is
        the middle colour, the largest number of each an end.
      </p>
    </>
  );
}
