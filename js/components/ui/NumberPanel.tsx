/** An operation that needs a number first: it opens inside the card, under its name. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Button } from "./Button.tsx";
import { consume } from "./consume.ts";
import { NumberField } from "./NumberField.tsx";

export interface NumberPanelProps {
  label: string;
  initial: number;
  /** What an arrow key adds; by the number's size where none is given. */
  step?: number | undefined;
  check?: ((value: number) => string | null) | undefined;
  onTake: (value: number) => void;
  onClose: () => void;
}

export function NumberPanel({ label, initial, step, check, onTake, onClose }: NumberPanelProps) {
  const panel = useRef<HTMLDivElement>(null);
  const value = useSignal(initial);

  const take = () => {
    if (panel.current?.querySelector("[aria-invalid=true]")) return;
    onTake(value.value);
    onClose();
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a form would submit the notebook's page.
    <div
      ref={panel}
      role="group"
      class="cl-ask cl-askrow"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.altKey) return;
        consume(event);
        onClose();
      }}
    >
      <NumberField
        label={label}
        value={value.value}
        step={step}
        check={check}
        onChange={(number) => {
          value.value = number;
        }}
        onEnter={take}
      />
      <Button onClick={take}>OK</Button>
      <Button bare onClick={onClose}>
        Cancel
      </Button>
    </div>
  );
}
