/** A choice of a choice of one of a few, as buttons side by side. */
import type { Signal } from "@preact/signals";
import { useUniqueId } from "./useUniqueId.ts";

interface ChoiceProps<K extends string> {
  options: Readonly<Record<K, string>>;
  value: K;
  onChange: (value: K) => void;
  /** What each means, in a sentence. */
  why?: Readonly<Record<K, string>>;
}

/** The buttons, for a `cl-segments`. */
export function Choice<K extends string>({ options, value, onChange, why }: ChoiceProps<K>) {
  const name = useUniqueId();
  return (
    <>
      {(Object.keys(options) as K[]).map((key) => (
        <label key={key} class="cl-segment" title={why?.[key]}>
          <input
            type="radio"
            class="cl-hidden"
            aria-description={why?.[key]}
            name={name}
            checked={value === key}
            onChange={() => onChange(key)}
          />
          <span>{options[key]}</span>
        </label>
      ))}
    </>
  );
}

export interface SegmentsProps<K extends string> {
  label: string;
  options: Readonly<Record<K, string>>;
  value: Signal<K>;
}

export function Segments<K extends string>({ label, options, value }: SegmentsProps<K>) {
  return (
    <fieldset class="cl-choice">
      <legend class="cl-muted">{label}</legend>
      <div class="cl-segments">
        <Choice
          options={options}
          value={value.value}
          onChange={(key) => {
            value.value = key;
          }}
        />
      </div>
    </fieldset>
  );
}
