/** One of a few, as buttons side by side. */
import type { Signal } from "@preact/signals";
import { useUniqueId } from "../useUniqueId.ts";

export interface SegmentsProps<K extends string> {
  label: string;
  options: Readonly<Record<K, string>>;
  value: Signal<K>;
}

export function Segments<K extends string>({ label, options, value }: SegmentsProps<K>) {
  const name = useUniqueId();
  return (
    <fieldset class="cl-choice">
      <legend class="cl-muted">{label}</legend>
      <div class="cl-segments">
        {(Object.keys(options) as K[]).map((key) => (
          <label key={key} class="cl-segment">
            <input
              type="radio"
              class="cl-hidden"
              name={name}
              checked={value.value === key}
              onChange={() => {
                value.value = key;
              }}
            />
            <span>{options[key]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
