/** A choice of one of several, as a list that opens. */
import type { SelectHTMLAttributes } from "preact";

type Attributes = Omit<SelectHTMLAttributes<HTMLSelectElement>, "value" | "onChange" | "role">;

interface SelectProps<V extends string | number> extends Attributes {
  options: readonly (readonly [value: V, text: string, disabled?: boolean])[];
  value: V;
  onChange: (value: V, select: HTMLSelectElement) => void;
}

export function Select<V extends string | number>({ options, value, onChange, ...others }: SelectProps<V>) {
  return (
    <select
      class="cl-select"
      value={value}
      onChange={({ currentTarget }) => {
        const chosen = options[currentTarget.selectedIndex];
        if (chosen) onChange(chosen[0], currentTarget);
      }}
      {...others}
    >
      {options.map(([each, text, disabled]) => (
        <option key={each} value={each} selected={each === value} disabled={disabled}>
          {text}
        </option>
      ))}
    </select>
  );
}
