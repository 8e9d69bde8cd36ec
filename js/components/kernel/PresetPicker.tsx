/** The named kernels, each with a small picture. */
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { levelOf, packTable } from "../../lens/colors.ts";
import { magnitude } from "../../lens/numbers.ts";
import type { LensModel } from "../../model/lens.ts";
import type { Geometry, PresetRecord } from "../../model/types.ts";
import { consume } from "../consume.ts";
import { followsPreset } from "../filter/filterActions.ts";
import { Icon } from "../icons.tsx";
import { moveFocus } from "../moveFocus.ts";

export interface PresetPickerProps {
  lens: LensModel;
  /** What choosing does, as the panel's title. */
  title: string;
  /** The preset takes the place of a kernel, and so may bring its own size where that is the only kernel. */
  replaces: boolean;
  onChoose: (preset: PresetRecord) => void;
  onClose: () => void;
}

export function PresetPicker({ lens, title, replaces, onChoose, onClose }: PresetPickerProps) {
  const panel = useRef<HTMLDivElement>(null);
  const geometry = lens.geometry.value;
  const channels = geometry.kernel_channels;

  useLayoutEffect(() => {
    panel.current?.querySelector<HTMLElement>(".cl-preset")?.focus();
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const list = panel.current?.querySelector(".cl-presets");
    if (event.key === "Escape") onClose();
    else if (!list?.contains(event.target as Node) || !moveFocus(list, ".cl-preset", event.key)) return;
    consume(event);
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be announced with every preset.
    <div ref={panel} role="group" class="cl-ask" aria-label={title} onKeyDown={onKeyDown}>
      <div class="cl-askhead">
        <h3>{title}</h3>
        <button type="button" class="cl-button" aria-label="Close the presets" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {channels > 1 && (
        <p class="cl-muted">
          On each of the {channels} channels, divided by {channels}: a grey picture gives the same map.
        </p>
      )}
      <div class="cl-presets">
        {lens.presets.value.map((preset, i) => (
          <button
            key={preset.name}
            type="button"
            class="cl-preset"
            tabIndex={i === 0 ? 0 : -1}
            onClick={() => onChoose(preset)}
          >
            <PresetPicture lens={lens} preset={preset} />
            <span>{preset.name}</span>
            <span class="cl-muted">{sizeWords(preset, geometry, replaces)}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

/** A preset's size, and what becomes of it among kernels of another size. */
function sizeWords({ shape: [high, wide] }: PresetRecord, geometry: Geometry, replaces: boolean): string {
  const [rows, cols] = geometry.kernel_size;
  const own = `${high} × ${wide}`;
  if ((high === rows && wide === cols) || (replaces && followsPreset(geometry))) return own;
  const verb = high <= rows && wide <= cols ? "padded" : high >= rows && wide >= cols ? "cropped" : "fitted";
  return `${own}, ${verb} to ${rows} × ${cols}`;
}

function PresetPicture({ lens, preset }: { lens: LensModel; preset: PresetRecord }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const table = lens.cmapTables.value.get(lens.cmap.value);
  const colors = useMemo(() => (table ? packTable(table) : null), [table]);
  const [rows, cols] = preset.shape;
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !colors) return;
    const most = magnitude(preset.values) || 1;
    const pixels = Uint32Array.from(preset.values, (v) => colors[levelOf(v, -most, most)] ?? 0);
    context.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), cols, rows), 0, 0);
  }, [colors, preset, rows, cols]);
  return <canvas ref={canvas} width={cols} height={rows} style={{ aspectRatio: `${cols} / ${rows}` }} />;
}
