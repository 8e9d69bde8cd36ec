/** Whether Keras is there, and which. */
import type { LensModel } from "../../model/lens.ts";
import { Icon } from "../icons.tsx";
import { statusWords } from "../wording.ts";

export function StatusLine({ lens }: { lens: LensModel }) {
  const { tone, icon, text } = statusWords(lens.status.value, lens.link.value, lens.gone.value);
  return (
    <p class="cl-status" role="status" data-tone={tone} title={text}>
      <Icon name={icon} size={14} />
      <span class="cl-status-text">{text}</span>
    </p>
  );
}
