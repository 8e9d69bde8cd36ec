/** The images of a survey that excite a filter most, each as what its pixel reads; a click shows the image. */
import { useSignal } from "@preact/signals";
import { formatNumber } from "../../../maths/numbers.ts";
import { sameWeights } from "../../../preview/full-preview.ts";
import { pngUrl } from "../../../protocol/bytes.ts";
import type { Uid } from "../../../protocol/records.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { Button } from "../../ui/Button.tsx";
import type { Chosen } from "../../ui/selectedFilter.ts";
import { endsWords, placeWords, thingWord } from "../../ui/wording.ts";

export function Stored({ lens, filter, name }: Chosen & { lens: LensView }) {
  const { interpretation } = lens;
  /** The filter whose new ranking is shown in the place of the survey's. */
  const again = useSignal<Uid | null>(null);
  const { uid } = filter;
  const found = interpretation.excited(uid);
  const survey = interpretation.survey.value;
  const offline = lens.link.value === "offline";
  const geometry = lens.geometry.value;
  const Thing = thingWord(geometry);
  const thing = Thing.toLowerCase();
  if (!found || found instanceof Error)
    return <p class="cl-muted">{found ? found.message : "Waiting for Python."}</p>;
  if (found.best.length === 0)
    return <p>This layer was not surveyed: the survey is of {survey?.layers.join(", ")}.</p>;

  const weights = { kernel: filter.kernel.value, bias: filter.bias.value };
  const edited = !sameWeights(weights, found.original);
  const differs = edited || !found.current;
  const run = again.value === uid ? interpretation.run("rank", uid) : null;
  const { best, running, error } = run?.record ?? {};
  const ranked = differs && best;
  const rank = () => {
    again.value = uid;
    interpretation.begin({ what: "rank", uid });
  };
  const words = () => {
    if (!differs) return `of ${survey?.images} ${thing}s`;
    if (!ranked)
      return found.current ? "of the original kernel" : "of the weights that the model had when surveyed";
    const now = run?.weights && sameWeights(weights, run.weights);
    const whose = now ? `${edited ? "edited" : "present"} kernel` : "kernel before the last edits";
    return `of the ${whose}, among the stored patches`;
  };
  return (
    <section class="cl-stored" aria-label={`${Thing}s that excite ${name} most`} aria-busy={running}>
      <div class="cl-explainhead">
        <p>
          <strong>
            {Thing}s that excite {name} most
          </strong>{" "}
          <span class="cl-muted" role="status">
            {words()}
          </span>
        </p>
        <span class="cl-choice">
          {differs && (
            <Button disabled={offline || running} onClick={rank}>
              {running ? "Ranking…" : "Rank again"}
            </Button>
          )}
          {ranked && (
            <Button
              onClick={() => {
                again.value = null;
              }}
            >
              As surveyed
            </Button>
          )}
          {interpretation.replaced.value && (
            <Button disabled={offline} onClick={() => interpretation.show(null)}>
              Back to the previous {thing}
            </Button>
          )}
        </span>
      </div>
      {error && <p class="cl-kalert">{error}</p>}
      <ol class="cl-patches">
        {(ranked || found.best).map((one) => {
          const value = formatNumber(Math.fround(one.value), 5);
          const place = placeWords(geometry, ...one.pixel);
          return (
            <li key={`${one.filter}/${one.rank}`}>
              <button
                type="button"
                disabled={offline}
                title={`Show ${thing} ${one.image}, with ${place} pinned`}
                aria-label={`${Thing} ${one.image}: ${value} at ${place}. Show it`}
                onClick={() => interpretation.show(one)}
              >
                <img alt="" src={pngUrl(one.picture)} />
                <span class="cl-number">{value}</span>
                <span>
                  {thing} {one.image}
                </span>
                <span class="cl-muted">{place}</span>
                {one.range && <span class="cl-muted">{endsWords(one.range)}</span>}
              </button>
            </li>
          );
        })}
      </ol>
      {offline && <p class="cl-muted">Showing one of them needs Python.</p>}
    </section>
  );
}
