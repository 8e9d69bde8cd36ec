/** The whole lens: toolbar, input image, one card per filter, and what there is to say about them. */
import type { LensModel } from "../model/lens.ts";
import { AddFilter } from "./AddFilter.tsx";
import { Explain } from "./explain/Explain.tsx";
import { FilterCard } from "./FilterCard.tsx";
import { Gallery, MOST_CARDS } from "./Gallery.tsx";
import { InputImage } from "./InputImage.tsx";
import { LayerChooser } from "./LayerChooser.tsx";
import { Notices } from "./Notices.tsx";
import { Predictions } from "./Predictions.tsx";
import { PinAnnouncer } from "./Readout.tsx";
import { Toolbar } from "./Toolbar.tsx";
import { Training } from "./Training.tsx";
import { useHostTheme } from "./theme.ts";

export function App({ lens }: { lens: LensModel }) {
  const { host, scheme } = useHostTheme();
  return (
    <div
      class="convlens"
      // JupyterLab's shortcuts leave alone what is typed below an element with this attribute, and at one that has it itself:
      // those whose selector ends in `:focus` look no further than the element in focus.
      data-lm-suppress-shortcuts="true"
      onFocusIn={({ target }) => (target as Element).setAttribute("data-lm-suppress-shortcuts", "true")}
      data-host={host}
      data-theme={scheme}
      data-link={lens.link}
      data-status={lens.status.value.keras}
    >
      <Toolbar lens={lens} />
      <LayerChooser lens={lens} />
      <Training lens={lens} />
      <Notices lens={lens} />
      <div class="cl-layout">
        <div class="cl-side">
          <InputImage lens={lens} />
          <Predictions lens={lens} />
        </div>
        {lens.filters.value.length > MOST_CARDS ? (
          <Gallery lens={lens}>{lens.geometry.value.path === "" && <AddFilter lens={lens} />}</Gallery>
        ) : (
          <div class="cl-cards">
            {lens.filters.value.map((filter, index) => (
              <FilterCard key={filter.uid} lens={lens} filter={filter} index={index} />
            ))}
            <AddFilter lens={lens} />
          </div>
        )}
        <Explain lens={lens} />
      </div>
      <PinAnnouncer lens={lens} />
    </div>
  );
}
