/** The picture that excites a filter most, while Python finds it and after. */
import { formatNumber } from "../../../maths/numbers.ts";
import { sameWeights } from "../../../preview/full-preview.ts";
import { pngUrl } from "../../../protocol/bytes.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { Button } from "../../ui/Button.tsx";
import type { Chosen } from "../../ui/selectedFilter.ts";
import { endsWords, thingWord } from "../../ui/wording.ts";

export function Growing({ lens, filter, name }: Chosen & { lens: LensView }) {
  const { interpretation } = lens;
  const { uid } = filter;
  const offline = lens.link.value === "offline";
  const run = interpretation.run("maximize", uid);
  const { running, error, step = 0, steps = 0, activation, picture, range } = run?.record ?? {};
  const thing = thingWord(lens.geometry.value, "Picture");
  const old =
    run?.weights && !sameWeights({ kernel: filter.kernel.value, bias: filter.bias.value }, run.weights);
  return (
    <section class="cl-growing" aria-label={`${thing} that excites ${name} most`}>
      <p>
        <Button
          disabled={offline}
          onClick={() =>
            running ? interpretation.stop("maximize") : interpretation.begin({ what: "maximize", uid })
          }
        >
          {running ? "Stop" : `${thing} that excites it most`}
        </Button>{" "}
        {running && <progress aria-label="Steps" max={steps || 1} value={step} />}{" "}
        <span class="cl-muted" role="status">
          {offline
            ? "needs Python"
            : running
              ? "gradient ascent on the model's input, from noise"
              : run && !error && `${step < steps ? "stopped" : "found"} after ${step} steps`}
        </span>
      </p>
      {error && <p class="cl-kalert">{error}</p>}
      {picture && (
        <figure>
          <img alt={`What excites ${name} most, found from noise`} src={pngUrl(picture)} />
          <figcaption class="cl-muted">
            step <span class="cl-number">{step}</span> of {steps}
            <br />
            mean of its map <span class="cl-number">{formatNumber(Math.fround(activation ?? 0), 5)}</span>
            {range && <> · curve from {endsWords(range)}</>}
            {old && <span> of the kernel before the last edits</span>}
          </figcaption>
        </figure>
      )}
    </section>
  );
}
