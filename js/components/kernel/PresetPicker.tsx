/** The named kernels, each with a small picture. */
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { magnitude } from "../../maths/numbers.ts";
import { levelOf, packTable } from "../../paint/colors.ts";
import type { PresetRecord } from "../../protocol/records.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { kernelTable } from "../ui/cellColors.ts";
import { consume } from "../ui/consume.ts";
import { Icon } from "../ui/icons.tsx";
import { followsPreset } from "../ui/limits.ts";
import { moveFocus } from "../ui/moveFocus.ts";

export interface PresetPickerProps {
  lens: LensView;
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
        <Button bare aria-label="Close the presets" onClick={onClose}>
          <Icon name="close" />
        </Button>
      </div>
      {!(replaces && followsPreset(geometry)) && (
        <p class="cl-muted">
          All kernels of a layer have one size, here {geometry.kernel_size.join(" × ")}: a smaller preset gets
          zeros around it
          {geometry.path
            ? "; from a larger one the middle is taken."
            : "; a larger one makes all kernels larger."}
        </p>
      )}
      {channels > 1 && (
        <p class="cl-muted">
          On each of the {channels} channels, divided by {channels}: a grey picture gives the same map.
        </p>
      )}
      <div class="cl-presets">
        {lens.presets.value.flatMap((preset, i, all) => [
          preset.group !== all[i - 1]?.group && <h4 key={preset.group}>{preset.group}</h4>,
          <Button
            key={preset.name}
            class="cl-preset"
            tabIndex={i === 0 ? 0 : -1}
            onClick={() => onChoose(preset)}
          >
            <PresetPicture lens={lens} preset={preset} />
            <span>{preset.title ?? preset.name}</span>
            <span class="cl-muted">{preset.shape.join(" × ")}</span>
          </Button>,
        ])}
      </div>
    </div>
  );
}

function PresetPicture({ lens, preset }: { lens: LensView; preset: PresetRecord }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const table = kernelTable(lens);
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
