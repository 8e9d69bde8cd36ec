/**
 * Slide the kernel over the image: the pin moves from pixel to pixel, and the maps fill in behind it. An edit ends the slide, as
 * does unpinning the pixel: both are seen on whole maps.
 */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { placeOutput, placeOver, revealAround } from "../../../paint/viewport.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { Button } from "../../ui/Button.tsx";
import { consume } from "../../ui/consume.ts";
import { Icon } from "../../ui/icons.tsx";
import { Select } from "../../ui/Select.tsx";
import { useSteps } from "../../ui/useSteps.ts";
import { useStill } from "../../ui/useStill.ts";

/** Steps per second; a negative number counts rows. */
const SPEEDS: Record<string, string> = {
  "2": "2 pixels a second",
  "10": "10 pixels a second",
  "50": "50 pixels a second",
  "-1": "1 row a second",
  "-10": "10 rows a second",
  "-50": "50 rows a second",
};

/** Those of a signal, which has one row. */
const STEPS = ["2", "10", "50"].map((rate) => [rate, `${rate} steps a second`] as const);

/** Longest time between two frames that the slide catches up on, in milliseconds. */
const GAP_MS = 250;

export function Slide({ lens }: { lens: LensView }) {
  const playing = useSignal(false);
  const speed = useSignal("10");
  const still = useStill();

  /** Move by this many pixels; false at an end. */
  const step = (by: number): boolean => {
    const geometry = lens.geometry.peek();
    const [rows, cols] = geometry.output_shape;
    const pinned = lens.pixel.peek();
    const last = rows * cols - 1;
    const now = pinned ? pinned[0] * cols + pinned[1] : -1;
    const next = Math.min(Math.max(now + by, 0), last);
    const [row, col] = [Math.floor(next / cols), next % cols];
    lens.sliding.value = true;
    lens.pin([row, col]);
    // A magnified view follows, with the patch around the pixel.
    const size = { rows, cols, curve: geometry.rank === 1 };
    const place = lens.imageIsInput.peek() ? placeOutput(geometry) : placeOver(size);
    const pane = { size, place, box: { width: cols, height: rows } };
    lens.viewport.value = revealAround(pane, lens.viewport.peek(), { row, col }, geometry.kernel_size);
    return next < last;
  };

  const stop = () => {
    playing.value = false;
    lens.sliding.value = false;
  };

  useSteps(lens, stop);
  useSignalEffect(() => {
    if (!lens.pixel.value) stop();
  });
  useSignalEffect(() => {
    if (!lens.sliding.value) playing.value = false;
  });

  const run = playing.value;
  useEffect(() => {
    if (!run) return;
    let before = performance.now();
    let due = 0;
    let frame = requestAnimationFrame(function advance(now) {
      if (!playing.peek()) return;
      const rate = Number(speed.peek());
      const perSecond = rate < 0 ? -rate * lens.geometry.peek().output_shape[1] : rate;
      due += (Math.min(now - before, GAP_MS) / 1000) * perSecond;
      before = now;
      const whole = Math.floor(due);
      due -= whole;
      if (whole > 0 && !step(whole)) playing.value = false;
      else frame = requestAnimationFrame(advance);
    });
    return () => cancelAnimationFrame(frame);
  }, [run]);
  useEffect(() => stop, [lens]);

  const button = (
    icon: "first" | "back" | "forward" | "play" | "pause" | "close",
    name: string,
    act: () => unknown,
    why?: string,
  ) => (
    <Button bare aria-label={name} title={why ?? name} disabled={why !== undefined} onClick={act}>
      <Icon name={icon} />
    </Button>
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a toolbar of buttons, not part of a form.
    <div
      class="cl-group cl-slide"
      role="group"
      aria-label="Slide the kernel over the image"
      onKeyDown={(event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!by || (event.target as Element).matches("select")) return;
        consume(event);
        playing.value = false;
        step(by);
      }}
    >
      <span class="cl-muted">slide</span>
      {button("first", "Slide from the first pixel", () => step(-Infinity))}
      {button("back", "One pixel back", () => step(-1))}
      {run
        ? button("pause", "Pause", () => {
            playing.value = false;
          })
        : button(
            "play",
            "Play",
            () => {
              playing.value = true;
            },
            still,
          )}
      {button("forward", "One pixel forward", () => step(1))}
      {!still && (
        <Select
          aria-label="Speed of the slide"
          options={lens.geometry.value.rank === 1 ? STEPS : Object.entries(SPEEDS)}
          value={speed.value}
          onChange={(chosen) => {
            speed.value = chosen;
          }}
        />
      )}
      {button(
        "close",
        "End the slide and show the whole maps",
        stop,
        lens.sliding.value ? undefined : "The maps are shown whole",
      )}
    </div>
  );
}
