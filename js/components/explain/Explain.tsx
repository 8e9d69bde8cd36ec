/** What explains the lens, below the cards: one tab a question. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { LensModel } from "../../model/lens.ts";
import { consume } from "../consume.ts";
import { useUniqueId } from "../useUniqueId.ts";
import { useAxes } from "./axes.ts";
import { Kernel } from "./Diagnostics.tsx";
import { Layer } from "./Layer.tsx";
import { Ledger } from "./Ledger.tsx";
import { PixelPanel } from "./PixelPanel.tsx";
import { TakeAway } from "./TakeAway.tsx";

const TABS = ["This pixel", "Shapes", "Layer", "Kernel", "Take away"] as const;

export function Explain({ lens }: { lens: LensModel }) {
  const id = useUniqueId();
  const root = useRef<HTMLElement>(null);
  const held = useAxes(root);
  const open = useSignal(0);

  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    consume(event);
    open.value = (open.value + by + TABS.length) % TABS.length;
    root.current?.querySelectorAll<HTMLElement>("[role=tab]")[open.value]?.focus();
  };

  return (
    <section ref={root} class="cl-strip" aria-label="Explanation">
      <div role="tablist" class="cl-tabs" aria-label="What to explain" onKeyDown={onKeyDown}>
        {TABS.map((name, i) => (
          <button
            key={name}
            type="button"
            role="tab"
            class="cl-tab"
            id={`${id}-${i}`}
            aria-selected={open.value === i}
            aria-controls={`${id}-panel`}
            tabIndex={open.value === i ? 0 : -1}
            onClick={() => {
              open.value = i;
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" class="cl-explain" id={`${id}-panel`} aria-labelledby={`${id}-${open.value}`}>
        {open.value === 0 && <PixelPanel lens={lens} />}
        {open.value === 1 && <Ledger lens={lens} held={held} />}
        {open.value === 2 && <Layer lens={lens} />}
        {open.value === 3 && <Kernel lens={lens} />}
        {open.value === 4 && <TakeAway lens={lens} />}
      </div>
    </section>
  );
}
