/** What applies to the whole lens: history, comparison, colours, range, stage, zoom, help, and the state of Keras. */
import { useComputed } from "@preact/signals";
import { placeOver, WHOLE, zoomAt, zoomLimit } from "../../paint/viewport.ts";
import type { Stage, ViewMode } from "../../protocol/records.ts";
import type { LensView } from "../../state/lens-view.ts";
import { sizeInView, ZOOM_STEP } from "../picture/PictureFrame.tsx";
import { Button } from "../ui/Button.tsx";
import { stepFilter } from "../ui/focusKeys.ts";
import type { FullScreen } from "../ui/fullScreen.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { Choice } from "../ui/Segments.tsx";
import { Select } from "../ui/Select.tsx";
import { useSteps } from "../ui/useSteps.ts";
import { useUniqueId } from "../ui/useUniqueId.ts";
import { STAGES } from "../ui/wording.ts";
import { Help } from "./Help.tsx";
import { Panel } from "./Panel.tsx";
import { RangeControl } from "./RangeControl.tsx";
import { StatusLine } from "./StatusLine.tsx";

/** Widths below which the rarer controls fold, those of the colours as well, the stage, and all but the history. */
const ONE_LINE = 1200;
const COLOURS = 1000;
const STAGE = 744;
const SHORT = 640;
/** What two limits of a fixed range take beside all other controls, and the width up to which the colours fold for them. */
const LIMITS = 120;
const LIMITED = 1090;
/** Width of what steps from filter to filter. */
const STEPS = 104;

export interface ToolbarProps {
  lens: LensView;
  /** Of the lens. */
  width: number;
  screen: FullScreen | null;
}

export function Toolbar({ lens, width, screen }: ToolbarProps) {
  const { undo, redo } = lens.history.value;
  const steps = lens.shared.view.value === "focus" || screen?.on;
  const room = steps ? width - STEPS : width;
  const limited = typeof lens.shared.value_range.value !== "string";
  const most = limited ? ONE_LINE + LIMITS : ONE_LINE;
  const folds =
    room < SHORT
      ? "all"
      : room < STAGE
        ? "stage"
        : room < COLOURS
          ? "colours"
          : room < most
            ? "rare"
            : "none";
  const all = folds === "all";
  const stageInBar = !all && folds !== "stage";
  const inBar = folds === "none" || folds === "rare";
  const cmapInBar = inBar && !(limited && room < LIMITED);
  const rare = (
    <>
      <KernelCmapControl lens={lens} />
      <OverlayControl lens={lens} />
    </>
  );
  const views = (
    <>
      <ViewControl lens={lens} />
      {steps && <Steps lens={lens} screen={screen} />}
    </>
  );
  return (
    <div class="cl-toolbar" data-folds={folds}>
      <div class="cl-group">
        <Action icon="undo" name="Undo" disabled={undo === 0} onClick={() => lens.undo()} />
        <Action icon="redo" name="Redo" disabled={redo === 0} onClick={() => lens.redo()} />
        <Action icon="reset" name="Reset the kernels to the initial ones" onClick={() => lens.reset()} />
        <Compare lens={lens} />
      </div>
      {!all && <Zoom lens={lens} />}
      {!all && views}
      {stageInBar && <StageControl lens={lens} />}
      {cmapInBar && <CmapControl lens={lens} />}
      {inBar && <RangeControl lens={lens} />}
      {folds === "none" && rare}
      {folds !== "none" && (
        <Panel name="display: what is shown and how" class="cl-display" face={<DisplayFace />}>
          <div class="cl-displaypanel">
            {all && views}
            {!stageInBar && <StageControl lens={lens} />}
            {all && <Zoom lens={lens} />}
            {!cmapInBar && <CmapControl lens={lens} />}
            {!inBar && <RangeControl lens={lens} />}
            {rare}
          </div>
        </Panel>
      )}
      <div class="cl-state">
        <StatusLine lens={lens} />
        <Help lens={lens} />
      </div>
    </div>
  );
}

function DisplayFace() {
  return (
    <>
      <Icon name="sliders" />
      <span>display</span>
    </>
  );
}

interface ActionProps {
  icon: IconName;
  name: string;
  disabled?: boolean;
  onClick: () => void;
}

function Action({ icon, name, disabled = false, onClick }: ActionProps) {
  return (
    <Button bare label={name} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </Button>
  );
}

/** Latches: the maps and kernels as they were before the last change, until it is pressed again or something is edited. */
function Compare({ lens }: { lens: LensView }) {
  const on = lens.comparing.value;
  useSteps(lens, () => {
    lens.comparing.value = false;
  });
  return (
    <Button
      bare
      title={
        on
          ? "Back to the current kernels and maps"
          : "Show kernels and maps as they were before the last change"
      }
      aria-pressed={on}
      onClick={() => {
        lens.comparing.value = !on;
      }}
    >
      <Icon name="compare" />
      <span class="cl-before">before</span>
      <span class="cl-hidden"> the last change</span>
    </Button>
  );
}

