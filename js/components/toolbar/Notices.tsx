/** The last thing that went wrong, until it is dismissed. */
import type { LensModel } from "../../model/lens.ts";
import { Icon } from "../icons.tsx";

export function Notices({ lens }: { lens: LensModel }) {
  const problem = lens.problem.value;
  return (
    <div class="cl-notices" role="alert">
      {problem && (
        <div key={problem.id} class="cl-notice">
          <Icon name="warn" />
          <div>
            <strong>{problem.title}</strong>
            <p>{problem.text}</p>
          </div>
          <button
            type="button"
            class="cl-button"
            title="Dismiss"
            aria-label="Dismiss"
            onClick={() => lens.dismissProblem()}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
