/**
 * The lens's outputs in the notebook: what they show where there is no widget.
 *
 * JupyterLab and Notebook 7 redraw a widget on `update_display_data`, while it is being edited; there the output's data
 * are replaced without that. VS Code leaves a widget alone whose output is updated (`renderIPyWidget` in
 * vscode-jupyter).
 */
import type { PictureWay } from "../protocol/requests.ts";
import { isVSCode, type NotebookOutputs, notebookOutputsOf } from "./jupyter-internals.ts";

const VIEW = "application/vnd.jupyter.widget-view+json";

export class NotebookPicture {
  readonly #outputs: NotebookOutputs | null;
  readonly way: PictureWay;

  /** `manager` is whatever the host calls its widget manager. */
  constructor(manager: unknown) {
    this.#outputs = notebookOutputsOf(manager);
    this.way = this.#outputs ? "keep" : isVSCode() ? "update" : "none";
  }

  /** Put a MIME bundle into every output of the notebook that shows the widget which it names. */
  keep(data: Record<string, unknown>): void {
    const id = modelId(data);
    if (id === undefined) return;
    this.#outputs?.change((shown) => (modelId(shown) !== id || same(shown, data) ? null : data));
  }
}

function modelId(data: Record<string, unknown>): unknown {
  return (data[VIEW] as { model_id?: unknown } | undefined)?.model_id;
}

function same(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  return a["image/png"] === b["image/png"] && String(a["text/plain"]) === String(b["text/plain"]);
}
