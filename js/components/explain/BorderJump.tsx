/** A press that shows the padding: a pixel at the border, whose patch lies partly in it. */
import { WHOLE } from "../../paint/viewport.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { openAnswer } from "../ui/openAnswer.ts";

export function BorderJump({ lens }: { lens: LensView }) {
  const { pads, output_shape } = lens.geometry.value;
  const none = Math.max(...pads) === 0;
  // An even kernel may have zeros on one side only.
  const at = (before: number, count: number) => (before > 0 ? 0 : count - 1);
  return (
    <Button
      disabled={none}
      title={none ? "There is no padding: no pixel reads beyond the edge" : undefined}
      onClick={({ currentTarget }) => {
        lens.viewport.value = WHOLE;
        openAnswer(lens, currentTarget, "pixel", [
          at(pads[0], output_shape[0]),
          at(pads[2], output_shape[1]),
        ]);
      }}
    >
      See it at the border
    </Button>
  );
}
