import type { LensModel } from "../../model/lens.ts";

const COLOURS = ["red", "green", "blue", "alpha"];

/** What a channel of the layer's input is called: by its colour only where the layer is fed the image itself. */
export function channelName(lens: LensModel, channel: number): string {
  const channels = lens.geometry.value.input_shape[2];
  const colour = lens.imageIsInput.value && (channels === 3 || channels === 4) && COLOURS[channel];
  return colour || `channel ${channel}`;
}
