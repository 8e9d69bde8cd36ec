/** The range that the maps are drawn over, with two number fields where it is fixed. */
import { useSignal } from "@preact/signals";
import { exactNumber, parseNumber } from "../../maths/numbers.ts";
import type { RangeMode } from "../../protocol/records.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Select } from "../ui/Select.tsx";
import { useUniqueId } from "../ui/useUniqueId.ts";

const MODES: readonly (readonly [RangeMode | "fixed", string])[] = [
  ["per_map", "per map"],
  ["shared", "shared"],
  ["symmetric", "symmetric"],
  ["fixed", "fixed"],
];

export type Limits = [low: number, high: number];

/** Two typed limits as a range, or why not. */
export function readLimits(low: string, high: string): { range: Limits } | { why: string } {
  const [a, b] = [parseNumber(low), parseNumber(high)];
  if (!a.ok) return { why: a.why };
  if (!b.ok) return { why: b.why };
  if (!Number.isFinite(a.value) || !Number.isFinite(b.value))
    return { why: "Both limits must be finite numbers." };
  if (a.value >= b.value) return { why: "The lower limit must be below the upper one." };
  return { range: [a.value, b.value] };
}

export function RangeControl({ lens }: { lens: LensView }) {
  const id = useUniqueId();
  const range = lens.shared.value_range.value;
  const mode = typeof range === "string" ? range : "fixed";

  const choose = (wanted: RangeMode | "fixed") => {
    if (wanted !== "fixed") return lens.set("value_range", wanted);
    // Start from what is on screen, so that the change itself alters nothing.
    const filter = lens.filters.peek()[lens.selected.peek()] ?? lens.filters.peek()[0];
    const [low, high] = filter ? lens.displayRange(filter.uid) : [0, 1];
    lens.set("value_range", low < high ? [low, high] : [low, low + 1]);
  };

  return (
    <div class="cl-labelled">
      <label for={id} class="cl-hidden">
        range
      </label>
      <Select
        id={id}
        title="What the colours of a map span: its own values, those of all maps, as much below 0 as above, or limits of your own"
        options={MODES}
        value={mode}
        onChange={choose}
      />
      {typeof range !== "string" && <Fields key={range.join()} lens={lens} range={range} />}
    </div>
  );
}

function Fields({ lens, range }: { lens: LensView; range: Limits }) {
  const error = useUniqueId();
  const texts = useSignal<[string, string]>([exactNumber(range[0]), exactNumber(range[1])]);
  const why = useSignal<string | null>(null);

  const commit = () => {
    const read = readLimits(...texts.peek());
    why.value = "why" in read ? read.why : null;
    if ("range" in read && (read.range[0] !== range[0] || read.range[1] !== range[1]))
      lens.set("value_range", read.range);
  };
  const field = (which: 0 | 1, name: string) => (
    <input
      class="cl-input cl-number cl-limit"
      type="text"
      inputMode="decimal"
      aria-label={name}
      aria-invalid={why.value !== null}
      aria-describedby={why.value === null ? undefined : error}
      value={texts.value[which]}
      onInput={(event) => {
        const text = event.currentTarget.value;
        texts.value = which === 0 ? [text, texts.peek()[1]] : [texts.peek()[0], text];
      }}
      onChange={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        else if (event.key === "Escape") {
          texts.value = [exactNumber(range[0]), exactNumber(range[1])];
          why.value = null;
        } else return;
        event.stopPropagation();
      }}
    />
  );
  return (
    <>
      {field(0, "Lower limit of the range")}
      <span class="cl-muted">to</span>
      {field(1, "Upper limit of the range")}
      {why.value !== null && (
        <span id={error} class="cl-field-error" role="alert">
          {why.value}
        </span>
      )}
    </>
  );
}
