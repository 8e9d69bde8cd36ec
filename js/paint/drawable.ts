/** What there is to draw: the picture and the activation maps. */
import type { Activation } from "../maths/activations.ts";
import type { ImageRecord, MapRecord } from "../protocol/records.ts";

import type { Apply, Grid, Size } from "./grid.ts";

/** One float32 plane per channel, row-major; made when first needed. */
export interface Planar extends Size {
  plane(channel: number): Float32Array;
}

/** Bytes of a picture as numbers, ready for drawing and for the linear update. */
export interface Picture extends Size {
  channels: number;
  /** What is drawn when all of it is in sight: reduced where the picture is large. */
  drawn: Planar;
  /** All pixels; null until they are here. */
  whole: Planar | null;
  /** Values at one pixel, one per channel; null where they are not here. */
  at(row: number, col: number): number[] | null;
  record: ImageRecord;
}

/** Where a map's numbers come from at this moment. */
export type Provenance =
  /** Keras's own answer to the kernel that is shown. */
  | "keras"
  /** Made by the linear update; Keras's answer is on its way, or Python is not connected. */
  | "preview"
  /** Keras's answer to an older kernel, shown because nothing newer can be (no preview for this layer, or an error). */
  | "stale"
  /** Nothing to draw yet. */
  | "waiting";

/** A preview of a large map: the means of its blocks, activated where the activation is drawn. */
export interface LargeMap {
  means(grid: Grid, apply: Apply | undefined): Float32Array;
}

/** A previewed map, ready for `paintFloats`: what is not on screen is never activated. */
export interface PreviewMap {
  /** What a large map is drawn by instead of its values. */
  large?: LargeMap | undefined;
  /** Float32 pre-activations, row-major. */
  values: Float32Array;
  /** Applied to what is drawn; null where the pre-activation itself is drawn. */
  activation: Activation | null;
  /** Least and greatest of all that may be drawn, null where some of it is NaN or infinite, or where they are not known. */
  ends: readonly [low: number, high: number] | null;
  /** Least pre-activation, −Infinity where it is not known. */
  least: number;
}

/** A part of a large map at the size at which it is on screen. */
export interface CloseUp {
  grid: Grid;
  map: MapRecord;
}

/** What an activation map draws: either Keras's 8-bit levels or the preview's float32 values, never a mixture. */
export interface MapView {
  provenance: Provenance;
  rows: number;
  cols: number;
  /** Present when provenance is "keras" or "stale". */
  keras: MapRecord | null;
  /** Present when provenance is "preview". Shared, updated in place: redraw on `version`. */
  preview: PreviewMap | null;
  /** Least and greatest finite value. */
  range: [number, number];
  counts: MapRecord["counts"];
  /** Whether range and counts are those of some of the values, while a hand moves; those of all follow. */
  sampled: boolean;
  /** Grows with every change of the pixels. */
  version: number;
}
