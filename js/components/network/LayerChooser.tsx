/** Which of the model's convolution layers is open: a combobox that finds it by name, and a picture of where it is. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { LayerRecord } from "../../protocol/records.ts";
import type { LensView } from "../../state/lens-view.ts";
import { consume } from "../ui/consume.ts";
import { openBelow } from "../ui/openBelow.ts";
import { useUniqueId } from "../ui/useUniqueId.ts";

const product = (sizes: readonly number[]) => sizes.join(" × ");

/** What is searched, and shown beside the path. */
function facts({ class_name, kernel_size, input_shape, output_shape, rank }: LayerRecord): string {
  const of = (sizes: number[]) => product(sizes.slice(rank === 1 ? 1 : 0));
  return `${class_name} ${of(kernel_size)}, ${of(input_shape)} → ${of(output_shape)}`;
}

/** The layers that have every word of the query in their path, class or shapes. */
export function found(layers: readonly LayerRecord[], query: string): readonly LayerRecord[] {
  const words = query.toLowerCase().split(/\s+/);
  return layers.filter((layer) => {
    const text = `${layer.path} ${facts(layer)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function LayerChooser({ lens }: { lens: LensView }) {
  const { layers, path } = lens.network;
  const id = useUniqueId();
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const isOpen = useSignal(false);
  /** What is typed; null while the field shows where it is. */
  const query = useSignal<string | null>(null);
  const active = useSignal(0);

  const all = layers.value;
  const current = all.find((layer) => layer.path === path.value);
  const opened = isOpen.value;
  const shown = opened ? found(all, query.value ?? "") : [];
  const at = Math.min(active.value, shown.length - 1);

  const open = () => {
    if (isOpen.peek()) return;
    isOpen.value = true;
    active.value = Math.max(
      0,
      all.findIndex((layer) => layer.path === path.peek()),
    );
  };
  const close = () => {
    isOpen.value = false;
    query.value = null;
  };
  const only = lens.link.value === "offline" ? current : null;
  const choose = (layer: LayerRecord | undefined) => {
    if (only && layer !== only) return;
    if (layer && layer.path !== path.peek()) lens.network.open(layer.path);
    close();
    input.current?.select();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey) return;
    const { key } = event;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[key];
    if (step && !opened) open();
    else if (step) active.value = Math.max(0, Math.min(shown.length - 1, at + step));
    else if (key === "Enter" && opened) choose(shown[at]);
    else if (key === "Escape" && opened) close();
    else return;
    consume(event);
  };

  useLayoutEffect(() => {
    if (!opened || !list.current || !input.current) return;
    return openBelow(list.current, input.current, "start", () => close());
  }, [opened]);

  useLayoutEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView?.({ block: "nearest" });
  }, [opened, at]);

  if (all.length === 0) return null;
  return (
    <div class="cl-layers">
      <label for={id}>layer</label>
      <input
        ref={input}
        id={id}
        class="cl-input"
        role="combobox"
        aria-expanded={opened}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown[at] && `${id}-${at}`}
        aria-describedby={`${id}-facts`}
        spellcheck={false}
        autocomplete="off"
        value={query.value ?? path.value}
        // What is typed replaces the name that the press would have put the cursor into.
        onClick={({ currentTarget }) => {
          if (!isOpen.peek()) currentTarget.select();
          open();
        }}
        onFocus={({ currentTarget }) => currentTarget.select()}
        onBlur={close}
        onKeyDown={onKeyDown}
        onInput={({ currentTarget }) => {
          isOpen.value = true;
          query.value = currentTarget.value;
          active.value = 0;
        }}
      />
      <span id={`${id}-facts`} class="cl-muted">
        {current && `${all.indexOf(current) + 1} of ${all.length}: ${facts(current)}`}
      </span>
      <Strip layers={all} current={current} marked={shown[at]} onChoose={choose} />
      <div
        ref={list}
        id={`${id}-list`}
        class="cl-menu cl-layerlist"
        role="listbox"
        aria-label="Convolution layers"
        popover="manual"
        hidden={!opened}
      >
        {only && <p class="cl-muted">Opening another layer needs Python.</p>}
        {shown.map((layer, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field takes the keys of the whole combobox.
          <div
            key={layer.path}
            id={`${id}-${i}`}
            class="cl-layer"
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            aria-current={layer === current || undefined}
            aria-disabled={(only && layer !== only) || undefined}
            // The press must not take the focus from the field, which would close the list under it.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(layer)}
          >
            <span>{layer.path}</span>
            <span class="cl-muted">{facts(layer)}</span>
          </div>
        ))}
        {shown.length === 0 && (
          // Screen readers do not announce a list without options.
          <div
            class="cl-layer cl-muted"
            role="option"
            tabIndex={-1}
            aria-selected={false}
            aria-disabled="true"
          >
            No layer matches all of these words.
          </div>
        )}
      </div>
    </div>
  );
}

interface StripProps {
  layers: readonly LayerRecord[];
  current: LayerRecord | undefined;
  marked: LayerRecord | undefined;
  onChoose: (layer: LayerRecord) => void;
}

/** One bar per layer in the model's order: as high as its maps, and the darker the more filters it has. */
function Strip({ layers, current, marked, onChoose }: StripProps) {
  const side = ({ output_shape: [rows, cols] }: LayerRecord) => Math.sqrt(rows * cols);
  const highest = Math.max(...layers.map(side));
  const most = Math.log2(Math.max(...layers.map(({ filters }) => filters)) + 1);
  return (
    <svg
      class="cl-bars"
      style={{ maxWidth: `${20 * layers.length}px` }}
      viewBox={`0 0 ${layers.length} 1`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {layers.map((layer, i) => {
        const height = Math.max(0.12, Math.sqrt(side(layer) / highest));
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: a short cut for the mouse; the combobox is for all.
          <g
            key={layer.path}
            data-on={layer === current || undefined}
            data-marked={layer === marked || undefined}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => onChoose(layer)}
          >
            <title>{`${layer.path}\n${facts(layer)}`}</title>
            <rect x={i} width={1} height={1} class="cl-barback" />
            <rect
              x={i + 0.08}
              y={1 - height}
              width={0.84}
              height={height}
              fill-opacity={0.2 + (0.8 * Math.log2(layer.filters + 1)) / most}
            />
          </g>
        );
      })}
    </svg>
  );
}
