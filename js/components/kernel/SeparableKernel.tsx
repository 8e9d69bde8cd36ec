/** The two kernels of a separable layer's filter, each with an editor of its own, and what they amount to. */
import { computed, signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { formatCell, magnitude } from "../../lens/numbers.ts";
import { GRAY } from "../../lens/palette.ts";
import type { FilterView, LensModel } from "../../model/lens.ts";
import type { FactorEdit } from "../../model/messages.ts";
import type { Geometry } from "../../model/types.ts";
import { Heat, type Tap } from "../explain/Heat.tsx";
import { cellColors } from "../explain/Planes.tsx";
import { NumberField } from "../NumberField.tsx";
import { channelName } from "./channelName.ts";
import { KernelEditor, type KernelEditorProps } from "./KernelEditor.tsx";
import { cellSize } from "./KernelGrid.tsx";
import { toneOf, tonesOf } from "./kernelColors.ts";
import { KernelSession } from "./kernelSession.ts";

/** Pointwise weights that are shown as a kernel of one row; of more, the one that belongs to the plane on show. */
const MOST_CELLS = 64;

const NOTHING = new Float32Array(0);

type Part = FactorEdit["part"];

/** A lens in which one part of a filter is its kernel, so that the same editor serves. */
function partOf(lens: LensModel, filter: FilterView, part: Part): { lens: LensModel; filter: FilterView } {
  const view = computed(() => lens.network.factors(filter.uid));
  const kernel = computed(() => view.value?.[part] ?? NOTHING);
  const geometry = computed((): Geometry => {
    const whole = lens.geometry.value;
    const channels = view.value?.pointwise.length ?? 0;
    return part === "depthwise"
      ? { ...whole, kernel_channels: channels }
      : { ...whole, kernel_size: [1, channels], kernel_channels: 1 };
  });
  const contribution = () => (part === "depthwise" ? (view.value?.contribution ?? null) : null);
  const own: Partial<LensModel> = {
    geometry,
    // A depthwise channel is a colour only where each colour has one.
    imageIsInput: computed(() => lens.imageIsInput.value && view.value?.multiplier === 1),
    network: { ...lens.network, prepare: () => {}, contribution },
    edit: (edits) => {
      for (const { taps } of edits) if (taps) lens.network.editFactor(filter.uid, { part, ...taps });
    },
  };
  const over = new Proxy(lens, {
    get(target, key: keyof LensModel) {
      const value = own[key] ?? target[key];
      return typeof value === "function" && !(key in own) ? value.bind(target) : value;
    },
  });
  return { lens: over, filter: { ...filter, kernel, firstChannel: 0, map: filter.map, bias: signal(0) } };
}

export function SeparableKernel({ lens, filter, name, children }: Omit<KernelEditorProps, "session">) {
  const [depthwise, pointwise] = useMemo(() => {
    const make = (part: Part) => {
      const one = partOf(lens, filter, part);
      return { ...one, session: new KernelSession(one.lens, one.filter) };
    };
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
  const shown = Math.min(depthwise.session.channel.value, channels - 1);
  const filters = lens.filters.value.length;
  return (
    <div class="cl-separable">
      <section aria-label={`Depthwise kernels of ${name}`}>
        <h4 title="One kernel for each depthwise channel, the same for every filter">
          Depthwise <span class="cl-muted">shared: changes all {filters} maps</span>
        </h4>
        <KernelEditor {...depthwise} name={`${name}, depthwise`}>
          {channels > MOST_CELLS && (
            <NumberField
              label={`Pointwise weight of ${channelName(depthwise.lens, shown)}`}
              value={factors.pointwise[shown] ?? 0}
              onChange={(value) => pointwise.session.edits.set([[shown, value]])}
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
            <KernelEditor {...pointwise} name={`${name}, pointwise`}>
              {null}
            </KernelEditor>
          </div>
        </section>
      )}
      <Effective lens={lens} filter={filter} channel={Math.floor(shown / factors.multiplier)} name={name} />
      <p class="cl-muted" role="status">
        {factors.pending ? "Keras computes: the browser cannot preview a separable layer." : ""}
      </p>
      {children}
    </div>
  );
}

interface EffectiveProps {
  lens: LensModel;
  filter: FilterView;
  /** Of the layer's input. */
  channel: number;
  name: string;
}

/** What both kernels together lay on one channel of the input; read only. */
function Effective({ lens, filter, channel, name }: EffectiveProps) {
  const over = useSignal<Tap | null>(null);
  const { kernel_size, kernel_channels: depth } = lens.geometry.value;
  const [rows, cols] = kernel_size;
  const kernel = filter.kernel.value;
  const table = lens.cmapTables.value.get(lens.cmap.value);
  const tones = useMemo(() => tonesOf(table ?? GRAY), [table]);
  const most = magnitude(kernel);
  const { side, fit } = cellSize(cols, 2);
  const where = channelName(lens, channel);
  return (
    <section aria-label={`Effective kernel of ${name}`}>
      <h4 title="Depthwise kernel × pointwise weight, added up: what the filter lays on the input. Read only.">
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
