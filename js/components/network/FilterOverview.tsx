/** Many filters: small maps of those that are on screen, sorted and searched. */
import type { LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { Select } from "../ui/Select.tsx";
import { useUniqueId } from "../ui/useUniqueId.ts";
import { FilterGrid } from "./FilterGrid.tsx";
import { ONLY_PYTHON, SORTS, SORTS_WHY, type Sort, useRanking } from "./useRanking.ts";

export function FilterOverview({ lens, onOpen }: { lens: LensView; onOpen: () => void }) {
  const id = useUniqueId();
  const ranking = useRanking(lens);
  const offline = lens.link.value === "offline";
  const shared = lens.shared.value_range.value === "shared";
  const sorts = (Object.entries(SORTS) as [Sort, string][]).filter(
    ([sort]) => sort !== "loss" || ranking.ablated.value,
  );
  return (
    <section class="cl-overview">
      <div class="cl-overviewhead">
        <input
          type="search"
          class="cl-input"
          placeholder="name or index"
          aria-label="Find filters by name or index"
          value={ranking.query.value}
          onInput={({ currentTarget }) => {
            ranking.query.value = currentTarget.value;
          }}
        />
        <span class="cl-by">
          <label for={id}>by</label>
          <Select
            id={id}
            aria-describedby={`${id}-why`}
            options={sorts.map(([sort, text]) => {
              const asks = offline && ONLY_PYTHON.includes(sort);
              return [sort, asks ? `${text}, needs Python` : text, asks];
            })}
            value={ranking.sort.value}
            onChange={(sort) => void ranking.rank(sort)}
          />
          <span role="tooltip" class="cl-wordwhy" id={`${id}-why`}>
            {SORTS_WHY[ranking.sort.value]}
          </span>
        </span>
        <Button
          aria-pressed={shared}
          title="Draw all maps of the layer over one range, so that a faint one looks faint"
          onClick={() => lens.set("value_range", shared ? "per_map" : "shared")}
        >
          One range
        </Button>
        {ranking.outdated() && (
          <Button title="An edit changed the numbers" onClick={() => void ranking.rank(ranking.sort.value)}>
            Sort again
          </Button>
        )}
        {lens.network.layers.value.length > 0 && (
          <Button
            disabled={offline}
            title={
              offline
                ? "Running the model needs Python"
                : "Set each filter's map to 0 in turn, to see how far the first class's score falls, before a final softmax"
            }
            onClick={() => {
              if (ranking.running.peek()) ranking.stop();
              else void ranking.ablateEach();
            }}
          >
            {ranking.running.value ? "Stop" : "Ablate each"}
          </Button>
        )}
        <span class="cl-muted" role="status">
          {ranking.words()}
        </span>
      </div>
      <FilterGrid
        lens={lens}
        order={ranking.order.value}
        by={`${ranking.sort.value} ${ranking.query.value}`}
        noted={ranking.noted}
        onOpen={onOpen}
      />
    </section>
  );
}
