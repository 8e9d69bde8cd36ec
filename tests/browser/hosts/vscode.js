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

/** Connect to a running kernel with a manager of its own, as after every start and restart. */
window.connect = (id, token) => {
  const serverSettings = ServerConnection.makeSettings({ baseUrl: `${location.origin}/`, token, appendToken: true });
  widgets?.dispose();
  kernel?.dispose();
  kernel = new KernelManager({ serverSettings }).connectTo({ model: { id, name: "python3" }, handleComms: true });
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
  const drawn = [];
  const future = kernel.requestExecute({ code });
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === "error") drawn.push(Promise.reject(new Error(content.traceback.join("\n"))));
    if (header.msg_type === "execute_result" || header.msg_type === "display_data") drawn.push(draw(content.data, output));
  };
  await future.done;
  await Promise.all(drawn);
};

async function draw(data, output) {
  const element = output.appendChild(document.createElement("div"));
  if (!data[WIDGET]) {
    element.innerHTML = data["text/html"] ?? "";
    return;
  }
  element.className = "cell-output-ipywidget-background";
  const model = await widgets.get_model(data[WIDGET].model_id);
  const view = await widgets.create_view(model, { el: element });
  await widgets.display_view(data[WIDGET], view, { node: element });
}

window.ready = true;
