/** The losses of a training's snapshots as curves, with a mark at the snapshot that is shown. */
import { formatNumber } from "../../maths/numbers.ts";
import type { SnapshotRecord } from "../../protocol/records.ts";

/** A curve for each loss that two snapshots at least have; nothing without one. */
export function LossCurve({ snapshots, at }: { snapshots: readonly SnapshotRecord[]; at: number }) {
  const curves = (["loss", "val_loss"] as const).map((key) => ({
    key,
    // What is no finite number is not drawn.
    points: snapshots.flatMap((one, i) =>
      Number.isFinite(one[key]) ? [[i, one[key] as number] as const] : [],
    ),
  }));
  const drawn = curves.filter(({ points }) => points.length > 1);
  const all = drawn.flatMap(({ points }) => points.map(([, value]) => value));
  if (all.length === 0) return null;
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const said = (value = 0) => formatNumber(value, 6);
  const text = drawn
    .map(({ key, points }) => `${key} from ${said(points[0]?.[1])} to ${said(points.at(-1)?.[1])}`)
    .join(", ");
  return (
    <svg class="cl-losses" role="img" viewBox={`0 0 ${snapshots.length - 1} 1`} preserveAspectRatio="none">
      <title>{text}</title>
      <path d={`M${at} 0V1`} />
      {drawn.map(({ key, points }) => (
        <path
          key={key}
          data-loss={key}
          d={`M${points.map(([i, value]) => [i, (high - value) / (high - low || 1)]).join("L")}`}
        />
      ))}
    </svg>
  );
}
