/** A colour table drawn as a bar, with the marks on it. */
import type { ComponentChildren } from "preact";

export interface ColorBarProps {
  /** 256 × RGB. */
  table: Uint8Array | undefined;
  children?: ComponentChildren;
}

/** Cached: every map and every frame needs the same table. */
const gradients = new WeakMap<Uint8Array, string>();

/** No canvas: each would be a layer of its own, and the browser visits all layers whenever the page changes. */
function gradientOf(table: Uint8Array): string {
  let gradient = gradients.get(table);
  if (!gradient) {
    const colors = Array.from({ length: 256 }, (_, i) => `rgb(${table.subarray(3 * i, 3 * i + 3).join()})`);
    gradient = `linear-gradient(90deg,${colors.join()})`;
    gradients.set(table, gradient);
  }
  return gradient;
}

export function ColorBar({ table, children }: ColorBarProps) {
  return (
    <span class="cl-bar" aria-hidden="true" style={table && { backgroundImage: gradientOf(table) }}>
      {children}
    </span>
  );
}
