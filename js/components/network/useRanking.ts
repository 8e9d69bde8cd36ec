/** The order of many filters: as they are, as they are searched, or by what Python, or the page itself, computed of each. */
import { type ReadonlySignal, type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { formatNumber } from "../../maths/numbers.ts";
import { messageOf, type Stats } from "../../queries/ask.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";
import { percent } from "../ui/wording.ts";

/** The numbers beside the maps are requested again when no edit has come for this long. */
const SETTLE_MS = 300;
/** Filters that are ablated for one answer: between two, edits are carried out, and it can be stopped. */
const AT_A_TIME = 7;

export const SORTS = {
  index: "index",
  energy: "energy of the map",
  dead: "share of zeros",
  norm: "norm of the kernel",
  pixel: "at the pinned pixel",
  loss: "loss without it",
} as const;
export type Sort = keyof typeof SORTS;

/** What is beyond a browser without Python: its maps are in 8 bits, and it has no model. */
export const ONLY_PYTHON: readonly Sort[] = ["energy", "loss"];

/** What a browser without Python can say of the filters; NaN where it does not know. */
function statsHere(lens: LensView): Stats {
  const [row, col] = lens.pixel.peek() ?? [-1, -1];
  const of = (number: (filter: FilterView) => number) => Float32Array.from(lens.filters.peek(), number);
  return {
    energy: new Float32Array(),
    dead: of(({ map }) => {
      const { provenance, sampled, counts, rows, cols } = map.peek();
      return provenance === "waiting" || sampled ? Number.NaN : counts.zeros / (rows * cols);
    }),
    norm: of(({ kernel }) => Math.sqrt(kernel.peek().reduce((sum, k) => sum + k * k, 0))),
    pixel: of(({ uid }) => lens.valueAt(uid, row, col)?.activation ?? Number.NaN),
  };
}

export const SORTS_WHY: Record<Sort, string> = {
  index: "The filters in the order of the layer's list.",
  energy: "Energy is the mean of the squares of a map's values; the filter that responds most comes first.",
  dead: "The share of a map's values that are exactly 0, the greatest first.",
  norm: "The root of the sum of the squares of a kernel's numbers, the greatest first.",
  pixel: "The map's value at the pinned pixel, the greatest first.",
  loss: "How far the score of the first class falls without the filter, the greatest fall first.",
};

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

export interface Ranking {
  query: Signal<string>;
  sort: ReadonlySignal<Sort>;
  /** Indices of the filters that were searched, in their order. */
  order: ReadonlySignal<number[]>;
  /** Whether each filter was ablated, or the first of them. */
  ablated: ReadonlySignal<boolean>;
  /** Whether they are being ablated. */
  running: ReadonlySignal<boolean>;
  /** Whether an edit changed the numbers that the order was made of. */
  outdated(): boolean;
  rank(by: Sort): Promise<void>;
  ablateEach(): Promise<void>;
  stop(): void;
  /** What a filter is ranked by. */
  noted(index: number): string;
  /** How many filters there are, how many of them are dead or nearly silent, in which order, or why not. */
  words(): string;
}

export function useRanking(lens: LensView): Ranking {
  const query = useSignal("");
  const sort = useSignal<Sort>("index");
  const stats = useSignal<Stats | null>(null);
  /** The numbers that the order was made of: it stays when an edit changes one, so that nothing moves under the pointer. */
  const ranked = useSignal<Stats | null>(null);
  const why = useSignal("");
  /** What the score of a class loses without each filter; NaN where that is not known yet. */
  const losses = useSignal<{ values: Float32Array; target: number; known: number } | null>(null);
  /** Whether an edit came since. */
  const late = useSignal(false);
  const running = useSignal(false);
  const filters = lens.filters.value;
  const ask = async () => (lens.link.peek() === "offline" ? statsHere(lens) : lens.network.stats());

  /** Ablate each filter in turn, some at a time, until it is done or stopped. */
  const ablateEach = async () => {
    running.value = true;
    late.value = false;
    why.value = "";
    const values = new Float32Array(filters.length).fill(Number.NaN);
    try {
      for (let known = 0; known < values.length && running.peek(); ) {
        const some = await lens.network.losses(known, AT_A_TIME);
        values.set(some.values, known);
        known += some.values.length;
        losses.value = { values: values.slice(), target: some.target, known };
        sort.value = "loss";
      }
    } catch (error) {
      why.value = messageOf(error);
    }
    running.value = false;
  };

  const rank = async (by: Sort) => {
    sort.value = by;
    why.value = "";
    if (by === "index" || by === "loss") return;
    if (by === "pixel" && !lens.pixel.peek()) {
      sort.value = "index";
      why.value = "Pin a pixel first: press one in a map.";
      return;
    }
    try {
      ranked.value = stats.value = await ask();
    } catch (error) {
      sort.value = "index";
      why.value = messageOf(error);
    }
  };

  // Another layer has other numbers.
  useEffect(() => {
    if (sort.peek() === "loss") sort.value = "index";
    if (sort.peek() !== "index") void rank(sort.peek());
    ranked.value = stats.value = losses.value = null;
    running.value = false;
  }, [filters]);

  const { undo, redo } = lens.history.value;
  const pinned = sort.value === "pixel" ? String(lens.pixel.value) : "";
  useEffect(() => {
    late.value = true;
    if (!stats.peek()) return;
    const timer = setTimeout(async () => {
      stats.value = await ask().catch(() => null);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [undo, redo, pinned]);

  const order = useComputed(() => {
    const found = matching(lens.names.value, query.value);
    const by = sort.value;
    const values = by === "loss" ? losses.value?.values : by !== "index" && ranked.value?.[by];
    return values && values.length > 0 ? sorted(found, values) : found;
  });
  const noted = (i: number) => {
    if (sort.value === "loss") {
      const lost = losses.value?.values[i] ?? Number.NaN;
      return Number.isNaN(lost) ? "" : formatNumber(lost, 5);
    }
    if (sort.value === "index" || !stats.value) return "";
    const value = stats.value[sort.value][i];
    if (value === undefined) return "";
    return sort.value === "dead" ? percent(value, 1) : formatNumber(value, 5);
  };

  const lossWords = () => {
    if (sort.value !== "loss" || !losses.value) return "";
    const { known, target } = losses.value;
    const name = lens.network.labels.value[target] ?? `class ${target}`;
    return known < filters.length
      ? `, ${known} ablated`
      : `, by how far the score of ${name} ${late.value ? "fell before an edit" : "falls"}`;
  };

  /** Of those whose maps are here. */
  const deadWords = () => {
    const dead = filters.filter((one) => one.dead.value).length;
    const few = filters.some(({ map }) => map.peek().provenance === "waiting") ? "at least " : "";
    return dead > 0 ? `, ${few}${dead} dead` : "";
  };

  const silent = useComputed(() => lens.filters.value.filter(({ uid }) => lens.silence(uid) !== null).length);
  const silentWords = () => (silent.value > 0 ? `, ${silent.value} nearly silent` : "");

  return {
    query,
    sort,
    order,
    ablated: useComputed(() => losses.value !== null),
    running,
    outdated: () => ranked.value !== stats.value && sort.value !== "index" && sort.value !== "loss",
    rank,
    ablateEach,
    stop: () => {
      running.value = false;
    },
    noted,
    words: () =>
      why.value || `${order.value.length} of ${filters.length}${deadWords()}${silentWords()}${lossWords()}`,
  };
}
