/** Why the pinned pixel has its value: patch × kernel tap by tap, their sum, the bias and the activation function. */

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { type Explanation, explain, largestFirst } from "../../../maths/explanation.ts";
import { kindOf } from "../../../maths/kinds.ts";
import type { Geometry } from "../../../protocol/records.ts";
import type { FilterView, LensView } from "../../../state/lens-view.ts";
import { fieldSentence } from "../../picture/pinnedField.ts";
import type { Tap } from "../../ui/Heat.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { selectedFilter } from "../../ui/selectedFilter.ts";
import { byFinger, placeWords, span, spanWords } from "../../ui/wording.ts";
import { Answers } from "./Answers.tsx";
import { Contributions } from "./Contributions.tsx";
import { Flip, WAYS } from "./Flip.tsx";
import { LayerInput } from "./LayerInput.tsx";
import { PixelSum } from "./PixelSum.tsx";
import { Planes } from "./Planes.tsx";
import { Slide } from "./Slide.tsx";

export function PixelPanel({ lens }: { lens: LensView }) {
  const chosen = selectedFilter(lens);
  const pixel = lens.pixel.value;
  const ranked = lens.geometry.value;
  const { output_shape } = ranked;
  const thing = ranked.rank === 1 ? "step" : "pixel";
  if (!chosen) return null;
  const { filter, index, name } = chosen;
  return (
    <>
      <div class="cl-explainhead">
        <strong>
          {pixel ? `${name}, ${placeWords(ranked, ...pixel)}` : `Why does a ${thing} have its value?`}
        </strong>
        <Slide lens={lens} />
      </div>
      {!pixel && (
        <p>
          {byFinger() ? "Tap" : "Click"} a {thing} of a map{!byFinger() && ", or press Space on a map,"} to
          see the input values and the weights from which it is computed.
        </p>
      )}
      {pixel && pixel[0] < output_shape[0] && pixel[1] < output_shape[1] && (
        <Taken lens={lens} filter={filter} index={index} row={pixel[0]} col={pixel[1]} />
      )}
    </>
  );
}

interface TakenProps {
  lens: LensView;
  filter: FilterView;
  index: number;
  row: number;
  col: number;
}

