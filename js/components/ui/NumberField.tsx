/** A labelled number outside the grid: the same parsing as in the cells, the same way of refusing. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { exactNumber, parseNumber, snap, stepFor } from "../../maths/numbers.ts";
import { useUniqueId } from "./useUniqueId.ts";

export interface NumberFieldProps {
  label: string;
  value: number;
  onChange: (value: number) => void;
  /** Why it cannot be changed; shown as its title. */
  why?: string | null;
  /** Refuse a number that parses; a sentence, or null. */
  check?: ((value: number) => string | null) | undefined;
  /** What an arrow key adds; by the number's size where none is given. */
  step?: number | undefined;
  hideLabel?: boolean;
  /** Enter was pressed on a number that is accepted. */
  onEnter?: () => void;
}

export function NumberField({
  label,
  value,
  onChange,
  why = null,
  check,
  step,
  hideLabel = false,
  onEnter,
}: NumberFieldProps) {
  const id = useUniqueId();
  const refused = useSignal<string | null>(null);
  /** What is typed and not yet accepted; null when the field shows its value. */
  const draft = useSignal<string | null>(null);
  const input = useRef<HTMLInputElement>(null);

  const take = (): boolean => {
    if (draft.value === null) return true;
    const parsed = parseNumber(draft.value);
    const objection = parsed.ok ? (check?.(parsed.value) ?? null) : parsed.why;
    refused.value = objection;
    if (objection !== null || !parsed.ok) return false;
    draft.value = null;
    onChange(parsed.value);
    return true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || event.altKey) return;
    const changed = draft.value !== null || refused.value !== null;
    // Where nothing is typed, Escape is for the panel around it.
    if (event.key === "Escape" && !changed) return;
    event.stopPropagation();
    if (event.key === "Enter") {
      input.current?.select();
      if (take()) onEnter?.();
    } else if (event.key === "Escape") {
      draft.value = refused.value = null;
    } else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && Number.isFinite(value)) {
      const by = step ?? stepFor(Math.abs(value) || 1) * (event.shiftKey ? 0.1 : 1);
      const next = snap(value + (event.key === "ArrowUp" ? by : -by), by / 1e6);
      draft.value = null;
      refused.value = check?.(next) ?? null;
      if (refused.value === null) onChange(next);
    } else return;
    event.preventDefault();
  };

  return (
    <span class="cl-numfield">
      <label for={id} class={hideLabel ? "cl-hidden" : undefined}>
        {label}
      </label>
      <input
        ref={input}
        id={id}
        class="cl-input cl-number"
        type="text"
        autocomplete="off"
        spellcheck={false}
        size={9}
        value={draft.value ?? exactNumber(value)}
        disabled={why !== null}
        title={why ?? undefined}
        aria-invalid={refused.value !== null}
        aria-describedby={refused.value ? `${id}-why` : undefined}
        onInput={(event) => {
          draft.value = event.currentTarget.value;
          refused.value = null;
        }}
        onFocus={(event) => event.currentTarget.select()}
        onBlur={take}
        onKeyDown={onKeyDown}
        onPaste={(event) => event.stopPropagation()}
      />
      {refused.value && (
        <span role="alert" id={`${id}-why`} class="cl-kalert">
          {refused.value}
        </span>
      )}
    </span>
  );
}
