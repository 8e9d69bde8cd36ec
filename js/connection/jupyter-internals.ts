/**
 * Everything in its hosts that the lens uses beyond anywidget's documented interface (https://anywidget.dev/en/afm):
 * names of JupyterLab, ipywidgets and VS Code that a new version may change. tests/browser/test_jupyter_internals.py
 * asks the real packages for each of them. Each comment states what the lens does where the name is missing; nothing
 * throws.
 */
import type { AnyModel } from "@anywidget/types";
import type { FilterTable, Traits } from "../protocol/records.ts";

interface Announcer {
  connect(slot: () => void): unknown;
  disconnect(slot: () => void): unknown;
}

/** https://jupyterlab.readthedocs.io/en/stable/api/interfaces/services.Kernel.IKernelConnection.html */
export interface KernelConnection {
  status?: string;
  statusChanged?: Announcer;
  connectionStatus?: string;
  connectionStatusChanged?: Announcer;
  requestCommInfo?(content: { target_name: string }): Promise<{
    content: { status: string; comms?: Record<string, unknown> };
  }>;
}

/** What a host calls its widget manager; only JupyterLab's has a `context`. */
interface Manager {
  kernel?: KernelConnection | null;
  context?: { model?: Partial<Notebook> };
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

/** An output of a notebook's cell, with its MIME bundle. */
export interface Output {
  data?: Record<string, unknown>;
}

function managerOf(model: AnyModel<Traits>): Manager | null {
  try {
    return (model.widget_manager as Manager | undefined) ?? null;
  } catch {
    return null;
  }
}

/**
 * The connection of JupyterLab, Notebook and Voila to the process that runs Python.
 * Without it a broken connection is not noticed: Python seems busy, and requests are sent again until they are
 * answered.
 */
export function kernelConnectionOf(model: AnyModel<Traits>): KernelConnection | null {
  return managerOf(model)?.kernel ?? null;
}

/**
 * Events of ipywidgets' models: the comm was closed, or was replaced because Python was restarted.
 * Without them the lens mistakes a Python that is gone for a busy one, unless `send` throws.
 */
export const GONE_EVENTS = ["comm:close", "comm_live_update"] as const;

/** A model of ipywidgets, with its `IClassicComm`: a function that is given replaces the one before. */
interface HostModel {
  comm?: { on_close?(callback: () => void): void; on_msg?(callback: () => void): void } | null;
  on?(name: string, callback: (closed?: HostModel) => void): void;
}

/** Event of ipywidgets' models, with the model itself: it is being closed, and its comm is still there. */
export const CLOSED_EVENT = "destroy";

/**
 * Have the comm of a closed model forget what it calls. JupyterLab keeps the comm of every widget that was closed until the
 * kernel is gone (`CommHandler` never disconnects from the kernel's `statusChanged`), and the functions that the comm calls
 * hold the model with all that is in its traits.
 * Without them a page keeps the pictures, kernels and style of each lens that it ever showed.
 */
export function forgetClosed(closed?: HostModel): void {
  closed?.comm?.on_close?.(() => {});
  closed?.comm?.on_msg?.(() => {});
}

/** The model of a widget's layout: its view holds the widget's own model. */
export function layoutOf(model: { get(name: never): unknown }): HostModel | null | undefined {
  return model.get("layout" as never) as HostModel | null | undefined;
}

/**
 * Whether a view was drawn without a live comm, as on a saved page. It is asked once: later on anywidget takes the view's own
 * listeners off the model, and ipywidgets leaves the class as it was.
 * Without the class a saved page says that Python is busy, until the first request cannot be sent.
 */
export function isDrawnWithoutPython(element: Element): boolean {
  return element.closest(".jupyter-widgets-disconnected") !== null;
}

/** Whether the page is VS Code's. Without the attribute its outputs keep the picture that they were made with. */
export function isVSCode(): boolean {
  return globalThis.document?.body.hasAttribute("data-vscode-theme-kind") ?? false;
}

/** The origin that JupyterLab gives its own changes of a document that are already on the page. */
const ON_THE_PAGE = "silent-change";

/** The outputs of JupyterLab's notebook. */
export interface NotebookOutputs {
  /** Give outputs another MIME bundle without redrawing them; `change` returns null for those that stay. */
  change(change: (data: Record<string, unknown>) => Record<string, unknown> | null): void;
}

/**
 * The outputs of the notebook, where `manager` is JupyterLab's, as ipywidgets itself uses them to save state.
 * Without them the notebook keeps the picture of the lens as it was first displayed.
 */
export function notebookOutputsOf(manager: unknown): NotebookOutputs | null {
  const notebook = (manager as Manager | null | undefined)?.context?.model;
  const cells = notebook?.cells;
  // VS Code hands JupyterLab's manager a notebook of its own making, which nobody saves.
  if (!notebook || !cells || !(Symbol.iterator in cells) || isVSCode()) return null;
  return {
    change(change) {
      for (const { sharedModel } of cells) {
        if (!isCodeCell(sharedModel)) continue;
        sharedModel.getOutputs().forEach((output, index) => {
          const data = output.data && change(output.data);
          if (!data) return;
          sharedModel.updateOutputs(index, index + 1, [{ ...output, data }], ON_THE_PAGE);
          // So that the notebook asks to be saved, and saves itself.
          notebook.dirty = true;
        });
      }
    },
  };
}

function isCodeCell(cell: Partial<Cell> | undefined): cell is Cell {
  return typeof cell?.getOutputs === "function" && typeof cell.updateOutputs === "function";
}

/**
 * Bring the filters that a host saves with the notebook up to date, without telling Python: ipywidgets saves the very object that
 * the trait holds, which is changed in place.
 * Where a host keeps a copy, a saved page shows the filters as they were when the lens was displayed.
 */
export function keepForSaving(model: AnyModel<Traits>, newest: () => FilterTable): void {
  const table = model.get("_filters");
  if (table) Object.assign(table, newest());
}
