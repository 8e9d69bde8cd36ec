/** What explains the lens, below the cards: one tab per question. */
import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Explained, LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { consume } from "../ui/consume.ts";
import { useUniqueId } from "../ui/useUniqueId.ts";
import { Kernel } from "./diagnostics/Diagnostics.tsx";
import { Excites } from "./excites/Excites.tsx";
import { Export } from "./export/Export.tsx";
import { Layer } from "./layer-settings/Layer.tsx";
import { PixelPanel } from "./pixel/PixelPanel.tsx";
import { useAxes } from "./shapes/axes.ts";
import { Ledger } from "./shapes/Ledger.tsx";

const NAMES: Readonly<Record<Explained, string>> = {
  pixel: "This pixel",
  shapes: "Shapes",
  layer: "Layer",
  kernel: "Kernel",
  excites: "What excites it",
  export: "Export",
};
const TABS = Object.keys(NAMES) as Explained[];

export function Explain({ lens }: { lens: LensView }) {
  const id = useUniqueId();
  const root = useRef<HTMLDivElement>(null);
  const held = useAxes(root);
  const chosen = lens.explained;
  // A pinned pixel is explained, whichever tab was open.
  useSignalEffect(() => {
    const pixel = lens.pixel.value;
    if (pixel && String(pixel) !== String(lens.interpretation.pinned.peek())) chosen.value = "pixel";
  });
  const tabs = lens.geometry.value.path === "" ? TABS.filter((tab) => tab !== "excites") : TABS;
  const open = Math.max(0, tabs.indexOf(chosen.value));

  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    consume(event);
    const next = (open + by + tabs.length) % tabs.length;
    chosen.value = tabs[next] ?? "pixel";
    root.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };

  return (
    <div ref={root} class="cl-strip">
      <div role="tablist" class="cl-tabs" aria-label="What to explain" onKeyDown={onKeyDown}>
        {tabs.map((tab, i) => (
          <Button
            key={tab}
            data-tab={tab}
            role="tab"
            class="cl-tab"
            id={`${id}-${i}`}
            aria-selected={open === i}
            aria-controls={`${id}-panel`}
            tabIndex={open === i ? 0 : -1}
            onClick={() => {
              chosen.value = tab;
            }}
          >
            {NAMES[tab]}
          </Button>
        ))}
      </div>
      <div role="tabpanel" class="cl-explain" id={`${id}-panel`} aria-labelledby={`${id}-${open}`}>
        {tabs[open] === "pixel" && <PixelPanel lens={lens} />}
        {tabs[open] === "shapes" && <Ledger lens={lens} held={held} />}
        {tabs[open] === "layer" && <Layer lens={lens} />}
        {tabs[open] === "kernel" && <Kernel lens={lens} />}
        {tabs[open] === "excites" && <Excites lens={lens} />}
        {tabs[open] === "export" && <Export lens={lens} />}
      </div>
    </div>
  );
}
