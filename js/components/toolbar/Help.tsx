/** What newcomers ask, and which keys and gestures do what, in a small panel. */
import type { LensView } from "../../state/lens-view.ts";
import { Icon } from "../ui/icons.tsx";
import { Panel } from "./Panel.tsx";
import { Questions } from "./Questions.tsx";

const PICTURES: readonly [keys: string, what: string][] = [
  ["click, Space", "pin or unpin a pixel"],
  ["double-click, Enter", "show the filter of a map large, and back"],
  ["Page Up, Page Down", "previous or next filter, while one is large"],
  ["arrows", "move the pinned pixel; pan where none is pinned"],
  ["Shift + arrows, drag", "pan"],
  ["+  −  0", "zoom in, out, whole picture"],
  ["wheel, pinch", "zoom (the wheel once the picture has the focus)"],
  ["Escape", "unpin the pixel; back to all filters"],
];

const CELLS: readonly [keys: string, what: string][] = [
  ["drag up or down", "change a cell"],
  ["type, Enter, double-click", "write a number: 0.5, 1/9, 2e-3"],
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

function Keys({ title, rows }: { title: string; rows: readonly (readonly [string, string])[] }) {
  return (
    <>
      <strong>{title}</strong>
      <dl>
        {rows.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
