/** Sets the lens's kernels from a file. */
import { effect } from "@preact/signals";
import type { KernelFile } from "../../../maths/kernel-json.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { whyFixedList, whyFixedSize } from "../../ui/limits.ts";

/** Why these kernels do not fit this layer; null where they do. */
export function whyNotApplied(lens: LensView, { shape, kernels, bias }: KernelFile): string | null {
  const geometry = lens.geometry.peek();
  const { kernel_size, kernel_channels, input_shape } = geometry;
  const [rows, cols, channels] = shape;
  const now = lens.filters.peek().length;
  if (channels !== kernel_channels) {
    return `The kernels have ${channels} channels each, but this layer's have ${kernel_channels}.`;
  }
  if (kernels.length !== now) {
    const why = whyFixedList(geometry);
    if (why) return `There are ${kernels.length} kernels for ${now} filters. ${why}`;
  }
  if (rows !== kernel_size[0] || cols !== kernel_size[1]) {
    const why = whyFixedSize(geometry);
    if (why)
      return `The kernels are ${rows} × ${cols}, but this layer's are ${kernel_size.join(" × ")}. ${why}`;
    if (rows > input_shape[0] || cols > input_shape[1])
      return `A ${rows} × ${cols} kernel is larger than the image.`;
  }
  if (bias.some((value) => value !== 0) && !geometry.use_bias) {
    return "The file has a bias, but this layer has none (use_bias=False).";
  }
  return null;
}

/** Filters are added or removed first; once the list is as long as the file's, all get their kernels, biases and names. */
export function applyKernels(lens: LensView, { shape, kernels, names, bias }: KernelFile): void {
  const before = lens.filters.peek();
  const size = before[0]?.kernel.peek().length ?? 0;
  for (let i = before.length; i < kernels.length; i++)
    lens.add(new Float32Array(size), names?.[i] ?? null, i);
  for (const { uid } of before.slice(kernels.length)) lens.remove(uid);
  const stop = effect(() => {
    const filters = lens.filters.value;
    if (filters.length !== kernels.length) return;
    queueMicrotask(() => {
      stop();
      lens.beginGesture();
      lens.replace(
        filters.map(({ uid }) => uid),
        [...shape],
        kernels,
      );
      if (lens.geometry.peek().use_bias)
        lens.edit(filters.map(({ uid }, i) => ({ uid, bias: bias[i] ?? 0 })));
      lens.endGesture();
      filters.forEach(({ uid }, i) => {
        const name = names?.[i];
        if (name !== undefined && name !== lens.names.peek()[i]) lens.rename(uid, name);
      });
    });
  });
}
