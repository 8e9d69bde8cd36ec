import type { LensView } from "../../state/lens-view.ts";

const COLOURS = ["red", "green", "blue", "alpha"];

/** What a channel of the layer's input is called: by its colour only where the layer is fed the image itself. */
export function channelName(lens: LensView, channel: number): string {
  const channels = lens.geometry.value.input_shape[2];
  const { imageIsInput, picture } = lens;
  const coloured = imageIsInput.value && !picture.value.record.signal;
  const colour = coloured && (channels === 3 || channels === 4) && COLOURS[channel];
  return colour || `channel ${channel}`;
}
