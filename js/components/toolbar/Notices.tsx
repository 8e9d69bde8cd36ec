/** What went wrong, over the pictures so that nothing moves, until it is dismissed. */
import { useSignal } from "@preact/signals";
import type { LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { Icon } from "../ui/icons.tsx";

export function Notices({ lens }: { lens: LensView }) {
  const problem = lens.problem.value;
  const { keras, detail } = lens.status.value;
  /** The text of a failed start that has been read. */
  const read = useSignal<string | null>(null);
  const failed = keras === "failed" && read.value !== detail;
  return (
    <div class="cl-notices" role="alert">
      {failed && (
        <Notice
          title="Keras failed to load"
          text={detail}
          onDismiss={() => {
            read.value = detail;
          }}
        />
      )}
      {problem && (
        <Notice
          key={problem.id}
          title={problem.title}
          text={problem.text}
          tone={problem.tone}
          onDismiss={() => lens.dismissProblem()}
        />
      )}
    </div>
  );
}

interface NoticeProps {
  title: string;
  text: string;
  tone?: "error" | "note" | undefined;
  onDismiss: () => void;
}

function Notice({ title, text, tone, onDismiss }: NoticeProps) {
  return (
    <div class="cl-notice" data-tone={tone}>
      <Icon name={tone === "note" ? "help" : "warn"} />
      <div>
        <strong>{title}</strong>
        <p>{text}</p>
      </div>
      <Button bare label="Dismiss" onClick={onDismiss}>
        <Icon name="close" />
      </Button>
    </div>
  );
}
