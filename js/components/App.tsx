/** The whole lens: toolbar, input image, one card per filter or one filter large, and what there is to say about them. */
import { useMemo, useRef } from "preact/hooks";
import type { Room } from "../maths/arrangement.ts";
import type { LensView } from "../state/lens-view.ts";
import { Explain } from "./explain/Explain.tsx";
import { AddFilter } from "./filter/AddFilter.tsx";
import { FilterCard } from "./filter/FilterCard.tsx";
import { FocusView } from "./layout/FocusView.tsx";
import { Gallery, MOST_CARDS } from "./network/Gallery.tsx";
import { ModelInput } from "./network/LatentVector.tsx";
import { LayerChooser } from "./network/LayerChooser.tsx";
import { Predictions } from "./network/Predictions.tsx";
import { Training } from "./network/Training.tsx";
import { PinAnnouncer } from "./picture/Readout.tsx";
import { Notices } from "./toolbar/Notices.tsx";
import { Toolbar } from "./toolbar/Toolbar.tsx";
import { PlacedContext, placed, variables } from "./ui/arrangement.ts";
import { CellSide } from "./ui/cellSize.ts";
import { consume } from "./ui/consume.ts";
import { onFocusKey } from "./ui/focusKeys.ts";
import { useFullScreen } from "./ui/fullScreen.ts";
import { useRoom } from "./ui/room.ts";
import { useHostTheme } from "./ui/theme.ts";

/** Room that a gallery leaves for its chosen filter: left of the filter where there is room, else above. */
function besideGallery(room: Room): Room {
  return room.width > 1180 ? { ...room, width: 0.66 * room.width } : { ...room, overview: 310 };
}

/** Undo and redo wherever the focus is in the lens; fields and grids have already handled their own. */
function undoAnywhere(lens: LensView, event: KeyboardEvent): void {
  const key = event.key.toLowerCase();
  if (!(event.ctrlKey || event.metaKey) || event.altKey || (key !== "z" && key !== "y")) return;
  const field = (event.target as Element).closest(
    "input:not([type=range], [type=checkbox], [type=radio]), textarea",
  );
  if (field) return;
  consume(event);
  if (key === "y" || event.shiftKey) lens.redo();
  else lens.undo();
}

export function App({ lens }: { lens: LensView }) {
  const { host, scheme } = useHostTheme();
  const root = useRef<HTMLDivElement>(null);
  const bars = useRef<HTMLDivElement>(null);
  const room = useRoom(root, bars).value;
  const screen = useFullScreen(lens, root);
  const filters = lens.filters.value;
  const gallery = filters.length > MOST_CARDS || lens.network.layers.value.length > 0;
  const [geometry, view] = [lens.geometry.value, lens.shared.view.value];
  const at = useMemo(
    () => (gallery ? placed(lens, 1, besideGallery(room)) : placed(lens, filters.length, room)),
    [lens, gallery, filters.length, room, geometry, view],
  );
  const focus = at.view === "focus";
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys that the controls inside leave.
    <div
      ref={root}
      class="convlens"
      // JupyterLab's shortcuts leave alone what is typed below an element with this attribute, and at one that has it itself:
      // those whose selector ends in `:focus` only check the element in focus.
      data-lm-suppress-shortcuts="true"
      onFocusIn={({ target }) => (target as Element).setAttribute("data-lm-suppress-shortcuts", "true")}
      onKeyDown={(event) => {
        undoAnywhere(lens, event);
        if (focus || screen?.on) onFocusKey(event, lens, screen);
      }}
      data-host={host}
      data-theme={scheme}
      data-link={lens.link}
      data-status={lens.status.value.keras}
      data-view={at.view}
    >
      <div ref={bars} class="cl-head">
        <Toolbar lens={lens} width={room.width} screen={screen} />
        <LayerChooser lens={lens} />
        <Training lens={lens} />
        {lens.leftOut && <p class="cl-muted">{lens.leftOut}</p>}
      </div>
      <Notices lens={lens} />
      <PlacedContext.Provider value={at}>
        <CellSide.Provider value={at.cell}>
          <div
            class="cl-layout"
            data-kernel={at.kernel}
            data-tools={at.view === "grid" && at.toolsBeside ? "beside" : "below"}
            data-gallery={gallery || undefined}
            style={variables(at)}
          >
            {focus ? (
              <FocusView lens={lens} at={at} />
            ) : (
              <>
                <div class="cl-side">
                  <div class="cl-stays">
                    <ModelInput lens={lens} />
                    <Predictions lens={lens} />
                  </div>
                </div>
                {gallery ? (
                  <Gallery lens={lens}>{geometry.path === "" && <AddFilter lens={lens} />}</Gallery>
                ) : (
                  <div class="cl-cards">
                    {filters.map((filter, index) => (
                      <FilterCard key={filter.uid} lens={lens} filter={filter} index={index} />
                    ))}
                    <AddFilter lens={lens} />
                  </div>
                )}
              </>
            )}
            <CellSide.Provider value={null}>
              <Explain lens={lens} />
            </CellSide.Provider>
          </div>
        </CellSide.Provider>
      </PlacedContext.Provider>
      <PinAnnouncer lens={lens} />
    </div>
  );
}
