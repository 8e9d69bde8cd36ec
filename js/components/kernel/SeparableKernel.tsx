/** The two kernels of a separable layer's filter, each with an editor of its own, and their product. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { formatCell, magnitude } from "../../maths/numbers.ts";
import { GRAY } from "../../paint/palette.ts";
import type { PartEdit } from "../../protocol/requests.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";
import { cellColors, kernelTable, toneOf, tonesOf } from "../ui/cellColors.ts";
import { cellSize } from "../ui/cellSize.ts";
import { channelName } from "../ui/channelName.ts";
import { Heat, type Tap } from "../ui/Heat.tsx";
import { NumberField } from "../ui/NumberField.tsx";
import { partKernel } from "./editableKernel.ts";
import { KernelEditor, type KernelEditorProps } from "./KernelEditor.tsx";
import { KernelSession } from "./kernelSession.ts";

/** Pointwise weights that are shown as a kernel of one row; with more, only the one of the plane on show. */
const MOST_CELLS = 64;

export interface SeparableKernelProps extends Omit<KernelEditorProps, "lens" | "session"> {
  lens: LensView;
  filter: FilterView;
}

export function SeparableKernel({ lens, filter, name, children }: SeparableKernelProps) {
  const [depthwise, pointwise] = useMemo(() => {
    const make = (part: PartEdit["part"]) => new KernelSession(partKernel(lens, filter, part));
    return [make("depthwise"), make("pointwise")] as const;
  }, [lens, filter]);
  const ready = lens.status.value.keras === "ready";
  const factors = lens.network.factors(filter.uid);
  useEffect(() => {
    if (ready && !factors) lens.network.prepare(filter.uid, []);
  }, [lens, filter, ready, factors]);

  if (!factors) {
    const why = lens.link.value === "offline" ? "Its two kernels are in Python." : "Loading the kernels…";
    return <div class="cl-kernel cl-muted">{why}</div>;
  }
  const channels = factors.pointwise.length;
  const shown = Math.min(depthwise.channel.value, channels - 1);
  const filters = lens.filters.value.length;
  return (
    <div class="cl-separable">
      <section aria-label={`Depthwise kernels of ${name}`}>
        <h4 title="One kernel for each depthwise channel, the same for every filter">
          Depthwise <span class="cl-muted">shared: changes all {filters} maps</span>
        </h4>
        <KernelEditor lens={lens} session={depthwise} name={`${name}, depthwise`}>
          {channels > MOST_CELLS && (
            <NumberField
              label={`Pointwise weight of ${depthwise.kernel.channelName(shown)}`}
              value={factors.pointwise[shown] ?? 0}
              onChange={(value) => pointwise.edits.set([[shown, value]])}
            />
          )}
        </KernelEditor>
      </section>
      {channels <= MOST_CELLS && (
        <section aria-label={`Pointwise kernel of ${name}`}>
          <h4 title="How this filter weighs the maps of the depthwise kernels">
            Pointwise <span class="cl-muted">1 × {channels}, this filter's own</span>
          </h4>
          <div class="cl-scrollx">
            <KernelEditor lens={lens} session={pointwise} name={`${name}, pointwise`}>
              {null}
            </KernelEditor>
          </div>
        </section>
      )}
      <Effective lens={lens} filter={filter} channel={Math.floor(shown / factors.multiplier)} name={name} />
      <p class="cl-muted" role="status">
        {factors.pending ? "Keras is computing: the browser cannot preview a separable layer." : ""}
      </p>
      {children}
    </div>
  );
}

interface EffectiveProps {
  lens: LensView;
  filter: FilterView;
  /** Of the layer's input. */
  channel: number;
  name: string;
}

/** The product of both kernels for one channel of the input; read only. */
function Effective({ lens, filter, channel, name }: EffectiveProps) {
  const over = useSignal<Tap | null>(null);
  const { kernel_size, kernel_channels: depth } = lens.geometry.value;
  const [rows, cols] = kernel_size;
  const kernel = filter.kernel.value;
  const table = kernelTable(lens);
  const tones = useMemo(() => tonesOf(table ?? GRAY), [table]);
  const most = magnitude(kernel);
  const { side, fit } = cellSize(cols, 2);
  const where = channelName(lens, channel);
  return (
    <section aria-label={`Effective kernel of ${name}`}>
      <h4 title="Depthwise kernel × pointwise weight, added up: what the filter applies to the input. Read only.">
        Together <span class="cl-muted">on {where}, read only</span>
      </h4>
      <Heat
        label={`Effective kernel of ${name}, ${where}`}
        rows={rows}
        cols={cols}
        side={side}
        over={over}
        cell={(row, col) => {
          const value = kernel[(row * cols + col) * depth + channel] ?? 0;
          return {
            text: formatCell(value, fit, most),
            value,
            colors: cellColors(tones, toneOf(value, most)),
          };
        }}
      />
    </section>
  );
}
