/** What newcomers ask, and which keys and gestures do what, in a small panel. */
import type { LensView } from "../../state/lens-view.ts";
import { Icon } from "../ui/icons.tsx";
import { byFinger } from "../ui/wording.ts";
import { Panel } from "./Panel.tsx";
import { Questions } from "./Questions.tsx";

/** By mouse and keys; by touch, where it is there. */
type Row = readonly [keys: string, what: string, touch?: string];

const PICTURES: readonly Row[] = [
  ["click, Space", "pin or unpin a pixel", "tap"],
  ["double-click, Enter", "show the filter of a map large, and back", "double tap"],
  ["Page Up, Page Down", "previous or next filter, while one is large"],
  ["F", "full screen, while one is large"],
  ["arrows", "move the pinned pixel; pan where none is pinned"],
  ["Shift + arrows, drag", "pan", "drag when zoomed in"],
  ["+  −  0", "zoom in, out, whole picture"],
  ["wheel on a pressed picture, pinch", "zoom", "two fingers"],
  ["Escape", "unpin the pixel; back to all filters"],
];

const CELLS: readonly Row[] = [
  ["drag up or down", "change a cell", "tap, then drag it or the slider"],
  ["type, Enter, double-click", "write a number: 0.5, 1/9, 2e-3", "tap, then Type"],
  ["arrows, Shift + arrows", "move, select a range"],
  ["+  −  Delete", "step up, step down, set to 0"],
  ["Ctrl + C, Ctrl + V", "copy, paste as a table"],
  ["Ctrl + Z, Ctrl + Y", "undo, redo"],
];

export function Help({ lens }: { lens: LensView }) {
  return (
    <Panel name="Questions, keys and gestures" class="cl-help" face={<Icon name="help" />}>
      {(close) => (
        <>
          <strong>Questions</strong>
          <Questions lens={lens} close={close} />
          <Keys title="Image and maps" rows={PICTURES} />
          <Keys title="Kernel cells" rows={CELLS} />
        </>
      )}
    </Panel>
  );
}

function Keys({ title, rows }: { title: string; rows: readonly Row[] }) {
  const finger = byFinger();
  return (
    <>
      <strong>{title}</strong>
      <dl>
        {rows.map(
          ([keys, what, touch]) =>
            (touch || !finger) && (
              <div key={keys}>
                <dt>{finger ? touch : keys}</dt>
                <dd>{what}</dd>
              </div>
            ),
        )}
      </dl>
    </>
  );
}
