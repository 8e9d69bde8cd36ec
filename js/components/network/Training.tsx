/** The snapshots of a training with their losses, to go back and forth in or to be played; live while it runs. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { formatNumber } from "../../maths/numbers.ts";
import type { SnapshotRecord } from "../../protocol/records.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { Icon } from "../ui/icons.tsx";
import { useStill } from "../ui/useStill.ts";
import { useUniqueId } from "../ui/useUniqueId.ts";
import { LossCurve } from "./LossCurve.tsx";

/** Between a snapshot that is shown and the next. */
const PLAY_MS = 400;

export function snapshotWords({ epoch, step, loss, val_loss = null }: SnapshotRecord): string {
  if (step === 0) return "before training";
  const say = (name: string, value: typeof loss) =>
    value === null ? "" : `, ${name} ${formatNumber(Math.fround(Number(value)), 6)}`;
  return `epoch ${epoch}, batch ${step}${say("loss", loss)}${say("val_loss", val_loss)}`;
}

export function Training({ lens }: { lens: LensView }) {
  const id = useUniqueId();
  const training = lens.network.training.value;
  /** Where the thumb was put, until Python has reported what it shows. */
  const wanted = useSignal<number | null>(null);
  const playing = useSignal(false);
  const still = useStill();
  useLayoutEffect(() => {
    wanted.value = null;
  }, [training, wanted]);

  const { running, snapshots, shown } = training ?? { running: false, snapshots: [], shown: null };
  const last = snapshots.length - 1;
  const at = Math.min(wanted.value ?? shown ?? last, last);
  const waits = wanted.value !== null;
  const go = (index: number) => {
    wanted.value = index;
    lens.network.scrub(index);
  };
  // The next one follows when this one is shown, however long that takes.
  const play = playing.value;
  useEffect(() => {
    if (!play || waits) return;
    if (running || at >= last) playing.value = false;
    const timer = setTimeout(() => playing.peek() && go(at + 1), PLAY_MS);
    return () => clearTimeout(timer);
  }, [play, waits, running, at, last]);

  if (last < 0) return null;
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
          playing.value = false;
          go(Number(currentTarget.value));
        }}
      />
      <LossCurve snapshots={snapshots} at={at} />
      {last > 0 && !running && (
        <Button
          bare
          aria-label={play ? "Pause" : "Play"}
          title={still}
          disabled={!!still}
          onClick={() => {
            playing.value = !play;
            if (!play && at === last) go(0);
          }}
        >
          <Icon name={play ? "pause" : "play"} />
        </Button>
      )}
      <span class="cl-number">{words}</span>
      <span class="cl-muted">
        {running
          ? "live: fit is running"
          : `${shown === null && wanted.value === null ? "edited since; " : ""}${snapshots.length} snapshots`}
      </span>
    </div>
  );
}
