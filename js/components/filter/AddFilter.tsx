/** More filters: a blank one or a preset. Duplicates come from a filter's own menu. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { resize } from "../../lens/kernels.ts";
import type { LensModel } from "../../model/lens.ts";
import { PresetPicker } from "../kernel/PresetPicker.tsx";
import { presetKernel, whyFixedList } from "./filterActions.ts";

export function AddFilter({ lens }: { lens: LensModel }) {
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
    <section class="cl-add" aria-label="Add a filter">
      <div class="cl-addrow" title={why ?? undefined}>
        <button
          type="button"
          class="cl-button cl-outlined"
          disabled={why !== null}
          onClick={() => lens.add(new Float32Array(rows * cols * geometry.kernel_channels), null, end)}
        >
          + Blank filter
        </button>
        <button
          ref={button}
          type="button"
          class="cl-button cl-outlined"
          disabled={why !== null}
          aria-expanded={picking.value}
          onClick={() => {
            picking.value = !picking.value;
          }}
        >
          + Preset…
        </button>
      </div>
      {why && <p class="cl-muted">{why}</p>}
      {picking.value && (
        <PresetPicker
          lens={lens}
          title="Add a preset"
          replaces={false}
          onClose={close}
          onChoose={(preset) => {
            lens.add(resize(presetKernel(lens, preset), rows, cols).values, preset.name, end);
            close();
          }}
        />
      )}
    </section>
  );
}
