/** The arrangement of one lens, for its components and as variables for its style sheets. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import {
  type Arrangement,
  arrange,
  arrangeFocus,
  type FocusArrangement,
  type Room,
  type Subject,
} from "../../maths/arrangement.ts";
import { kindOf } from "../../maths/kinds.ts";
import type { LensView } from "../../state/lens-view.ts";

/** Height of a stem plot. */
const STEMS = 48;
/** Widths of bias, sum (at least), Paint, and in a model of Ablate and of what the edits do to its output. */
const TOOLS = [98, 24, 47];
/** A bias of a model has all its digits. */
const MODEL_TOOLS = [130, ...TOOLS.slice(1), 62, 140];
/** Planes of a kernel that are shown side by side, as the editor has it. */
const SIDE_BY_SIDE = 4;

/** Channels up to which a pixel's sum has a term for each. */
export const SUMS_APART = 4;

/** Width of a curve's box for its height. */
export const CURVE_ASPECT = 2.6;

export type Placed =
  | ({ view: "grid" } & Arrangement)
  | ({
      view: "focus";
      map: FocusArrangement["picture"];
      image: FocusArrangement["picture"];
    } & FocusArrangement);

const ROOM: Room = { width: 960, height: 700, bars: 42, overview: 0, coarse: false };
const START = arrange(
  { picture: [1, 1], filters: 4, kernel: [3, 3], planes: 1, deep: false, tools: 0 },
  ROOM,
);

export const PlacedContext = createContext<Placed>({ view: "grid", ...START });

export const usePlaced = (): Placed => useContext(PlacedContext);

/** What is to be placed; `cards` filters have a card each. */
export function subjectOf(lens: LensView, cards: number): Subject {
  const { output_shape, kernel_size, kernel_channels, path, rank, use_bias } = lens.geometry.value;
  const [rows, cols] = output_shape;
  const byParts = kindOf(lens.geometry.value).editedByParts;
  const deep = kernel_channels > SIDE_BY_SIDE || byParts;
  return {
    picture: rank === 1 ? [1, CURVE_ASPECT] : rows > 0 && cols > 0 ? [rows, cols] : [1, 1],
    filters: cards,
    kernel: kernel_size,
    planes: deep ? 1 : kernel_channels,
    deep,
    byParts,
    tools: path === "" ? 104 : 136,
    toolWidths: path === "" ? TOOLS : MODEL_TOOLS,
    stems: rank === 1 ? STEMS : 0,
    // A sum for each of a few channels, the bias, their sum, the activation function and its value.
    sumLines: (kernel_channels > SUMS_APART ? 1 : kernel_channels) + Number(use_bias) + 3,
  };
}

export function placed(lens: LensView, cards: number, room: Room): Placed {
  if (lens.shared.view.value === "grid") return { view: "grid", ...arrange(subjectOf(lens, cards), room) };
  const focus = arrangeFocus(subjectOf(lens, lens.filters.value.length), room);
  return { view: "focus", map: focus.picture, image: focus.picture, ...focus };
}

/** For the style sheets. */
export function variables(at: Placed): Record<string, string | number> {
  const px = (length: number) => `${length}px`;
  return {
    "--cl-map-width": px(at.map.width),
    "--cl-map-height": px(at.map.height),
    "--cl-image-width": px(at.image.width),
    "--cl-image-height": px(at.image.height),
    "--cl-place-width": px(at.place.width),
    "--cl-place-height": px(at.place.height),
    "--cl-block": px(at.block),
    "--cl-sum-height": px(at.view === "focus" ? at.sumHeight : 0),
    "--cl-columns": at.view === "grid" ? at.columns : 1,
  };
}
