"""A real Jupyter server on loopback, with nothing of the user's own Jupyter in it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request

import nbformat

from tests.browser.guards import PLAIN_HOST
from tests.deadlines import SECONDS
from tests.fetch import fetch

SETTINGS = {
    # JupyterLab asks once whether it may fetch news, and checks for updates; both leave the machine.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
    "docmanager-extension/plugin": {"autosave": False},
}


@dataclass(frozen=True)
class JupyterServer:
    """A running server: where it listens, its token, and its folders."""

    url: str
    token: str
    root: Path
    runtime: Path
    settings: Path

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call the server's REST interface and return what it answers."""
        request = Request(
            f"{self.url}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        text = fetch(request)
        return json.loads(text) if text else None

    def write_notebook(self, name: str, cells: list[str]) -> str:
        """Save a notebook of code cells and return its path on the server."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.root / name)
        return name

    def start_python(self) -> str:
        """Start a Python process that belongs to no notebook yet and return its id."""
        return str(self.api("POST", "kernels", {"name": "python3"})["id"])

    def attach(self, notebook: str, python: str) -> None:
        """Make a notebook open with a Python process that already runs."""
        session = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"id": python}}
        self.api("POST", "sessions", session)

    def stop_python(self, python: str) -> None:
        """Shut a Python process and its sessions down."""
        self.api("DELETE", f"kernels/{python}")

    def write_settings(self) -> None:
        """Write JupyterLab's user settings, over those that a page may have changed."""
        for plugin, settings in SETTINGS.items():
            file = self.settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(settings))

    def connection_file(self, python: str) -> Path:
        """Return the file that tells a client in this process how to reach Python."""
        return self.runtime / f"kernel-{python}.json"


@contextmanager
def serve(folder: Path, application: str = "jupyterlab") -> Iterator[JupyterServer]:
    """Run JupyterLab's server, or Jupyter Notebook's, in `folder` until the block ends."""
    root, token, port = folder / "notebooks", secrets.token_hex(16), free_port()
    root.mkdir(parents=True)
    server = JupyterServer(f"http://127.0.0.1:{port}", token, root, folder / "runtime", folder / "settings")
    server.write_settings()
    command = [sys.executable, "-m", application, "--no-browser", "--allow-root", "--expose-app-in-browser"]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "ServerApp.terminals_enabled": False,
        "ServerApp.local_hostnames": PLAIN_HOST,
        "IdentityProvider.token": token,
        "LabApp.extension_manager": "readonly",
    }
    with subprocess.Popen(
        [*command, *(f"--{name}={value}" for name, value in options.items())],
        env=isolated_environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        drain = wait_until_running(process)
        try:
            server.api("GET", "status")
            yield server
        finally:
            process.terminate()
            drain.join()


def isolated_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which Jupyter and Keras read and write only below `folder`."""
    # Without MPLBACKEND, Jupyter draws Matplotlib's figures into the notebook.
    inherited = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    return inherited | {
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "KERAS_HOME": str(folder / "keras"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def free_port() -> int:
    """Return a port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_running(process: subprocess.Popen[str]) -> threading.Thread:
    """Read the server's log up to the line that says it is ready; return a thread that goes on emptying its pipe."""
    assert process.stderr is not None
    log: list[str] = []
    deadline = threading.Timer(SECONDS, process.kill)
    deadline.start()
    for line in process.stderr:
        log.append(line)
        if "is running at" in line:
            break
    else:
        raise RuntimeError("Jupyter's server did not start:\n" + "".join(log))
    deadline.cancel()
    drain = threading.Thread(target=process.stderr.read)
    drain.start()
    return drain
