/** The snapshots of a training, to go back and forth in; live while it runs. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { formatNumber } from "../../maths/numbers.ts";
import type { SnapshotRecord } from "../../protocol/records.ts";
import type { LensView } from "../../state/lens-view.ts";
import { useUniqueId } from "../ui/useUniqueId.ts";

export function snapshotWords({ epoch, step, loss }: SnapshotRecord): string {
  if (step === 0) return "before training";
  const value = loss === null ? "" : `, loss ${formatNumber(Math.fround(Number(loss)), 6)}`;
  return `epoch ${epoch}, batch ${step}${value}`;
}

export function Training({ lens }: { lens: LensView }) {
  const id = useUniqueId();
  const training = lens.network.training.value;
  /** Where the thumb was put, until Python has reported what it shows. */
  const wanted = useSignal<number | null>(null);
  useLayoutEffect(() => {
    wanted.value = null;
  }, [training, wanted]);

  if (!training || training.snapshots.length === 0) return null;
  const { running, snapshots, shown } = training;
  const last = snapshots.length - 1;
  const at = Math.min(wanted.value ?? shown ?? last, last);
  const words = snapshotWords(snapshots[at] as SnapshotRecord);
  return (
    <div class="cl-training">
      <label for={id}>training</label>
      <input
        id={id}
        type="range"
        min={0}
        max={last}
        value={at}
        disabled={running || last === 0}
        aria-valuetext={words}
        onInput={({ currentTarget }) => {
          wanted.value = Number(currentTarget.value);
          lens.network.scrub(wanted.value);
        }}
      />
      <span class="cl-number">{words}</span>
      <span class="cl-muted">
        {running
          ? "live: fit is running"
          : `${shown === null && wanted.value === null ? "edited since; " : ""}${snapshots.length} snapshots`}
      </span>
    </div>
  );
}
