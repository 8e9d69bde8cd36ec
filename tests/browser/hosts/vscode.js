// The part of VS Code's Jupyter extension around its widget manager: a kernel, a script loader, and outputs to draw into.
import { activate } from "./ipywidgets.js";

const WIDGET = "application/vnd.jupyter.widget-view+json";
const { requirejs } = window;
const container = document.getElementById("container");
const { KernelManager, ServerConnection } = await new Promise((resolve) => requirejs(["@jupyterlab/services"], resolve));

activate();
window.vscIPyWidgets8.load();

const scripts = {
  widgetsRegisteredInRequireJs: new Set(),
  async loadWidgetScript(name) {
    requirejs.config({ paths: { [name]: new URL(name, location.href).href } });
    scripts.widgetsRegisteredInRequireJs.add(name);
  },
  successHandler() {},
  errorHandler(_className, name, _version, error) {
    console.error(`${name} could not be loaded: ${error}`);
  },
};

let kernel;
let widgets;

/** What the notebook's file has of each cell: `[{ data, display_id }]`. */
const notebook = new Map();
/** The mime types that VS Code draws, best first. */
const MIME_TYPES = [WIDGET, "text/html", "image/png", "text/plain"];

/** Connect to a running kernel with a manager of its own, as after every start and restart. */
window.connect = (id, token) => {
  const serverSettings = ServerConnection.makeSettings({ baseUrl: `${location.origin}/`, token, appendToken: true });
  widgets?.dispose();
  kernel?.dispose();
  kernel = new KernelManager({ serverSettings }).connectTo({ model: { id, name: "python3" }, handleComms: true });
  kernel.iopubMessage.connect((_, { header, content }) => {
    if (header.msg_type === "update_display_data") update(content);
  });
  widgets = new window.vscIPyWidgets.WidgetManager(kernel, container, scripts, () => {});
};

/** Drop manager and connection, as VS Code does when the kernel is restarted; the outputs stay on the page. */
window.disconnect = () => {
  widgets?.dispose();
  kernel?.dispose();
};

/** Run a cell and draw its outputs. */
window.run = async (code, cell) => {
  let output = document.getElementById(cell);
  if (!output) {
    output = container.appendChild(document.createElement("div"));
    output.id = cell;
    output.className = "output";
  }
  output.replaceChildren();
  const outputs = [];
  notebook.set(cell, outputs);
  const drawn = [];
  const future = kernel.requestExecute({ code });
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === "error") drawn.push(Promise.reject(new Error(content.traceback.join("\n"))));
    if (header.msg_type === "execute_result" || header.msg_type === "display_data") {
      outputs.push({ data: content.data, display_id: content.transient?.display_id });
      drawn.push(draw(content.data, output));
    }
  };
  await future.done;
  await Promise.all(drawn);
};

/** VS Code replaces the output's data, and leaves alone a widget that is already drawn in that output. */
function update({ data, transient }) {
  for (const output of [...notebook.values()].flat()) {
    if (output.display_id === transient.display_id) output.data = data;
  }
}

/** What would be in the file, were the notebook saved now. */
window.saved = () => [...notebook.values()].flat().map(({ data }) => data);

/** Draw the outputs of a file that was opened: no widget's model is there, so that VS Code takes the next mime type. */
window.openFile = (outputs) => Promise.all(outputs.map((data) => draw({ ...data, [WIDGET]: undefined }, container)));

async function draw(data, output) {
  const element = output.appendChild(document.createElement("div"));
  const type = MIME_TYPES.find((name) => data[name] !== undefined);
  if (type === "text/html") element.innerHTML = data[type];
  if (type === "text/plain") element.appendChild(document.createElement("pre")).textContent = data[type];
  if (type === "image/png") element.appendChild(new Image()).src = `data:image/png;base64,${data[type]}`;
  if (type !== WIDGET) return;
  element.className = "cell-output-ipywidget-background";
  const model = await widgets.get_model(data[WIDGET].model_id);
  const view = await widgets.create_view(model, { el: element });
  await widgets.display_view(data[WIDGET], view, { node: element });
}

window.ready = true;
