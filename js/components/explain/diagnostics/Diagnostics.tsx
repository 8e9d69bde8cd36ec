/** What the selected kernel does, in numbers that Python computes. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { formatNumber } from "../../../maths/numbers.ts";
import { packTable } from "../../../paint/colors.ts";
import { GRAY } from "../../../paint/palette.ts";
import type { Num } from "../../../protocol/bytes.ts";
import { bytesOf } from "../../../protocol/bytes.ts";
import type { DiagnosticsRecord, PlaneDiagnosticsRecord } from "../../../protocol/messages.ts";
import { messageOf } from "../../../queries/ask.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { channelName } from "../../ui/channelName.ts";
import { Select } from "../../ui/Select.tsx";
import { type Chosen, selectedFilter } from "../../ui/selectedFilter.ts";
import { Word } from "../../ui/Word.tsx";
import { percent } from "../../ui/wording.ts";

/** Python is asked once the kernel has not changed for this long, in milliseconds. */
const REST_MS = 200;

export function Kernel({ lens }: { lens: LensView }) {
  const chosen = selectedFilter(lens);
  return chosen && <Numbers lens={lens} {...chosen} />;
}

function Numbers({ lens, filter, name }: Chosen & { lens: LensView }) {
  const answer = useSignal<DiagnosticsRecord | null>(null);
  const why = useSignal<string | null>(null);
  const channel = useSignal(0);
  const { kernel_channels: depth } = lens.geometry.value;
  const plane = Math.min(channel.value, depth - 1);
  const kernel = filter.kernel.value;
  const offline = lens.link.value === "offline";
  const { uid } = filter;

  useEffect(() => {
    let gone = false;
    const ask = async () => {
      try {
        const said = await lens.diagnose(uid, plane);
        if (!gone) [answer.value, why.value] = [said, null];
      } catch (error) {
        if (!gone) [answer.value, why.value] = [null, messageOf(error)];
      }
    };
    // At once for another filter or plane, after a rest for one that is being edited.
    const known = answer.peek();
    const timer = setTimeout(ask, known?.uid === uid && known.plane.channel === plane ? REST_MS : 0);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [lens, uid, plane, kernel, offline]);

  const record = answer.value?.uid === uid ? answer.value : null;
  return (
    <>
      <div class="cl-explainhead">
        <strong>{name} in numbers</strong>
        {depth > 1 && (
          <Select
            aria-label="Channel to look at"
            options={Array.from({ length: depth }, (_, i) => [i, channelName(lens, filter.firstChannel + i)])}
            value={plane}
            onChange={(chosen) => {
              channel.value = chosen;
            }}
          />
        )}
      </div>
      {why.value && <p>{why.value}</p>}
      {!why.value && !record && <p class="cl-muted">Waiting for Python.</p>}
      {record && <Facts lens={lens} record={record} />}
    </>
  );
}

const WHY = {
  sum: "All numbers of the kernel added up, its gain at zero frequency. With 0 even areas become 0 and edges stay; with 1 even areas keep their brightness.",
  norm: "The square root of the sum of the squares of its numbers.",
  symmetry: "Where a turned kernel is the same, cross-correlation and convolution with it are the same too.",
  rank: "How many kernels that are one column times one row add up to this one.",
  separable:
    "Whether it is one column times one row, which is quicker to compute; else the share of the sum of its squared numbers, its squared norm, that no such product reaches.",
  factors: "This column times this row is the kernel.",
  response:
    "The magnitude of the frequency response |H|: zero frequency is in the middle, half a cycle a pixel at the rim.",
};

const number = (value: Num) => formatNumber(Math.fround(Number(value)), 9);

function Facts({ lens, record }: { lens: LensView; record: DiagnosticsRecord }) {
  const { plane, ranks } = record;
  const many = ranks.length > 1;
  const symmetries = [
    record.symmetry === "symmetric" && "turned by 180° it is the same",
    record.symmetry === "antisymmetric" && "turned by 180° it has the opposite sign",
    record.symmetry === "neither" && "turned by 180° it is a different kernel",
    record.left_right && "left and right alike",
    record.up_down && "top and bottom alike",
  ].filter(Boolean);
  const facts: [name: string, text: string, why: string][] = [
    ["sum", `${number(record.sum)}: what an even area of 1 becomes`, WHY.sum],
    ["norm", `${number(record.norm)}: how large its numbers are together`, WHY.norm],
  ];
  if (symmetries.length > 0) facts.push(["symmetry", symmetries.join("; "), WHY.symmetry]);
  if (ranks.some((rank) => rank !== null)) {
    const each = ranks.map((rank) => rank ?? "?").join(", ") + (many ? " (by channel)" : "");
    facts.push(["rank", each, WHY.rank]);
  }
  if (plane.separable !== null) {
    facts.push([
      "separable",
      plane.separable
        ? "yes: one column times one row"
        : `no: the best column times row misses ${percent(plane.remaining ?? 0, 1)} of it`,
      WHY.separable,
    ]);
  }
  if (plane.vertical && plane.horizontal) {
    const list = (values: number[]) => values.map((value) => number(value)).join(", ");
    facts.push(["column", list(plane.vertical), WHY.factors], ["row", list(plane.horizontal), WHY.factors]);
  }
  return (
    <div class="cl-diagnostics">
      <dl class="cl-numbers">
        {facts.map(([name, text, why]) => (
          <div key={name}>
            <dt>
              <Word why={why}>{name}</Word>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {plane.response && <Response lens={lens} response={plane.response} />}
      {record.note && <p class="cl-wide">{record.note}</p>}
    </div>
  );
}

function Response({
  lens,
  response,
}: {
  lens: LensView;
  response: NonNullable<PlaneDiagnosticsRecord["response"]>;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const table = lens.cmapTables.value.get(lens.cmap.value) ?? GRAY;
  const [rows, cols] = response.shape;
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const colors = packTable(table);
    const image = context.createImageData(cols, rows);
    const pixels = new Uint32Array(image.data.buffer);
    pixels.set(Uint32Array.from(bytesOf(response.levels), (level) => colors[level] ?? 0));
    context.putImageData(image, 0, 0);
  }, [response, table]);
  return (
    <figure class="cl-response">
      <canvas
        ref={canvas}
        width={cols}
        height={rows}
        role="img"
        aria-label="How strongly stripes pass, by their width and direction: even areas in the middle, the finest stripes at the rim"
      />
      <figcaption>
        <Word why={WHY.response}>How strongly stripes pass</Word>, 0 to{" "}
        <span class="cl-number">{formatNumber(Math.fround(response.max))}</span>
        <br />
        <span class="cl-muted">even areas in the middle, the finest stripes at the rim</span>
      </figcaption>
    </figure>
  );
}
