/** What the selected kernel does, in numbers that Python computes. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { formatNumber } from "../../../maths/numbers.ts";
import { packTable } from "../../../paint/colors.ts";
import { GRAY } from "../../../paint/palette.ts";
import type { Num } from "../../../protocol/bytes.ts";
import { bytesOf } from "../../../protocol/bytes.ts";
import type { DiagnosticsRecord, PlaneDiagnosticsRecord } from "../../../protocol/messages.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { channelName } from "../../ui/channelName.ts";
import { type Chosen, selectedFilter } from "../../ui/selectedFilter.ts";
import { percent } from "../../ui/wording.ts";

/** Python is asked when the kernel has not changed for this long, in milliseconds. */
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
        if (!gone) [answer.value, why.value] = [null, error instanceof Error ? error.message : String(error)];
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
          <select
            class="cl-select"
            aria-label="Channel to look at"
            value={plane}
            onChange={({ currentTarget }) => {
              channel.value = Number(currentTarget.value);
            }}
          >
            {Array.from({ length: depth }, (_, i) => (
              <option key={i} value={i} selected={i === plane}>
                {channelName(lens, filter.firstChannel + i)}
              </option>
            ))}
          </select>
        )}
      </div>
      {why.value && <p>{why.value}</p>}
      {!why.value && !record && <p class="cl-muted">Waiting for Python.</p>}
      {record && <Facts lens={lens} record={record} />}
    </>
  );
}

const number = (value: Num) => formatNumber(Math.fround(Number(value)), 9);

function Facts({ lens, record }: { lens: LensView; record: DiagnosticsRecord }) {
  const { plane, ranks } = record;
  const many = ranks.length > 1;
  const symmetries = [
    record.symmetry === "symmetric" && "symmetric under a turn by 180°: flipping it changes nothing",
    record.symmetry === "antisymmetric" && "antisymmetric under a turn by 180°: flipping it changes the sign",
    record.symmetry === "neither" && "neither symmetric nor antisymmetric under a turn by 180°",
    record.left_right && "left and right alike",
    record.up_down && "top and bottom alike",
  ].filter(Boolean);
  const facts: [string, string][] = [
    ["sum", `${number(record.sum)}: the gain at zero frequency, what a constant image of 1 becomes`],
    ["norm", number(record.norm)],
  ];
  if (symmetries.length > 0) facts.push(["symmetry", symmetries.join("; ")]);
  if (ranks.some((rank) => rank !== null)) {
    facts.push(["rank", ranks.map((rank) => rank ?? "?").join(", ") + (many ? " (by channel)" : "")]);
  }
  if (plane.separable !== null) {
    facts.push([
      "separable",
      plane.separable
        ? "yes: one column times one row"
        : `no: the nearest product of a column and a row misses ${percent(plane.remaining ?? 0, 1)} of the squared norm`,
    ]);
  }
  if (plane.vertical && plane.horizontal) {
    const list = (values: number[]) => values.map((value) => number(value)).join(", ");
    facts.push(["column", list(plane.vertical)], ["row", list(plane.horizontal)]);
  }
  return (
    <div class="cl-diagnostics">
      <dl class="cl-numbers">
        {facts.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
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
        aria-label="Magnitude of the frequency response, zero frequency in the middle"
      />
      <figcaption>
        frequency response |H|, 0 to <span class="cl-number">{formatNumber(Math.fround(response.max))}</span>
        <br />
        <span class="cl-muted">zero frequency in the middle, ½ cycle a pixel at the rim</span>
      </figcaption>
    </figure>
  );
}
