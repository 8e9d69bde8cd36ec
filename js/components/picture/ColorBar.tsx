/** A colour table drawn as a bar, with what stands on it. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface ColorBarProps {
  /** 256 × RGB. */
  table: Uint8Array | undefined;
  children?: ComponentChildren;
}

export function ColorBar({ table, children }: ColorBarProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !table) return;
    const image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) {
      image.data.set(table.subarray(3 * i, 3 * i + 3), 4 * i);
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [table]);
  return (
    <span class="cl-bar" aria-hidden="true">
      <canvas ref={canvas} width={256} height={1} />
      {children}
    </span>
  );
}
