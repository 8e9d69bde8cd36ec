/**
 * The lens's outputs in the notebook: what they show where there is no widget.
 *
 * JupyterLab and Notebook 7 draw a widget anew on `update_display_data`, under the hand that is editing. They give widgets
 * their notebook, though, as ipywidgets itself uses it to save state; there the output's data are exchanged without that.
 * VS Code leaves a widget alone whose output is updated (`renderIPyWidget` in vscode-jupyter).
 */
import type { PictureWay } from "./messages.ts";

const VIEW = "application/vnd.jupyter.widget-view+json";
/** The origin that JupyterLab gives its own changes of a document that are already on the page. */
const ON_THE_PAGE = "silent-change";

interface Output {
  data?: Record<string, unknown>;
}

/** A cell of JupyterLab's shared document (`@jupyter/ydoc`). */
interface Cell {
  getOutputs(): Output[];
  updateOutputs(start: number, end: number, outputs: Output[], origin: string): void;
}

interface Notebook {
  cells: Iterable<{ sharedModel?: Partial<Cell> }>;
  dirty?: boolean;
}

/** A host's widget manager, of which only JupyterLab's has a `context`. */
interface Manager {
  context?: { model?: Partial<Notebook> };
}

export class Outputs {
  readonly #notebook: Notebook | null;
  readonly way: PictureWay;

  /** `manager` is whatever the host calls its widget manager. */
  constructor(manager: unknown) {
    const vscode = globalThis.document?.body.hasAttribute("data-vscode-theme-kind");
    const model = (manager as Manager | null | undefined)?.context?.model;
    const cells = model?.cells;
    // VS Code hands JupyterLab's manager a notebook of its own making, which nobody saves.
    this.#notebook = cells && Symbol.iterator in cells && !vscode ? (model as Notebook) : null;
    this.way = this.#notebook ? "keep" : vscode ? "update" : "none";
  }

  /** Put a MIME bundle into every output of the notebook that shows the widget which it names. */
  keep(data: Record<string, unknown>): void {
    const id = modelId(data);
    if (!this.#notebook || id === undefined) return;
    for (const { sharedModel } of this.#notebook.cells) {
      if (!isCodeCell(sharedModel)) continue;
      sharedModel.getOutputs().forEach((output, index) => {
        if (!output.data || modelId(output.data) !== id || same(output.data, data)) return;
        sharedModel.updateOutputs(index, index + 1, [{ ...output, data }], ON_THE_PAGE);
        // So that the notebook asks to be saved, and saves itself.
        (this.#notebook as Notebook).dirty = true;
      });
    }
  }
}

function isCodeCell(cell: Partial<Cell> | undefined): cell is Cell {
  return typeof cell?.getOutputs === "function" && typeof cell.updateOutputs === "function";
}

function modelId(data: Record<string, unknown>): unknown {
  return (data[VIEW] as { model_id?: unknown } | undefined)?.model_id;
}

function same(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  return a["image/png"] === b["image/png"] && String(a["text/plain"]) === String(b["text/plain"]);
}
