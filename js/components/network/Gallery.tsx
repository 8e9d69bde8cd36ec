/** Many filters: small maps of those that are on screen, sorted and searched, and one of them in full. */
import { effect, useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { formatNumber } from "../../lens/numbers.ts";
import { paletteOf } from "../../lens/palette.ts";
import type { FilterView, LensModel, Stats } from "../../model/lens.ts";
import { consume } from "../consume.ts";
import { FilterCard } from "../filter/FilterCard.tsx";
import { useUniqueId } from "../useUniqueId.ts";
import { percent } from "../wording.ts";
import { MapRow, STEP } from "./MapRow.tsx";

/** As many filters have a card each. */
export const MOST_CARDS = 16;

/** Height of one place in the grid, and what is above its map, in CSS pixels; rows beyond the rim that are there already. */
const HEIGHT = 108;
const INSET = 4;
const SPARE = 2;
/** Filters that are expected beyond those. */
const AHEAD = 64;
/** The numbers beside the maps are asked for again when no edit came for so long. */
const SETTLE_MS = 300;

const SORTS = {
  index: "index",
  energy: "energy of the map",
  dead: "share of zeros",
  norm: "norm of the kernel",
} as const;
type Sort = keyof typeof SORTS;

/** Indices of the filters that a search finds: a number is an index, anything else part of a name. */
export function matching(names: readonly string[], query: string): number[] {
  const text = query.trim().toLowerCase();
  const all = [...names.keys()];
  if (text === "") return all;
  if (/^\d+$/.test(text)) return all.filter((i) => String(i).startsWith(text));
  return all.filter((i) => names[i]?.toLowerCase().includes(text));
}

/** The greatest first; NaN last, and equals in their own order. */
export function sorted(indices: readonly number[], values: Float32Array): number[] {
  const key = (i: number) => (Number.isNaN(values[i]) ? -Infinity : (values[i] as number));
  return [...indices].sort((a, b) => key(b) - key(a) || a - b);
}

export function Gallery({ lens, children }: { lens: LensModel; children: ComponentChildren }) {
  const card = useRef<HTMLElement>(null);
  const index = Math.min(lens.selected.value, lens.filters.value.length - 1);
  const filter = lens.filters.value[index];
  return (
    <div class="cl-gallery">
      <Overview lens={lens} onOpen={() => card.current?.focus()} />
      <section ref={card} class="cl-opened" aria-label="Chosen filter" tabIndex={-1}>
        {filter && <FilterCard key={filter.uid} lens={lens} filter={filter} index={index} />}
        {children}
      </section>
    </div>
  );
}

function Overview({ lens, onOpen }: { lens: LensModel; onOpen: () => void }) {
  const id = useUniqueId();
  const query = useSignal("");
  const sort = useSignal<Sort>("index");
  const stats = useSignal<Stats | null>(null);
  /** What the order was made of: an edit changes a number, and nothing jumps away under the pointer. */
  const ranked = useSignal<Stats | null>(null);
  const why = useSignal("");
  const filters = lens.filters.value;

  const rank = async (by: Sort) => {
    sort.value = by;
    why.value = "";
    if (by === "index") return;
    try {
      ranked.value = stats.value = await lens.network.stats();
    } catch (error) {
      sort.value = "index";
      why.value = error instanceof Error ? error.message : String(error);
    }
  };

  // Another layer has other numbers.
  useEffect(() => {
    if (sort.peek() !== "index") void rank(sort.peek());
    ranked.value = stats.value = null;
  }, [filters]);

  const { undo, redo } = lens.history.value;
  useEffect(() => {
    if (!stats.peek()) return;
    const timer = setTimeout(async () => {
      stats.value = await lens.network.stats().catch(() => null);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [undo, redo]);

  const order = useComputed(() => {
    const found = matching(lens.names.value, query.value);
    const values = sort.value !== "index" && ranked.value?.[sort.value];
    return values ? sorted(found, values) : found;
  });
  const noted = (i: number) => {
    if (sort.value === "index" || !stats.value) return "";
    const value = stats.value[sort.value][i] ?? Number.NaN;
    return sort.value === "dead" ? percent(value, 1) : formatNumber(value, 5);
  };

  return (
    <section class="cl-overview" aria-label="All filters">
      <div class="cl-overviewhead">
        <input
          type="search"
          class="cl-input"
          placeholder="name or index"
          aria-label="Find filters by name or index"
          value={query.value}
          onInput={({ currentTarget }) => {
            query.value = currentTarget.value;
          }}
        />
        <label for={id}>by</label>
        <select
          id={id}
          class="cl-select"
          value={sort.value}
          onChange={({ currentTarget }) => void rank(currentTarget.value as Sort)}
        >
          {Object.entries(SORTS).map(([value, text]) => (
            <option key={value} value={value} selected={value === sort.value}>
              {text}
            </option>
          ))}
        </select>
        <span class="cl-muted" role="status">
          {why.value || `${order.value.length} of ${filters.length}`}
        </span>
      </div>
      <Grid
        lens={lens}
        order={order.value}
        by={`${sort.value} ${query.value}`}
        noted={noted}
        onOpen={onOpen}
      />
    </section>
  );
}

interface GridProps {
  lens: LensModel;
  /** Indices of filters, in the order of the grid. */
  order: readonly number[];
  /** How they were put in order and chosen: another way begins at the top. */
  by: string;
  /** What the grid is sorted by, of a filter. */
  noted: (index: number) => string;
  onOpen: () => void;
}

/** A listbox of which only the rows on screen are in the document. */
function Grid({ lens, order, by, noted, onOpen }: GridProps) {
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

  // What Python or a key chose comes into sight.
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

  // What scrolls out at one end comes in at the other: as many elements, used again.
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

/** What lies beneath a row of maps: which filter stands where, and how its map came to be. */
function Place(props: PlaceProps) {
  const { id, filter, label, index, note, x, y, place, places, selected } = props;
  const thumb = useRef<HTMLSpanElement>(null);
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
      aria-label={`${index}: ${label}${note && `, ${note}`}`}
      title={label}
      style={{ transform: `translate(${x}px, ${y}px)` }}
      onClick={props.onChoose}
      onDblClick={props.onOpen}
    >
      <span ref={thumb} class="cl-thumb" />
      <span>
        <b class="cl-number">{index}</b> {note ? <span class="cl-number">{note}</span> : label}
      </span>
    </div>
  );
}
