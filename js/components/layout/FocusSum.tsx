/** The pinned pixel's sum, below the pictures: patch × kernel = products, bias, activation. */
import { useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { explain, largestFirst } from "../../maths/explanation.ts";
import type { FilterView, LensView } from "../../state/lens-view.ts";
import { PixelSum } from "../explain/pixel/PixelSum.tsx";
import { Planes } from "../explain/pixel/Planes.tsx";
import type { Tap } from "../ui/Heat.tsx";
import { byFinger } from "../ui/wording.ts";

export function FocusSum({ lens, filter }: { lens: LensView; filter: FilterView }) {
  const over = useSignal<Tap | null>(null);
  const patch = useComputed(() => {
    const pixel = lens.pixel.value;
    return pixel && lens.patchAt(filter.uid, pixel[0], pixel[1]);
  });
  const read = patch.value;
  const pixel = lens.pixel.value;
  const [kernel, bias] = [filter.kernel.value, filter.bias.value];
  const known = read && !(read instanceof Error) && read.values.length === kernel.length ? read : null;
  const e = useMemo(() => known && explain(known, kernel, bias), [known, kernel, bias]);
  const order = useMemo(() => largestFirst(e?.sums ?? []), [known, filter]);
  return (
    <section class="cl-focussum" aria-label="Sum of the pinned pixel">
      {pixel && e ? (
        <>
          <Planes lens={lens} filter={filter} explanation={e} order={order} over={over} turned={false} />
          <PixelSum lens={lens} filter={filter} explanation={e} row={pixel[0]} col={pixel[1]} />
        </>
      ) : (
        <p class="cl-muted">
          {!pixel &&
            `${byFinger() ? "Tap" : "Click"} a pixel of the map: its patch, the kernel, their products and the sum appear here.`}
          {pixel && (read instanceof Error ? read.message : "Asking Python what the layer is fed here…")}
        </p>
      )}
    </section>
  );
}
