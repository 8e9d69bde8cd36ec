/** Filters as a grid of small maps, of which only the rows on screen are in the document. */
import { effect, useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { paletteOf } from "../../paint/palette.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";
import { consume } from "../ui/consume.ts";
import { useSilence } from "../ui/useSilence.ts";
import { useUniqueId } from "../ui/useUniqueId.ts";
import { SILENT_WHY, shareWords, silentWords } from "../ui/wording.ts";
import { MapRow, STEP } from "./MapRow.tsx";

/**
 * Height of one place in the grid, and of what is above its map, in CSS pixels; rows beyond the edge that are rendered
 * ahead.
 */
const HEIGHT = 108;
const INSET = 4;
const SPARE = 2;
/** Filters that are expected beyond those. */
const AHEAD = 64;

interface FilterGridProps {
  lens: LensView;
  /** Indices of filters, in the order of the grid. */
  order: readonly number[];
  /** How they were put in order and chosen: another way begins at the top. */
  by: string;
  /** The value of a filter by which the grid is sorted. */
  noted: (index: number) => string;
  onOpen: () => void;
}

/** A listbox. */
export function FilterGrid({ lens, order, by, noted, onOpen }: FilterGridProps) {
  const id = useUniqueId();
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal({ width: 0, height: 0 });
  const top = useSignal(0);
  const table = useComputed(() => lens.cmapTables.value.get(lens.cmap.value));
  const palette = useComputed(() => paletteOf(table.value ?? new Uint8Array(768)));

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const sizes = new ResizeObserver(() => {
      size.value = { width: element.clientWidth, height: element.clientHeight };
    });
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [size]);

  const cols = Math.max(1, Math.floor(size.value.width / STEP));
  const selected = order.indexOf(lens.selected.value);

  useLayoutEffect(() => {
    if (box.current) box.current.scrollTop = 0;
  }, [by]);

  // Scroll to what Python or a key selected.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || selected < 0) return;
    const y = Math.floor(selected / cols) * HEIGHT;
    if (y < element.scrollTop) element.scrollTop = y;
    const least = y + HEIGHT - element.clientHeight;
    if (element.clientHeight > 0 && least > element.scrollTop) element.scrollTop = least;
  }, [lens.selected.value, cols]);

  const choose = (place: number) => {
    const index = order[Math.max(0, Math.min(order.length - 1, place))];
    if (index !== undefined && index !== lens.selected.peek()) lens.select(index);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(size.peek().height / HEIGHT)) * cols;
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: cols,
      ArrowUp: -cols,
      PageDown: page,
      PageUp: -page,
      Home: -order.length,
      End: order.length,
    };
    const step = steps[event.key];
    if (step) choose(selected + step);
    else if (event.key === "Enter" || event.key === " ") onOpen();
    else return;
    consume(event);
  };

  // Elements that scroll out at one end are reused at the other.
  const ring = (Math.ceil(size.value.height / HEIGHT) + 1 + 2 * SPARE) * cols;
  const from = Math.max(0, top.value - SPARE) * cols;
  const shown = order.slice(from, from + ring);
  const filters = lens.filters.value;

  const before = useRef(0);
  useLayoutEffect(() => {
    const up = from < before.current;
    before.current = from;
    const next = up
      ? order.slice(Math.max(0, from - AHEAD), from).reverse()
      : order.slice(from + ring, from + ring + AHEAD);
    lens.network.expect(next.flatMap((index) => filters[index]?.uid ?? []));
    return () => lens.network.expect([]);
  }, [from, ring, order, filters]);

  return (
    <div
      ref={box}
      class="cl-grid"
      style={{ maxHeight: `${Math.ceil(order.length / cols) * HEIGHT + 2}px` }}
      role="listbox"
      tabIndex={0}
      aria-label="Filters"
      aria-activedescendant={shown.includes(lens.selected.value) ? `${id}-${lens.selected.value}` : undefined}
      onKeyDown={onKeyDown}
      onScroll={({ currentTarget }) => {
        top.value = Math.floor(currentTarget.scrollTop / HEIGHT);
      }}
    >
      <div role="presentation" style={{ height: `${Math.ceil(order.length / cols) * HEIGHT}px` }}>
        {shown.map((index, i) => {
          const filter = filters[index];
          const place = from + i;
          return (
            filter && (
              <Place
                key={place % ring}
                id={`${id}-${index}`}
                lens={lens}
                filter={filter}
                label={lens.names.value[index] ?? `Filter ${index + 1}`}
                index={index}
                note={noted(index)}
                x={(place % cols) * STEP}
                y={Math.floor(place / cols) * HEIGHT}
                place={place}
                places={order.length}
                selected={index === lens.selected.value}
                onChoose={() => choose(place)}
                onOpen={onOpen}
              />
            )
          );
        })}
        {Array.from({ length: Math.ceil(shown.length / cols) }, (_, i) => {
          const row = from / cols + i;
          return (
            <MapRow
              key={`row ${row % (ring / cols)}`}
              lens={lens}
              filters={shown.slice(i * cols, (i + 1) * cols).flatMap((index) => filters[index] ?? [])}
              palette={palette.value}
              y={row * HEIGHT + INSET}
            />
          );
        })}
      </div>
    </div>
  );
}

interface PlaceProps {
  id: string;
  lens: LensView;
  filter: FilterView;
  label: string;
  index: number;
  note: string;
  x: number;
  y: number;
  place: number;
  places: number;
  selected: boolean;
  onChoose: () => void;
  onOpen: () => void;
}

/** What lies beneath a row of maps: which filter is where, and where its map comes from. */
function Place(props: PlaceProps) {
  const { id, lens, filter, label, index, note, x, y, place, places, selected } = props;
  const thumb = useRef<HTMLSpanElement>(null);
  const dead = filter.dead.value;
  const share = useSilence(lens, filter);
  const silent = share === null ? "" : silentWords(share);
  useLayoutEffect(
    () =>
      effect(() => {
        if (thumb.current) thumb.current.dataset.provenance = filter.map.value.provenance;
      }),
    [filter],
  );
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the listbox around it takes the keys.
    <div
      id={id}
      class="cl-place"
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      aria-setsize={places}
      aria-posinset={place + 1}
      // What is seen, in its order, then the name where the number has taken its place.
      aria-label={`${index}: ${dead ? "dead, " : ""}${silent && (note ? "nearly silent, " : `${silent}, `)}${note && `${note}, `}${label}`}
      title={label}
      style={{ transform: `translate(${x}px, ${y}px)` }}
      onClick={props.onChoose}
      onDblClick={props.onOpen}
    >
      <span ref={thumb} class="cl-thumb" />
      <span data-silent={silent || undefined}>
        <b class="cl-number">{index}</b> {dead && <mark title="0 everywhere on this input">dead</mark>}{" "}
        {silent && <mark title={`${silent}. ${SILENT_WHY}`}>nearly silent</mark>}{" "}
        {note || share !== null ? <span class="cl-number">{note || shareWords(share ?? 0)}</span> : label}
      </span>
    </div>
  );
}
