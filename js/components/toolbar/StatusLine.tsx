/** Whether Keras is there, and which. */
import type { LensView } from "../../state/lens-view.ts";
import { Icon } from "../ui/icons.tsx";
import { statusWords } from "../ui/wording.ts";

export function StatusLine({ lens }: { lens: LensView }) {
  const { status, link, gone, saved, geometry, imageIsInput, filters } = lens;
  // Inside a model, where Python has sent what the linear update of an edited filter needs.
  const previews =
    geometry.value.previewable &&
    (imageIsInput.value || filters.value.some(({ map }) => map.value.provenance === "preview"));
  const { tone, icon, text } = statusWords(status.value, link.value, gone.value, saved, previews);
  return (
    <p class="cl-status" role="status" data-tone={tone} title={text}>
      <Icon name={icon} size={14} />
      <span class="cl-status-text">{text}</span>
    </p>
  );
}
