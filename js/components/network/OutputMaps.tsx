/** The model's output where it is a picture: one channel before and after the edits, and what they change. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatNumber } from "../../maths/numbers.ts";
import { type Grid, isLarge } from "../../paint/grid.ts";
import type { Side } from "../../paint/output.ts";
import type { Pixel } from "../../paint/viewport.ts";
import type { OutputMapsRecord } from "../../protocol/messages.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Select } from "../ui/Select.tsx";
import { percent } from "../ui/wording.ts";
import { OutputMap } from "./OutputMap.tsx";

const SIDES: Side[] = ["before", "after", "difference"];

/** How much of the output the edits change, in a sentence. */
export function changeWords({ difference, size }: OutputMapsRecord, curve = false): string {
  const { range, counts } = difference;
  const pixels = size[0] * size[1];
  const most = Math.max(Math.abs(range[0]), Math.abs(range[1]));
  if (counts.zeros === pixels) return `The edits change no ${curve ? "step" : "pixel"}.`;
  const changed = `${percent(pixels - counts.zeros, pixels)} of the ${curve ? "steps" : "pixels"}`;
  return `The edits change ${changed}, by ${formatNumber(Math.fround(most), 5)} at most.`;
}

/** Pixels of a large output that has not been on screen yet. */
const FIRST_PIXELS = 2 ** 17;

function firstGrid(rows: number, cols: number): Grid {
  const share = Math.sqrt(FIRST_PIXELS / (rows * cols));
  return { part: [0, rows, 0, cols], shape: [Math.ceil(rows * share), Math.ceil(cols * share)] };
}

interface OutputMapsProps {
  lens: LensView;
  /** Rows, columns and channels. */
  shape: readonly [number, number, number];
}

export function OutputMaps({ lens, shape: [rows, cols, channels] }: OutputMapsProps) {
  const { outputMaps, outputChannel, predictions, labels } = lens.network;
  const over = useSignal<Pixel | null>(null);
  const pinned = useSignal<[number, number] | null>(null);
  const { version } = predictions.value;
  const channel = Math.min(outputChannel.value, channels - 1);
  const size = { rows, cols, curve: lens.geometry.value.rank === 1 && rows === 1 };
  const shown = useComputed(() => {
    const last = outputMaps.shown.value;
    const [high, wide, depth] = lens.network.output.value ?? [];
    const fits =
      last?.channel === Math.min(outputChannel.value, (depth ?? 1) - 1) &&
      String(last.maps.size) === String([high, wide]);
    return fits && predictions.value.version !== 0 ? last : null;
  });
  // What is on screen of a large output, once it has been shown.
  const painted = useRef<Grid | null>(null);
  useEffect(() => {
    const grid = isLarge(size) ? (painted.current ?? firstGrid(rows, cols)) : null;
    if (version !== 0) outputMaps.want({ version, channel, grid });
  }, [version, channel]);
  const want = (grid: Grid) => {
    painted.current = grid;
    const { version } = predictions.peek();
    if (version !== 0) outputMaps.want({ version, channel, grid });
  };
  const name = (k: number) => labels.value[k] ?? `channel ${k}`;
  return (
    <>
      {channels > 1 && (
        <Select
          aria-label="Channel of the output"
          options={Array.from({ length: channels }, (_, k) => [k, name(k)])}
          value={channel}
          onChange={(chosen) => {
            outputChannel.value = chosen;
          }}
        />
      )}
      <div class="cl-outputs">
        {SIDES.map((side) => (
          <OutputMap
            key={side}
            lens={lens}
            side={side}
            size={size}
            name={name(channel)}
            shown={shown}
            over={over}
            pinned={pinned}
            want={side === "before" ? want : null}
          />
        ))}
      </div>
      <p role="status" class="cl-muted">
        {shown.value ? changeWords(shown.value.maps, size.curve) : "…"}
      </p>
    </>
  );
}
