/** What the model is fed, where the image is shown: a picture, a signal, or a latent vector as a strip of cells to edit. */
import { computed, signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { LensView } from "../../state/lens-view.ts";
import type { EditableKernel } from "../kernel/editableKernel.ts";
import { KernelEditor } from "../kernel/KernelEditor.tsx";
import { KernelSession } from "../kernel/kernelSession.ts";
import { InputImage } from "../picture/InputImage.tsx";
import { pinnedField } from "../picture/pinnedField.ts";
import { usePlaced } from "../ui/arrangement.ts";
import { CellSide } from "../ui/cellSize.ts";

/** Cells that are shown of a longer vector. */
const MOST = 1024;
/** Vectors that are longer have smaller cells. */
const SHORT = 64;

export function ModelInput({ lens }: { lens: LensView }) {
  return lens.network.vector.value ? <LatentVector lens={lens} /> : <InputImage lens={lens} />;
}

function LatentVector({ lens }: { lens: LensView }) {
  const { width, height } = usePlaced().image;
  const count = lens.picture.value.cols;
  const shown = Math.min(count, MOST);
  const side = count > SHORT ? 34 : 38;
  const cols = Math.min(shown, Math.max(1, Math.floor((width - 1) / (side + 1))));
  const session = useMemo(() => new KernelSession(vectorKernel(lens, cols)), [lens, cols]);
  const high = Math.ceil(shown / cols) * (side + 1) + 1;
  const { record } = lens.picture.value;
  const part = shown < count && `The first ${shown} of ${count} numbers; lens.image has them all.`;
  const notes = [part, ...record.notes, pinnedField(lens)?.note].filter(Boolean);
  return (
    <figure
      class="cl-figure cl-vector"
      data-version={record.version}
      style={{
        "--cl-place-width": `${width}px`,
        "--cl-place-height": `${Math.min(high, Math.max(height, 240))}px`,
        "--cl-block": 0,
      }}
    >
      <figcaption class="cl-caption">
        <span>
          latent vector <span class="cl-number cl-muted">({count},)</span>
        </span>
      </figcaption>
      <CellSide.Provider value={side}>
        <KernelEditor lens={lens} session={session} name="Latent vector">
          {null}
        </KernelEditor>
      </CellSide.Provider>
      {notes.length > 0 && (
        <ul class="cl-notes">
          {notes.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
    </figure>
  );
}

const nothing = () => {};

/** The vector as one plane, in as many columns as there is room for; the last row may have fewer. */
function vectorKernel(lens: LensView, cols: number): EditableKernel {
  const values = computed(() => (lens.network.vector.value ?? new Float32Array(0)).subarray(0, MOST));
  return {
    size: computed(() => [Math.ceil(values.value.length / cols), cols, 1]),
    values,
    inHand: signal(false),
    indexInVector: (row, col) => row * cols + col,
    edit({ index, value }) {
      const changed = (lens.network.vector.peek() as Float32Array).slice();
      index.forEach((at, i) => {
        if (at < values.peek().length) changed[at] = value[i] as number;
      });
      lens.network.setVector(changed);
    },
    // Changing the vector, like changing the image, is not a step of history.
    beginGesture: nothing,
    endGesture: nothing,
    undo: nothing,
    redo: nothing,
    channelName: () => "",
    contribution: () => null,
    prepare: nothing,
  };
}
