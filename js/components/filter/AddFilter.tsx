/** More filters: a blank one or a preset. Duplicates come from a filter's own menu. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { resize } from "../../maths/kernel-operations.ts";
import type { LensView } from "../../state/lens-view.ts";
import { PresetPicker } from "../kernel/PresetPicker.tsx";
import { Button } from "../ui/Button.tsx";
import { whyFixedList } from "../ui/limits.ts";
import { presetKernel, presetRoom, resizeAll } from "./filterActions.ts";

export function AddFilter({ lens }: { lens: LensView }) {
  const picking = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const geometry = lens.geometry.value;
  const why = whyFixedList(geometry);
  const [rows, cols] = geometry.kernel_size;
  const end = lens.filters.value.length;

  const close = () => {
    picking.value = false;
    button.current?.focus();
  };

  return (
    <div class="cl-add">
      <div class="cl-addrow" title={why ?? undefined}>
        <Button
          disabled={why !== null}
          onClick={() => lens.add(new Float32Array(rows * cols * geometry.kernel_channels), null, end)}
        >
          + Blank filter
        </Button>
        <Button
          ref={button}
          disabled={why !== null}
          aria-expanded={picking.value}
          onClick={() => {
            picking.value = !picking.value;
          }}
        >
          + Preset…
        </Button>
      </div>
      {why && <p class="cl-muted">{why}</p>}
      {picking.value && (
        <PresetPicker
          lens={lens}
          title="Add a preset"
          replaces={false}
          onClose={close}
          onChoose={(preset) => {
            const room = presetRoom(geometry, preset);
            resizeAll(lens, ...room);
            lens.add(resize(presetKernel(lens, preset), ...room).values, preset.title ?? preset.name, end);
            close();
          }}
        />
      )}
    </div>
  );
}
