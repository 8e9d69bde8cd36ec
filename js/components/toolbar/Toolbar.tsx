/** What holds for the whole lens: history, comparison, colours, range, stage, zoom, help, and the state of Keras. */
import { useComputed } from "@preact/signals";
import { placeOver, WHOLE, zoomAt, zoomLimit } from "../../lens/viewport.ts";
import type { LensModel } from "../../model/lens.ts";
import type { Stage } from "../../model/types.ts";
import { consume } from "../consume.ts";
import { Icon, type IconName } from "../icons.tsx";
import { ColorBar } from "../picture/ColorBar.tsx";
import { ZOOM_STEP } from "../picture/PictureFrame.tsx";
import { useUniqueId } from "../useUniqueId.ts";
import { STAGES } from "../wording.ts";
import { Help } from "./Help.tsx";
import { RangeControl } from "./RangeControl.tsx";
import { StatusLine } from "./StatusLine.tsx";

export function Toolbar({ lens }: { lens: LensModel }) {
  const { undo, redo } = lens.history.value;
  return (
    <div class="cl-toolbar">
      <div class="cl-group">
        <Action icon="undo" name="Undo" disabled={undo === 0} onClick={() => lens.undo()} />
        <Action icon="redo" name="Redo" disabled={redo === 0} onClick={() => lens.redo()} />
        <Action icon="reset" name="Reset the kernels to those at the start" onClick={() => lens.reset()} />
        <Compare lens={lens} />
      </div>
      <Zoom lens={lens} />
      <StageControl lens={lens} />
      <CmapControl lens={lens} />
      <RangeControl lens={lens} />
      <div class="cl-state">
        <StatusLine lens={lens} />
        <Help />
      </div>
    </div>
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
    <button
      type="button"
      class="cl-button"
      title={name}
      aria-label={name}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Held down, by pointer or key: the maps as they were before the last change. */
function Compare({ lens }: { lens: LensModel }) {
  const hold = (on: boolean) => () => {
    lens.comparing.value = on;
  };
  const onKey = (on: boolean) => (event: KeyboardEvent) => {
    if (event.key !== " " && event.key !== "Enter") return;
    consume(event);
    if (!event.repeat) lens.comparing.value = on;
  };
  return (
    <button
      type="button"
      class="cl-button"
      title="Hold to see the maps before the last change"
      aria-pressed={lens.comparing.value}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        lens.comparing.value = true;
      }}
      onPointerUp={hold(false)}
      onPointerCancel={hold(false)}
      onLostPointerCapture={hold(false)}
      onBlur={hold(false)}
      onKeyDown={onKey(true)}
      onKeyUp={onKey(false)}
      onContextMenu={(event) => event.preventDefault()}
    >
      <Icon name="compare" />
      <span>before</span>
      <span class="cl-hidden"> the last change, while held</span>
    </button>
  );
}

function StageControl({ lens }: { lens: LensModel }) {
  const name = useUniqueId();
  return (
    <fieldset class="cl-segments">
      <legend class="cl-hidden">What the maps show</legend>
      {(Object.keys(STAGES) as Stage[]).map((stage) => (
        <label key={stage} class="cl-segment">
          <input
            type="radio"
            class="cl-hidden"
            name={name}
            checked={lens.stage.value === stage}
            onChange={() => lens.setStage(stage)}
          />
          <span>{STAGES[stage]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function CmapControl({ lens }: { lens: LensModel }) {
  const id = useUniqueId();
  const current = lens.cmap.value;
  const names = new Set([...lens.cmapTables.value.keys(), current]);
  return (
    <div class="cl-labelled">
      <label for={id}>colours</label>
      <ColorBar table={lens.cmapTables.value.get(current)} />
      <select
        id={id}
        class="cl-select"
        value={current}
        onChange={(event) => lens.setCmap(event.currentTarget.value)}
      >
        {[...names].map((name) => (
          <option key={name} value={name} selected={name === current}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

function Zoom({ lens }: { lens: LensModel }) {
  const zoomed = useComputed(() => lens.viewport.value.zoom);
  const by = (factor: number) => {
    const picture = lens.picture.peek();
    // Any box of the picture's shape will do: the middle stays where it is.
    const pane = {
      size: picture,
      box: { width: picture.cols, height: picture.rows },
      place: placeOver(picture),
    };
    const [x, y] = [picture.cols / 2, picture.rows / 2];
    lens.viewport.value = zoomAt(pane, lens.viewport.peek(), factor, zoomLimit(picture), x, y);
  };
  const most = zoomLimit(lens.picture.value);
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
