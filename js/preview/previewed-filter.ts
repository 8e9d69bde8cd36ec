/** What the preview reads of a filter and writes to it; state/filter.ts is the filter. */
import type { ReadonlySignal } from "@preact/signals";
import type { MapView } from "../paint/drawable.ts";
import type { Grid } from "../paint/grid.ts";
import type { Geometry, MapRecord, Stage, Uid } from "../protocol/records.ts";
import type { DeepBase } from "./deep-preview.ts";
import type { Preview, Weights } from "./full-preview.ts";

export interface PreviewedFilter {
  readonly uid: Uid;
  readonly firstChannel: number;
  /** Revision of the last record from Python. */
  readonly rev: number;
  /** Whether the browser has the filter's present weights. */
  readonly known: boolean;
  /** The weights that are shown, and those that Python confirmed last. */
  readonly now: Weights;
  readonly confirmed: Weights;
  readonly map: ReadonlySignal<MapView>;
  /** False once Keras contradicted a preview. */
  trusted: boolean;
  /** What canvases show of a large map, the newest last. */
  readonly grids: readonly Grid[];
  preview: Preview | null;
  /** Made in idle time to take the place of a retired `preview`. */
  spare: Preview | null;
  /** What a preview starts from where the browser does not have the layer's input. */
  base: DeepBase | null;
  /** The weights to show, and Keras's map of them where there is one of this stage. */
  shown(comparing: boolean, stage: Stage): { weights: Weights; keras: MapRecord | null };
  drawKeras(map: MapRecord, geometry: Geometry): void;
  drawPreview(geometry: Geometry, view: Pick<MapView, "preview" | "range" | "counts" | "sampled">): void;
  /** Draw Keras's last map, marked as out of date, or nothing. */
  drawOld(geometry: Geometry): void;
}
