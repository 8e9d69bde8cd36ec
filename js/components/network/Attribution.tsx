/** What lies over the image of a chosen class: by which method, before or after the edits, and what its colours mean. */
import { useEffect } from "preact/hooks";
import { formatNumber } from "../../maths/numbers.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Segments } from "../ui/Segments.tsx";
import { Select } from "../ui/Select.tsx";
import { thingWord } from "../ui/wording.ts";

const METHODS: readonly (readonly [method: string, name: string])[] = [
  ["gradcam", "Grad-CAM"],
  ["gradcam++", "Grad-CAM++"],
  ["ablation", "Ablation-CAM"],
  ["gradients", "gradients"],
  ["smoothgrad", "SmoothGrad"],
];
const SIDES = { before: "before", after: "after" };

export interface AttributionProps {
  lens: LensView;
  /** The class. */
  target: number;
  name: string;
  method: string;
  /** The model's output, which an edit changes; then it rests on something else. */
  output: Float32Array;
}

export function Attribution({ lens, target, name, method, output }: AttributionProps) {
  const { interpretation } = lens;
  useEffect(() => interpretation.begin({ what: "attribution", target, method }), [target, method, output]);
  const { running, error, most } = interpretation.run("attribution")?.record ?? { running: true };
  return (
    <section class="cl-attribution" aria-label={`What ${name} rests on`} aria-busy={running}>
      <Select
        aria-label="Method of attribution"
        options={METHODS}
        value={method}
        onChange={(chosen) => {
          interpretation.attributed.value = { target, method: chosen };
        }}
      />
      <Segments label="the edits" options={SIDES} value={interpretation.side} />
      <p role="status" class={error ? "cl-kalert" : "cl-muted"}>
        {error ??
          (running
            ? "running the model…"
            : `what ${name} rests on, over the ${thingWord(lens.geometry.value).toLowerCase()}: transparent 0, yellow ${formatNumber(Math.fround(most ?? 0), 7)}`)}
      </p>
    </section>
  );
}
