/** Patch × kernel = products, one row of three heatmaps for each channel. */
import { type Signal, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { levelOf } from "../../lens/colors.ts";
import { addUp, type Explanation, turn } from "../../lens/explain.ts";
import { formatCell, formatNumber, magnitude } from "../../lens/numbers.ts";
import { GRAY } from "../../lens/palette.ts";
import { shownAs } from "../../lens/picture.ts";
import type { FilterView, LensModel } from "../../model/lens.ts";
import { cellSize } from "../KernelGrid.tsx";
import { type Tones, toneOf, tonesOf } from "../kernelColors.ts";
import { Heat, type HeatCell, type Tap } from "./Heat.tsx";
import { channelName } from "./PixelPanel.tsx";

export interface PlanesProps {
  lens: LensModel;
  filter: FilterView;
  explanation: Explanation;
  over: Signal<Tap | null>;
  /** Draw the kernel turned by 180°. */
  turned: boolean;
}

const PLANES_A_ROW = 3;

/** Colours of a number between −most and +most, as in the kernel's own grid. */
export function cellColors(tones: Tones, level: number): HeatCell["colors"] {
  return level < 0 ? null : { background: tones.background[level] ?? "", color: tones.text[level] ?? "" };
}

export function Planes({ lens, filter, explanation: e, over, turned }: PlanesProps) {
  const { kernel_size, kernel_channels: depth, input_shape } = lens.geometry.value;
  const [rows, cols] = kernel_size;
  const kernel = filter.kernel.value;
  const table = lens.cmapTables.value.get(lens.cmap.value);
  const tones = useMemo(() => tonesOf(table ?? GRAY), [table]);
  const grays = useMemo(() => tonesOf(GRAY), []);
  const shown = useComputed(() => shownAs(lens.picture.value)).value.range;
  const { side, fit } = cellSize(cols, PLANES_A_ROW);
  const drawn = turned ? turn(kernel, depth) : kernel;
  const mosts = { kernel: magnitude(kernel), products: magnitude(e.products) };

  const patchCell =
    (channel: number) =>
    (row: number, col: number): HeatCell => {
      const value = e.patch[(row * cols + col) * depth + channel] as number;
      if (!e.inside[row * cols + col]) return { text: "0", value, colors: null, padding: true };
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
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys.
    <section class="cl-products" aria-label="Patch times kernel" tabIndex={0}>
      {Array.from({ length: depth }, (_, channel) => {
        const name = depth > 1 ? `${channelName(input_shape[2], filter.firstChannel + channel)} ` : "";
        const sum = e.sums[channel] ?? 0;
        const { total, exact } = addUp([sum], sum);
        return (
          <div class="cl-product" key={channel}>
            <figure>
              <figcaption>{name}patch</figcaption>
              <Heat label={`${name}patch`} cell={patchCell(channel)} {...size} />
            </figure>
            <span class="cl-op">{turned ? "∗" : "×"}</span>
            <figure>
              <figcaption>{turned ? `${name}kernel k′, turned by 180°` : `${name}kernel`}</figcaption>
              <Heat
                label={`${name}kernel`}
                cell={signedCell(drawn, mosts.kernel, channel)}
                turned={turned}
                {...size}
              />
            </figure>
            <span class="cl-op">=</span>
            <figure>
              <figcaption>
                products, Σ {exact ? "=" : "≈"} <span class="cl-number">{total}</span>
              </figcaption>
              <Heat
                label={`${name}products`}
                cell={signedCell(e.products, mosts.products, channel)}
                {...size}
              />
            </figure>
          </div>
        );
      })}
    </section>
  );
}