function Taken({ lens, filter, index, row, col }: TakenProps) {
  const over = useSignal<Tap | null>(null);
  const way = useSignal<keyof typeof WAYS>("correlation");
  // A signal, so that pointing at a tap does not render the numbers again.
  const patch = useComputed(() => {
    const pixel = lens.pixel.value;
    return pixel && lens.patchAt(filter.uid, pixel[0], pixel[1]);
  });
  const read = patch.value;
  const kernel = filter.kernel.value;
  const bias = filter.bias.value;
  const fits = read !== null && !(read instanceof Error) && read.values.length === kernel.length;
  const e = useMemo(() => (fits ? explain(read, kernel, bias) : null), [fits, read, kernel, bias]);
  // The channels keep their places while the kernel is edited.
  const order = useMemo(() => largestFirst(e?.sums ?? []), [read, filter, fits]);
  const channel = useSignal<number | null>(null);
  const geometry = lens.geometry.value;
  const inside = lens.imageIsInput.value;

  // The tap that is pointed at is marked in the input image, too.
  useSignalEffect(() => {
    const tap = over.value;
    const at = patch.peek();
    if (!lens.imageIsInput.peek() || !at || at instanceof Error) return;
    const [y, x] = tap ? [at.rows[tap[0]] ?? -1, at.cols[tap[1]] ?? -1] : [-1, -1];
    const known = y >= 0 && x >= 0 && y < geometry.input_shape[0] && x < geometry.input_shape[1];
    lens.hoverInput.value = known ? { row: y, col: x } : null;
  });
  useEffect(
    () => () => {
      lens.hoverInput.value = null;
    },
    [lens],
  );

  if (!geometry.explainable) return <p>{geometry.note}</p>;
  if (read instanceof Error) {
    return (
      <p>
        Only Python knows what this layer is fed:{" "}
        <code>{`lens.explain(${[index, ...(geometry.rank === 1 ? [] : [row]), col].join(", ")})`}</code>.{" "}
        <span class="cl-muted">{read.message}</span>
      </p>
    );
  }
  if (!e) return <p class="cl-muted">Asking Python what the layer is fed here…</p>;
  const transposed = kindOf(geometry).spreads;
  const turned = way.value === "convolution" && !transposed;
  const first = filter.firstChannel;
  return (
    <div class="cl-taken">
      <div>
        <Planes
          lens={lens}
          filter={filter}
          explanation={e}
          order={order}
          over={over}
          turned={turned}
          {...(!inside && {
            looked: channel.value ?? first + (order[0] ?? 0),
            onLook: (k: number) => {
              channel.value = k;
            },
          })}
        />
        <PixelSum lens={lens} filter={filter} explanation={e} row={row} col={col} />
      </div>
      <div>
        {!inside && (
          <LayerInput
            lens={lens}
            channel={channel.value ?? first + (order[0] ?? 0)}
            explanation={e}
            over={over}
          />
        )}
        <p>
          {transposed ? spreadWords(e, geometry) : patchWords(e, geometry)}
          {e.field && ` ${fieldSentence(e.field, lens.picture.value)}`}
          {kindOf(geometry).editedByParts &&
            " The kernel is the filter's depthwise and pointwise kernels multiplied, which give the same sum."}
        </p>
        {transposed ? (
          <p class="cl-flip">
            A transposed convolution spreads: every input pixel adds the kernel, times its own value, to the
            map, {geometry.strides.slice(2 - geometry.rank).join(" × ")} apart. Seen from one pixel of the
            map, each tap of the kernel meets the input pixel that spreads to here through it.
          </p>
        ) : (
          <>
            <Segments label="The kernel is drawn for" options={WAYS} value={way} />
            <Flip explanation={e} kernel={kernel} bias={bias} turned={turned} rank={geometry.rank} />
          </>
        )}
        <Contributions lens={lens} filter={filter} explanation={e} />
        <Answers lens={lens} row={row} col={col} />
      </div>
    </div>
  );
}

function patchWords(e: Explanation, { rank, dilation_rate: [down, right] }: Geometry): string {
  const along = (name: string, indices: number[], step: number) =>
    `${name} ${span(indices[0] ?? 0, indices.at(-1) ?? 0)}${step > 1 ? ` by ${step}` : ""}`;
  const padded = e.inside.filter((reads) => !reads).length;
  const more = padded > 0 ? `; ${padded} of its ${e.inside.length} cells lie in the padding.` : ".";
  const where =
    rank === 1
      ? along("steps", e.cols, right)
      : `${along("rows", e.rows, down)}, ${along("cols", e.cols, right)}`;
  return `The patch is ${where} of the input${more}`;
}

function spreadWords({ inside, rows, cols }: Explanation, ranked: Geometry): string {
  const reads = inside.filter(Boolean).length;
  const ends = (indices: number[], at: (cell: number) => number) => {
    const read = indices.filter((_, i) => inside[at(i)]);
    return [Math.min(...read), Math.max(...read)] as const;
  };
  const first = inside.indexOf(true);
  if (first < 0)
    return "No input pixel spreads to here: all taps fall between the strides or beside the input.";
  const [row, col] = [Math.floor(first / cols.length), first % cols.length];
  const from = spanWords(
    ranked,
    ends(rows, (i) => i * cols.length + col),
    ends(cols, (i) => row * cols.length + i),
  );
  const none = inside.length - reads;
  return `Input ${ranked.rank === 1 ? "values" : "pixels"} of ${from} spread to here${none > 0 ? `; ${none} of the ${inside.length} taps fall between the strides or beside the input.` : "."}`;
}
