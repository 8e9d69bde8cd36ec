/** The whole lens: toolbar, input image, one card per filter, and what there is to say about them. */
import type { LensModel } from "../model/lens.ts";
import { Explain } from "./explain/Explain.tsx";
import { AddFilter } from "./filter/AddFilter.tsx";
import { FilterCard } from "./filter/FilterCard.tsx";
import { Gallery, MOST_CARDS } from "./network/Gallery.tsx";
import { LayerChooser } from "./network/LayerChooser.tsx";
import { Predictions } from "./network/Predictions.tsx";
import { Training } from "./network/Training.tsx";
import { InputImage } from "./picture/InputImage.tsx";
import { PinAnnouncer } from "./picture/Readout.tsx";
import { useHostTheme } from "./theme.ts";
import { Notices } from "./toolbar/Notices.tsx";
import { Toolbar } from "./toolbar/Toolbar.tsx";

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