const VIEWS: Record<ViewMode, string> = { grid: "grid", focus: "focus" };

function ViewControl({ lens }: { lens: LensView }) {
  return (
    <fieldset class="cl-segments">
      <legend class="cl-hidden">All filters, or one large</legend>
      <Choice options={VIEWS} value={lens.shared.view.value} onChange={(view) => lens.set("view", view)} />
    </fieldset>
  );
}

const FULL = "Full screen (F)";

/** From filter to filter, and onto the whole screen. */
function Steps({ lens, screen }: Pick<ToolbarProps, "lens" | "screen">) {
  const lone = lens.filters.value.length < 2;
  return (
    <div class="cl-group">
      <Action
        icon="back"
        name="Previous filter (Page Up)"
        disabled={lone}
        onClick={() => stepFilter(lens, -1)}
      />
      <Action
        icon="forward"
        name="Next filter (Page Down)"
        disabled={lone}
        onClick={() => stepFilter(lens, 1)}
      />
      {screen && (
        <Button class="cl-button cl-full" label={FULL} aria-pressed={screen.on} onClick={screen.toggle}>
          <Icon name="full" />
        </Button>
      )}
    </div>
  );
}

const STAGES_WHY: Record<Stage, string> = {
  activation: "What the layer returns: the sums after its activation function",
  pre_activation: "The sums of products and bias, before the activation function",
};

function StageControl({ lens }: { lens: LensView }) {
  return (
    <fieldset class="cl-segments">
      <legend class="cl-hidden">What the maps show</legend>
      <Choice
        options={STAGES}
        why={STAGES_WHY}
        value={lens.shared.stage.value}
        onChange={(stage) => lens.set("stage", stage)}
      />
    </fieldset>
  );
}

/** Colours with zero in the middle, from blue through white to red. */
const DIVERGING = "RdBu_r";

function KernelCmapControl({ lens }: { lens: LensView }) {
  const id = useUniqueId();
  const current = lens.shared.kernel_cmap.value ?? "";
  const own = current !== "" && current !== DIVERGING;
  return (
    <div class="cl-labelled">
      <label for={id}>kernels</label>
      <Select
        id={id}
        title="Colours of the kernels: those of the maps, or diverging ones in which negative numbers look negative"
        options={[["", "same"], [DIVERGING, "diverging"], ...(own ? [[current, current] as const] : [])]}
        value={current}
        onChange={(chosen) => lens.set("kernel_cmap", chosen || null)}
      />
    </div>
  );
}

function OverlayControl({ lens }: { lens: LensView }) {
  const id = useUniqueId();
  const aligned = lens.imageIsInput.value;
  return (
    <div class="cl-labelled">
      <label for={id}>overlay</label>
      <input
        id={id}
        class="cl-overlay"
        type="range"
        min={0}
        max={1}
        step={0.05}
        value={lens.shared.overlay.value}
        disabled={!aligned}
        title={
          aligned
            ? "Opacity of the maps over the image; at the left end the image is not drawn below them"
            : "Only maps of a layer that reads the image itself lie over it pixel by pixel"
        }
        onInput={(event) => lens.set("overlay", Number(event.currentTarget.value))}
      />
    </div>
  );
}

function CmapControl({ lens }: { lens: LensView }) {
  const id = useUniqueId();
  const current = lens.cmap.value;
  const names = new Set([...lens.cmapTables.value.keys(), current]);
  return (
    <div class="cl-labelled">
      <label for={id} class="cl-hidden">
        colours
      </label>
      <Select
        id={id}
        title="Colours of the maps"
        options={[...names].map((name) => [name, name])}
        value={current}
        onChange={(chosen) => lens.set("cmap", chosen)}
      />
    </div>
  );
}

function Zoom({ lens }: { lens: LensView }) {
  const zoomed = useComputed(() => lens.viewport.value.zoom);
  const by = (factor: number) => {
    const picture = sizeInView(lens);
    // Any box of the picture's shape works: the centre stays where it is.
    const pane = {
      size: picture,
      box: { width: picture.cols, height: picture.rows },
      place: placeOver(picture),
    };
    const [x, y] = [picture.cols / 2, picture.rows / 2];
    lens.viewport.value = zoomAt(pane, lens.viewport.peek(), factor, zoomLimit(picture), x, y);
  };
  const most = zoomLimit(sizeInView(lens));
  return (
    <div class="cl-group">
      <Action icon="minus" name="Zoom out" disabled={zoomed.value <= 1} onClick={() => by(1 / ZOOM_STEP)} />
      <span class="cl-zoom cl-number" title="Zoom">
        {zoomed.value.toFixed(zoomed.value < 9.95 ? 1 : 0)}×
      </span>
      <Action icon="plus" name="Zoom in" disabled={zoomed.value >= most} onClick={() => by(ZOOM_STEP)} />
      <Action
        icon="fit"
        name="Show the whole picture"
        disabled={zoomed.value <= 1}
        onClick={() => {
          lens.viewport.value = WHOLE;
        }}
      />
    </div>
  );
}
