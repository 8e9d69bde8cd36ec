/** Whether Keras is there, and which. */
import type { LensView } from "../../state/lens-view.ts";
import { Icon } from "../ui/icons.tsx";
import { statusWords } from "../ui/wording.ts";

export function StatusLine({ lens }: { lens: LensView }) {
  const { tone, icon, text } = statusWords(lens.status.value, lens.link.value, lens.gone.value, lens.saved);
  return (
    <p class="cl-status" role="status" data-tone={tone} title={text}>
      <Icon name={icon} size={14} />
      <span class="cl-status-text">{text}</span>
    </p>
  );
}
