/** One channel of a signal's kernel as a stem plot, below its cells and as wide. */
import { useCellSize } from "../ui/cellSize.ts";

interface StemsProps {
  values: Float32Array;
  most: number;
  channel: number;
  channels: number;
  /** Planes that are on show. */
  planes: number;
}

const HEIGHT = 44;

export function Stems({ values, most, channel, channels, planes }: StemsProps) {
  const count = values.length / channels;
  const { side } = useCellSize(count, planes);
  const middle = HEIGHT / 2;
  const y = (value: number) => middle - (most > 0 ? (value / most) * (middle - 4) : 0);
  return (
    <svg
      class="cl-stems"
      style={{ width: `${count * (side + 1) + 1}px` }}
      viewBox={`0 0 ${count} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="cl-stemzero" d={`M0 ${middle}H${count}`} />
      {Array.from({ length: count }, (_, i) => {
        const value = values[i * channels + channel] ?? 0;
        if (!Number.isFinite(value)) return null;
        return <path key={i} d={`M${i + 0.5} ${middle}V${y(value)}`} />;
      })}
      {/* Lines of no length with round ends are dots, which no stretching makes ellipses. */}
      <path
        class="cl-stemdots"
        d={Array.from({ length: count }, (_, i) => values[i * channels + channel] ?? 0)
          .map((value, i) => (Number.isFinite(value) ? `M${i + 0.5} ${y(value)}h0` : ""))
          .join("")}
      />
    </svg>
  );
}
