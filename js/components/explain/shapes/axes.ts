/** Point at an axis anywhere in the lens, and the same axis is highlighted everywhere: styles/explain.css draws it. */
import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Axis } from "../../../maths/kinds.ts";

/** Where an axis can be pointed at, besides what names it in `data-axis`. */
const NAMED: readonly (readonly [selector: string, axis: Axis])[] = [
  [".cl-index", "filters"],
  [".cl-plane figcaption", "channels"],
];

function axisOf(target: EventTarget | null): Axis | null {
  if (!(target instanceof Element)) return null;
  const named = target.closest("[data-axis]")?.getAttribute("data-axis");
  return (named as Axis | undefined) ?? NAMED.find(([selector]) => target.closest(selector))?.[1] ?? null;
}

/** `held` is the axis that was pressed and stays highlighted; `root` any element within the lens. */
export function useAxes(root: { current: HTMLElement | null }) {
  const held = useMemo(() => signal<Axis | null>(null), []);
  useEffect(() => {
    const lens = root.current?.closest<HTMLElement>(".convlens");
    if (!lens) return;
    const light = (axis: Axis | null) => {
      const lit = axis ?? held.peek();
      if (lit) lens.dataset.lit = lit;
      else delete lens.dataset.lit;
    };
    const onPoint = ({ target }: Event) => light(axisOf(target));
    const onLeave = () => light(null);
    lens.addEventListener("pointerover", onPoint);
    lens.addEventListener("focusin", onPoint);
    lens.addEventListener("pointerleave", onLeave);
    lens.addEventListener("focusout", onLeave);
    const unwatch = held.subscribe(() => light(null));
    return () => {
      unwatch();
      delete lens.dataset.lit;
      lens.removeEventListener("pointerover", onPoint);
      lens.removeEventListener("focusin", onPoint);
      lens.removeEventListener("pointerleave", onLeave);
      lens.removeEventListener("focusout", onLeave);
    };
  }, [root, held]);
  return held;
}
