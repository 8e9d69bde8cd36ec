/** A kernel's planes as grids, their legend, and what belongs to the selected cell. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { formatNumber, magnitude, readNumber, stepFor } from "../../maths/numbers.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { ColorBar } from "../ui/ColorBar.tsx";
import { kernelTable, toneOf, tonesOf } from "../ui/cellColors.ts";
import { useUniqueId } from "../ui/useUniqueId.ts";
import { placeWords } from "../ui/wording.ts";
import { type GridProps, KernelGrid } from "./KernelGrid.tsx";
import { onGridKey } from "./kernelKeys.ts";
import { cellWheel, onCellPointerDown, placeOf } from "./kernelPointer.ts";
import type { KernelSession } from "./kernelSession.ts";
import { PlanePicker } from "./PlanePicker.tsx";
import { Stems } from "./Stems.tsx";
import { useKernelClipboard } from "./useKernelClipboard.ts";

export interface KernelEditorProps {
  /** Where the colours come from. */
  lens: LensView;
  /** What a person is doing in the kernel, and the kernel itself. */
  session: KernelSession;
  name: string;
  /** What belongs to the kernel but is not a cell: shown under its legend. */
  children: ComponentChildren;
}

/** Planes that are shown side by side; deeper kernels show one at a time. */
const SIDE_BY_SIDE = 4;

export function KernelEditor({ lens, session, name, children }: KernelEditorProps) {
  const root = useRef<HTMLDivElement>(null);
  const noteId = useUniqueId();
  const { kernel } = session;
  const values = kernel.values.value;
  const [rows, cols, channels] = kernel.size.value;
  const table = kernelTable(lens);
  const tones = useMemo(() => tonesOf(table ?? new Uint8Array(768)), [table]);
  const most = magnitude(values);
  const wheel = useMemo(() => cellWheel(session), [session]);
  const clipboard = useKernelClipboard(session);
  const selection = session.selection.value;
  const { rank } = lens.geometry.value;
  const { indexInVector } = kernel;
  const placed = (row: number, col: number) =>
    indexInVector ? `number ${indexInVector(row, col)}` : placeWords({ rank }, row, col, "column");

  useLayoutEffect(() => {
    if (!session.wantsFocus || !selection || session.open.peek()) return;
    session.wantsFocus = false;
    const { channel, row, col } = selection.head;
    root.current?.querySelector<HTMLElement>(`[data-at="${channel},${row},${col}"]`)?.focus();
  });

  // A kernel of another size has other cells.
  useLayoutEffect(() => {
    session.reset();
  }, [session, rows, cols, channels]);

  useLayoutEffect(
    () => () => {
      session.edits.release();
      session.edits.endRun();
    },
    [session],
  );

  const all = channels <= SIDE_BY_SIDE;
  const shown = all
    ? Array.from({ length: channels }, (_, k) => k)
    : [Math.min(session.channel.value, channels - 1)];
  // What previews of its edits need; requested when the filter is edited, not for every card.
  const inHand = kernel.inHand.value;
  useEffect(() => {
    if (inHand && values.length > 0) kernel.prepare(shown);
  }, [kernel, inHand, values.length > 0, shown[0], shown.length]);

  const channelOf = (plane: number) => kernel.channelName(plane);
  const firstName = channelOf(0);
  const contribution = kernel.contribution();
  // Hundreds of options, which no edit of a cell changes.
  const picker = useMemo(
    () => !all && <PlanePicker {...{ session, channels, contribution }} nameOf={channelOf} />,
    [session, firstName, channels, contribution],
  );

  if (!indexInVector && values.length !== rows * cols * channels)
    return <div class="cl-kernel cl-muted">Loading the kernel…</div>;

  return (
    <div class="cl-kernel">
      {picker}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: listens for the cells of all its grids. */}
      <div
        ref={root}
        class="cl-planes"
        data-painting={session.painting.value || undefined}
        onKeyDown={(event) => {
          if (placeOf(event.target) && !session.open.peek()) onGridKey(event, session);
        }}
        onPointerDown={(event) => onCellPointerDown(event, session)}
        onDblClick={(event) => {
          const place = placeOf(event.target);
          if (!place || session.painting.peek() || session.open.peek()) return;
          session.select(place);
          session.openCell();
        }}
        onFocusIn={(event) => {
          const place = placeOf(event.target);
          const cell = event.target as HTMLElement;
          if (!place || cell.tagName === "INPUT") return;
          clipboard.listen(cell.ownerDocument);
          cell.addEventListener("wheel", wheel, { passive: false });
          // A press has already selected, perhaps more than this cell; Tab and screen readers have not.
          if (!session.contains(place)) session.select(place);
        }}
        onFocusOut={(event) => {
          const cell = event.target as HTMLElement;
          cell.removeEventListener("wheel", wheel);
          clipboard.ignore();
          if (cell.tagName !== "INPUT" && !session.open.peek()) session.edits.endRun();
        }}
      >
        {shown.map((k) => (
          <figure class="cl-plane" key={k}>
            {channels > 1 && all && <figcaption class="cl-muted">{channelOf(k)}</figcaption>}
            <KernelGrid
              session={session}
              values={values}
              most={most}
              tones={tones}
              channel={k}
              planes={shown.length}
              label={indexInVector ? name : `Kernel of ${name}${channels > 1 ? `, ${channelOf(k)}` : ""}`}
              noteId={noteId}
              placed={placed}
            />
            {!all && rows * cols === 1 && <Channels {...{ session, values, most, tones }} shown={k} />}
            {rank === 1 && !indexInVector && (
              <Stems {...{ values, most, channels }} channel={k} planes={shown.length} />
            )}
          </figure>
        ))}
      </div>
      <div
        class="cl-klegend"
        title="Colours of these cells: 0 is in the middle, the largest number at one end"
      >
        <span>{formatNumber(-most)}</span>
        <ColorBar table={table}>
          <span class="cl-bar-zero" />
        </ColorBar>
        <span>{formatNumber(most, 6)}</span>
      </div>
      {session.touch.value && selection && !session.open.value && (
        <CellSlider session={session} most={most} placed={placed} />
      )}
      {children}
      <KernelNote session={session} id={noteId} values={values} rank={rank} />
    </div>
  );
}

