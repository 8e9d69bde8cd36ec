/** One filter: its name and menu, its kernel on the left and the map that it makes on the right. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { kindOf } from "../../maths/kinds.ts";
import { formatArray } from "../../maths/number-block.ts";
import { formatNumber } from "../../maths/numbers.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";
import { filterKernel, setBias } from "../kernel/editableKernel.ts";
import { KernelEditor } from "../kernel/KernelEditor.tsx";
import { KernelSession } from "../kernel/kernelSession.ts";
import { PresetPicker } from "../kernel/PresetPicker.tsx";
import { SeparableKernel } from "../kernel/SeparableKernel.tsx";
import { ActivationMap } from "../picture/ActivationMap.tsx";
import { usePlaced } from "../ui/arrangement.ts";
import { arrowStep } from "../ui/arrows.ts";
import { Button } from "../ui/Button.tsx";
import { consume } from "../ui/consume.ts";
import { copyText } from "../ui/copyText.ts";
import { Icon } from "../ui/icons.tsx";
import { whyFixedList, whyFixedSize, whyNotWhole } from "../ui/limits.ts";
import { NumberField } from "../ui/NumberField.tsx";
import { NumberPanel } from "../ui/NumberPanel.tsx";
import { useUniqueId } from "../ui/useUniqueId.ts";
import { CardHandle } from "./CardHandle.tsx";
import { FilterMenu } from "./FilterMenu.tsx";
import { FilterName } from "./FilterName.tsx";
import { Floating } from "./Floating.tsx";
import {
  ablate,
  duplicate,
  type FilterAction,
  isOff,
  kernelActions,
  kernelOf,
  resizeAll,
  scaleFilter,
  usePreset,
  whyNotSize,
} from "./filterActions.ts";
import { PredictionChange } from "./PredictionChange.tsx";

export interface FilterCardProps {
  lens: LensView;
  filter: FilterView;
  index: number;
}

type Panel = "scale" | "resize" | "presets";

export function FilterCard({ lens, filter, index }: FilterCardProps) {
  const session = useMemo(() => new KernelSession(filterKernel(lens, filter)), [lens, filter]);
  const card = useRef<HTMLElement>(null);
  const more = useRef<HTMLDivElement>(null);
  const focused = useRef<HTMLElement | null>(null);
  const panel = useSignal<Panel | null>(null);
  const geometry = lens.geometry.value;
  const name = lens.names.value[index] ?? `Filter ${index + 1}`;
  const selected = lens.selected.value === index;
  const last = lens.filters.value.length - 1;
  const fixed = whyFixedList(geometry);
  const off = geometry.path !== "" && isOff(filter);

  const placed = usePlaced();
  const focus = placed.view === "focus";
  const folds = placed.kernel === "folded";
  const unfolded = useSignal(false);
  const kernelId = useUniqueId();

  const choose = () => {
    if (lens.selected.peek() !== index) lens.select(index);
  };
  const close = () => {
    panel.value = null;
    more.current?.querySelector<HTMLElement>(".cl-more")?.focus();
  };
  const say = (text: string, alert = true) => {
    session.note.value = { text, alert };
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

  const byParts = kindOf(geometry).editedByParts;
  const Editor = byParts ? SeparableKernel : KernelEditor;
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
      {
        label: "Copy as np.array",
        why: null,
        run: async () => {
          const { shape, values } = kernelOf(geometry, filter);
          const copied = await copyText(formatArray(shape, values));
          say(
            copied ? "Copied, as np.array(…)." : "The browser did not copy it: “Export” has it as text.",
            !copied,
          );
        },
      },
      {
        label: "Use its map as the input",
        why: geometry.path ? "The next layer of the model reads this map already." : null,
        run: () => lens.useMap(filter.uid),
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

  return (
    <article
      ref={card}
      class="cl-card"
      data-card={index}
      data-selected={selected || undefined}
      data-off={off || undefined}
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
        <span class="cl-index cl-number cl-muted" title={`In Python: lens.kernels[${index}]`}>
          [{index}]
        </span>
        {off && <strong class="cl-off">off</strong>}
        <FilterName name={name} onRename={(text) => lens.rename(filter.uid, text)} />
        {folds && (
          <Button
            bare
            aria-expanded={unfolded.value}
            aria-controls={kernelId}
            onClick={() => {
              unfolded.value = !unfolded.peek();
            }}
          >
            Kernel
          </Button>
        )}
        <Button
          bare
          aria-label={focus ? "Back to all filters" : `Focus on ${name}`}
          title={
            focus
              ? "Back to all filters (Escape)"
              : "Show this filter large (double-click on its map, or Enter)"
          }
          onClick={() => {
            choose();
            lens.set("view", focus ? "grid" : "focus");
          }}
        >
          <Icon name={focus ? "smaller" : "larger"} />
        </Button>
        <div ref={more}>
          <FilterMenu label={`Operations on ${name}`} groups={menu} />
        </div>
      </header>
      {panel.value && (
        <Floating anchor={more}>
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
              label={`${geometry.rank === 1 ? "Steps" : "Rows and columns"} of all kernels, around their centre`}
              initial={geometry.kernel_size[1]}
              step={1}
              check={whyNotSize}
              onTake={(size) => resizeAll(lens, geometry.rank === 1 ? 1 : size, size)}
              onClose={close}
            />
          )}
        </Floating>
      )}
      <div class="cl-cardbody">
        <div class="cl-cardkernel" id={kernelId} hidden={folds && !unfolded.value}>
          <Editor lens={lens} filter={filter} session={session} name={name}>
            <div class="cl-cardtools">
              <NumberField
                label="Bias"
                value={filter.bias.value}
                onChange={(bias) => setBias(lens, filter, bias)}
                why={geometry.use_bias ? null : "This layer has no bias (use_bias=False)."}
              />
              <KernelSum filter={filter} />
              {!byParts && <PaintTool session={session} />}
              {geometry.path !== "" && (
                <Button
                  aria-pressed={off}
                  title={off ? "Switch this filter on again" : "Switch this filter off: kernel and bias to 0"}
                  onClick={() => ablate(lens, filter)}
                >
                  Ablate
                </Button>
              )}
              {geometry.path !== "" && <PredictionChange lens={lens} />}
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

/** What a constant picture is multiplied by. */
function KernelSum({ filter }: { filter: FilterView }) {
  const sum = filter.kernel.value.reduce((a, b) => a + b, 0);
  return (
    <span
      class="cl-number cl-muted cl-ksum"
      title="Sum of the kernel's numbers: what it makes of a picture of ones. With 0 it responds to edges only."
    >
      Σ {formatNumber(Math.fround(sum), 5)}
    </span>
  );
}

function PaintTool({ session }: { session: KernelSession }) {
  const on = session.painting.value;
  return (
    <span class="cl-paint">
      <Button
        aria-pressed={on}
        title="Hold and drag over cells to give them one value"
        onClick={() => {
          session.painting.value = !on;
        }}
      >
        Paint
      </Button>
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
