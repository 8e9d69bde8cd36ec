/** One filter: its name and menu, its kernel on the left and the map that it makes on the right. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { FilterView, LensModel } from "../../model/lens.ts";
import { consume } from "../consume.ts";
import { KernelEditor } from "../kernel/KernelEditor.tsx";
import { cellSize } from "../kernel/KernelGrid.tsx";
import { arrowStep } from "../kernel/kernelKeys.ts";
import { KernelSession } from "../kernel/kernelSession.ts";
import { PresetPicker } from "../kernel/PresetPicker.tsx";
import { SeparableKernel } from "../kernel/SeparableKernel.tsx";
import { NumberField } from "../NumberField.tsx";
import { NumberPanel } from "../NumberPanel.tsx";
import { ActivationMap } from "../picture/ActivationMap.tsx";
import { CardHandle } from "./CardHandle.tsx";
import { FilterMenu } from "./FilterMenu.tsx";
import { FilterName } from "./FilterName.tsx";
import {
  ablate,
  duplicate,
  type FilterAction,
  kernelActions,
  resizeAll,
  scaleFilter,
  usePreset,
  whyFixedList,
  whyFixedSize,
  whyNotSize,
  whyNotWhole,
} from "./filterActions.ts";

export interface FilterCardProps {
  lens: LensModel;
  filter: FilterView;
  index: number;
}

type Panel = "scale" | "resize" | "presets";

export function FilterCard({ lens, filter, index }: FilterCardProps) {
  const session = useMemo(() => new KernelSession(lens, filter), [lens, filter]);
  const card = useRef<HTMLElement>(null);
  const more = useRef<HTMLDivElement>(null);
  const focused = useRef<HTMLElement | null>(null);
  const panel = useSignal<Panel | null>(null);
  const geometry = lens.geometry.value;
  const name = lens.names.value[index] ?? `Filter ${index + 1}`;
  const selected = lens.selected.value === index;
  const last = lens.filters.value.length - 1;
  const fixed = whyFixedList(geometry);

  const cols = geometry.kernel_size[1];
  // A kernel that would take more than half of a usual card stands above its map.
  const wide = cols * cellSize(cols, geometry.kernel_channels).side > 280;

  const close = () => {
    panel.value = null;
    more.current?.querySelector<HTMLElement>(".cl-more")?.focus();
  };
  const say = (text: string) => {
    session.note.value = { text, alert: true };
  };
  const show = (which: Panel) => () => {
    panel.value = which;
  };
  const move = (to: number) => {
    if (fixed) say(fixed);
    else if (to >= 0 && to <= last && to !== index) {
      const root = card.current?.getRootNode() as Document | ShadowRoot | undefined;
      focused.current = (root?.activeElement ?? null) as HTMLElement | null;
      lens.move(filter.uid, to);
    }
  };

  // Moving a card in the document takes the focus from what is in it.
  useLayoutEffect(() => {
    if (card.current?.contains(focused.current)) focused.current?.focus();
    focused.current = null;
  }, [index]);

  const Editor = geometry.kind === "separable" ? SeparableKernel : KernelEditor;
  const whole = whyNotWhole(geometry);
  const sizeWhy = whole ?? whyFixedSize(geometry);
  const [shapes, normalise, zero] = kernelActions(lens, filter, say);
  const menu: FilterAction[][] = [
    [{ label: "Presets…", why: whole, run: show("presets") }],
    shapes,
    normalise,
    [
      { label: "Scale…", why: whole, run: show("scale") },
      { label: "Resize all kernels…", why: sizeWhy, run: show("resize") },
      zero,
    ],
    [
      {
        label: "Rename",
        why: null,
        run: () => card.current?.querySelector<HTMLInputElement>(".cl-name")?.select(),
      },
      { label: "Duplicate", why: fixed, run: () => duplicate(lens, index) },
      {
        label: "Move up",
        why: fixed ?? (index === 0 ? "It is the first." : null),
        run: () => move(index - 1),
      },
      {
        label: "Move down",
        why: fixed ?? (index === last ? "It is the last." : null),
        run: () => move(index + 1),
      },
      {
        label: "Delete",
        why: fixed ?? (last === 0 ? "A layer has at least one filter." : null),
        run: () => lens.remove(filter.uid),
      },
    ],
  ];

  const choose = () => {
    if (lens.selected.peek() !== index) lens.select(index);
  };

  return (
    <article
      ref={card}
      class="cl-card"
      data-card={index}
      data-selected={selected || undefined}
      aria-label={`Filter ${index}: ${name}`}
      aria-current={selected ? "true" : undefined}
      onFocusIn={choose}
      onPointerDown={choose}
      onKeyDown={(event) => {
        const by = arrowStep(event.key);
        if (!event.altKey || event.ctrlKey || event.metaKey || !by) return;
        consume(event);
        move(index + by);
      }}
    >
      <header class="cl-cardhead">
        <CardHandle card={card} index={index} last={last} name={name} why={fixed} onMove={move} />
        <span class="cl-index cl-number cl-muted" title={`lens.kernels[${index}]`}>
          {index}
        </span>
        <FilterName name={name} onRename={(text) => lens.rename(filter.uid, text)} />
        <div ref={more}>
          <FilterMenu label={`Operations on ${name}`} groups={menu} />
        </div>
      </header>
      {panel.value === "presets" && (
        <PresetPicker
          lens={lens}
          title={`Presets for ${name}`}
          replaces
          onChoose={(preset) => {
            usePreset(lens, filter, preset);
            close();
          }}
          onClose={close}
        />
      )}
      {panel.value === "scale" && (
        <NumberPanel
          label="Multiply every cell by"
          initial={2}
          onTake={(factor) => scaleFilter(lens, filter, factor)}
          onClose={close}
        />
      )}
      {panel.value === "resize" && (
        <NumberPanel
          label="Rows and columns of all kernels, around their centre"
          initial={geometry.kernel_size[0]}
          step={1}
          check={whyNotSize}
          onTake={(size) => resizeAll(lens, size, size)}
          onClose={close}
        />
      )}
      <div class="cl-cardbody" data-wide={wide || undefined}>
        <div class="cl-cardkernel">
          <Editor lens={lens} filter={filter} session={session} name={name}>
            <div class="cl-cardtools">
              <NumberField
                label="Bias"
                value={filter.bias.value}
                onChange={(bias) => session.edits.setBias(bias)}
                why={geometry.use_bias ? null : "This layer has no bias (use_bias=False)."}
              />
              {geometry.kind !== "separable" && <PaintTool session={session} />}
              {geometry.path !== "" && (
                <button
                  type="button"
                  class="cl-button cl-outlined"
                  title="Switch this filter off: kernel and bias to 0 (undo brings them back)"
                  onClick={() => ablate(lens, filter)}
                >
                  Ablate
                </button>
              )}
            </div>
          </Editor>
        </div>
        <div class="cl-cardmap">
          <ActivationMap lens={lens} filter={filter} index={index} />
        </div>
      </div>
    </article>
  );
}

function PaintTool({ session }: { session: KernelSession }) {
  const on = session.painting.value;
  return (
    <span class="cl-paint">
      <button
        type="button"
        class="cl-button cl-outlined"
        aria-pressed={on}
        title="Hold and drag over cells to give them one value"
        onClick={() => {
          session.painting.value = !on;
        }}
      >
        Paint
      </button>
      {on && (
        <NumberField
          label="Value to paint"
          hideLabel
          value={session.paintValue.value}
          onChange={(value) => {
            session.paintValue.value = value;
          }}
        />
      )}
    </span>
  );
}