/** All channels of a 1 × 1 kernel as colours: a press shows the one that it falls on. The picker has them in words. */
function Channels({
  session,
  values,
  most,
  tones,
  shown,
}: { session: KernelSession; shown: number } & Pick<GridProps, "values" | "most" | "tones">) {
  return (
    <span class="cl-channels" aria-hidden="true">
      {Array.from(values, (value, k) => (
        // biome-ignore lint/a11y: a short cut for the mouse; the picker is for all.
        <i
          key={k}
          data-on={k === shown || undefined}
          title={`${k}: ${readNumber(value)}`}
          style={{ background: tones.background[toneOf(value, most)] }}
          onClick={() => {
            session.channel.value = k;
          }}
        />
      ))}
    </span>
  );
}

/** For fingers, which hide the cell that they drag. */
function CellSlider({
  session,
  most,
  placed,
}: { session: KernelSession; most: number } & Pick<GridProps, "placed">) {
  const head = session.selection.value?.head;
  const reach = useRef(0);
  const root = useRef<HTMLDivElement>(null);
  // In sight together with the cell that was tapped, also at the lower edge of the screen.
  useLayoutEffect(() => root.current?.scrollIntoView({ block: "nearest" }), [session.selection.value]);
  const step = stepFor(most) / 10;
  // The ends of the scale stay while the thumb is held, or the value would grow without bound.
  if (!session.edits.grabbed) reach.current = 2 * (most || 1);
  if (!head) return null;
  const value = session.edits.value(session.index(head));
  return (
    <div ref={root} class="cl-kslider">
      <input
        type="range"
        min={-reach.current}
        max={reach.current}
        step={step}
        value={Number.isFinite(value) ? value : 0}
        aria-label={`Value of ${placed(head.row, head.col)}`}
        onInput={(event) => {
          if (!session.edits.grabbed) session.edits.grab();
          session.edits.slide(Number(event.currentTarget.value));
        }}
        onChange={() => session.edits.release()}
      />
      <Button onClick={() => session.openCell()}>Type</Button>
    </div>
  );
}

/** One line under the kernel: what went wrong, what was done, or the exact number of the selected cell with its index in Python. */
function KernelNote({
  session,
  id,
  values,
  rank,
}: {
  session: KernelSession;
  id: string;
  values: Float32Array;
  rank: 1 | 2;
}) {
  const note = session.note.value;
  const range = session.range();
  const head = session.selection.value?.head;
  let readout = "";
  if (range && head && range.rows * range.cols > 1) readout = `${range.rows} × ${range.cols} cells`;
  else if (head) {
    const { row, col } = head;
    const last = session.size[2] > 1 ? `, ${head.channel}` : "";
    const place = session.kernel.indexInVector?.(row, col) ?? `${rank === 1 ? "" : `${row}, `}${col}${last}`;
    readout = `[${place}] = ${readNumber(values[session.index(head)] ?? 0)}`;
  }
  return (
    <div class="cl-knote">
      {note?.alert && (
        <p role="alert" id={id} class="cl-kalert">
          {note.text}
        </p>
      )}
      <p role="status">{note && !note.alert ? note.text : ""}</p>
      {!note && (
        <p class="cl-number cl-muted" aria-hidden="true">
          {readout}
        </p>
      )}
    </div>
  );
}
