/** A button as all of them are: it sends no form, and has a border unless it is bare or of a `class` of its own. */
import type { ButtonHTMLAttributes } from "preact";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  bare?: boolean;
  /** What it is called where its face does not say it: the title and the accessible name. */
  label?: string;
}

export function Button({ bare, label, ...others }: ButtonProps) {
  return (
    <button
      type="button"
      class={bare ? "cl-button" : "cl-button cl-outlined"}
      title={label}
      aria-label={label}
      {...others}
    />
  );
}
