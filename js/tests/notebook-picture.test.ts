// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { NotebookPicture } from "../connection/notebook-picture.ts";

const VIEW = "application/vnd.jupyter.widget-view+json";

afterEach(() => document.body.removeAttribute("data-vscode-theme-kind"));

/** A cell of JupyterLab's shared document that records its changes. */
function cell(...ids: string[]) {
  const outputs = ids.map((model_id) => ({
    output_type: "display_data",
    metadata: {},
    data: { [VIEW]: { model_id }, "text/plain": "a lens" } as Record<string, unknown>,
  }));
  const told: unknown[] = [];
  const sharedModel = {
    getOutputs: () => structuredClone(outputs),
    updateOutputs: (start: number, end: number, given: typeof outputs, origin: string) => {
      told.push([start, end, origin]);
      outputs.splice(start, end - start, ...given);
    },
  };
  return { sharedModel, outputs, told };
}

function bundle(model_id: string, png: string) {
  return { [VIEW]: { model_id }, "image/png": png, "text/plain": "a lens" };
}

test("every output of the lens in JupyterLab's notebook gets the picture, without being drawn anew", () => {
  const cells = [cell("other", "lens"), { sharedModel: {} }, cell("lens")] as const;
  const notebook = { cells, dirty: false };
  const outputs = new NotebookPicture({ context: { model: notebook } });
  expect(outputs.way).toBe("keep");
  outputs.keep(bundle("lens", "iVBO"));
  expect(cells[0].outputs.map(({ data }) => data["image/png"])).toEqual([undefined, "iVBO"]);
  expect(cells[2].outputs[0]).toEqual({
    output_type: "display_data",
    metadata: {},
    data: bundle("lens", "iVBO"),
  });
  // What JupyterLab calls its own changes of what is on the page already.
  expect(cells[0].told).toEqual([[1, 2, "silent-change"]]);
  expect(notebook.dirty).toBe(true);
});

test("a picture that is in the notebook already makes it no more in need of saving", () => {
  const only = cell("lens");
  const notebook = { cells: [only], dirty: false };
  const outputs = new NotebookPicture({ context: { model: notebook } });
  outputs.keep(bundle("lens", "iVBO"));
  notebook.dirty = false;
  outputs.keep(bundle("lens", "iVBO"));
  expect(only.told).toHaveLength(1);
  expect(notebook.dirty).toBe(false);
});

test("VS Code takes the picture by update_display_data, any other host not at all", () => {
  expect(new NotebookPicture(undefined).way).toBe("none");
  expect(new NotebookPicture({ context: {} }).way).toBe("none");
  document.body.dataset.vscodeThemeKind = "vscode-dark";
  // Its manager is JupyterLab's, with a notebook that is not the one on the screen.
  const outputs = new NotebookPicture({ context: { model: { cells: [cell("lens")] } } });
  expect(outputs.way).toBe("update");
  outputs.keep(bundle("lens", "iVBO"));
});
