/** What excites the selected filter: the best images of a survey, and the picture that would excite it most. */
import type { LensView } from "../../../state/lens-view.ts";
import { selectedFilter } from "../../ui/selectedFilter.ts";
import { Growing } from "./Growing.tsx";
import { Stored } from "./Stored.tsx";

export function Excites({ lens }: { lens: LensView }) {
  const chosen = selectedFilter(lens);
  if (!chosen) return null;
  return (
    <div class="cl-excites">
      {lens.interpretation.survey.value && <Stored lens={lens} {...chosen} />}
      <Growing lens={lens} {...chosen} />
    </div>
  );
}
