/** Which plane of a deep kernel is on show; those that add most to the map come first, as soon as that is known. */
import { useEffect, useMemo } from "preact/hooks";
import { formatNumber } from "../../maths/numbers.ts";
import { Button } from "../ui/Button.tsx";
import type { KernelSession } from "./kernelSession.ts";

interface PlanePickerProps {
  session: KernelSession;
  channels: number;
  /** A bound on what each plane adds to the map. */
  contribution: Float32Array | null;
  nameOf: (channel: number) => string;
}

export function PlanePicker({ session, channels, contribution, nameOf }: PlanePickerProps) {
  const order = useMemo(() => {
    const planes = Array.from({ length: channels }, (_, k) => k);
    const size = (k: number) => contribution?.[k] ?? 0;
    return planes.sort((a, b) => size(b) - size(a) || a - b);
  }, [channels, contribution]);
  const shown = Math.min(session.channel.value, channels - 1);
  const place = order.indexOf(shown);

  // No plane has been chosen yet: begin with the one that adds most.
  useEffect(() => {
    if (contribution && !session.selection.peek() && session.channel.peek() === 0) {
      session.channel.value = order[0] ?? 0;
    }
  }, [contribution]);

  const options = useMemo(
    () =>
      order.map((k) => (
        <option key={k} value={k}>
          {nameOf(k)}
          {contribution && `: ${formatNumber(contribution[k] as number, 5)}`}
        </option>
      )),
    [order],
  );
  const step = (by: number, label: string, text: string) => (
    <Button
      label={label}
      disabled={order[place + by] === undefined}
      onClick={() => {
        session.channel.value = order[place + by] ?? shown;
      }}
    >
      {text}
    </Button>
  );
  return (
    <div class="cl-planepicker">
      {step(-1, "Previous plane", "‹")}
      <select
        class="cl-select"
        aria-label={`Plane of the kernel on show${contribution ? ", by the most that it can add to the map" : ""}`}
        title={
          contribution
            ? "By the most that each can add to the map: ‖plane‖ × the input's root mean square"
            : undefined
        }
        value={shown}
        onChange={({ currentTarget }) => {
          session.channel.value = Number(currentTarget.value);
        }}
      >
        {options}
      </select>
      {step(1, "Next plane", "›")}
    </div>
  );
}
