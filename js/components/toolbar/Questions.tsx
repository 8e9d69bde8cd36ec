/** What newcomers ask, each with a press that shows where the lens answers it; docs/tutorial-questions.md has the same. */
import type { Explained, LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { openAnswer } from "../ui/openAnswer.ts";

const QUESTIONS: readonly (readonly [ask: string, tab: Explained, pixel?: "least" | "greatest"])[] = [
  ["Why set weights?", "shapes"],
  ["Why does 4×4 become 4×4×1×1?", "shapes"],
  ["Which axis is which?", "shapes"],
  ["Why is half of the map black?", "pixel", "least"],
  ["Does Keras flip the kernel?", "pixel", "greatest"],
  ["What do the colours mean?", "pixel", "greatest"],
  ["Why is the map smaller than the image?", "shapes"],
  ["What do stride, padding and dilation do?", "layer"],
  ["What does the bias do?", "pixel", "greatest"],
  ["Where in the image does a pixel come from?", "pixel", "greatest"],
];

export function Questions({ lens, close }: { lens: LensView; close: () => void }) {
  return (
    <ul class="cl-questions">
      {QUESTIONS.map(([ask, tab, pixel]) => (
        <li key={ask}>
          <Button
            class="cl-link"
            onClick={({ currentTarget }) => {
              close();
              openAnswer(lens, currentTarget, tab, pixel);
            }}
          >
            {ask}
          </Button>
        </li>
      ))}
    </ul>
  );
}
