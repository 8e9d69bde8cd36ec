/** What the page takes at most of a saved lens, as Python does: src/convlens/maths/limits.py. */

/** Pixels of a picture or a map, and so of any one side. */
export const MOST_PIXELS = 64_000_000;
export const MOST_FILTERS = 8_192;
/** Numbers of a kernel, for each channel. */
export const MOST_TAPS = 65_536;
