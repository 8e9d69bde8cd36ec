"""Code run in a notebook's own Python process, from outside the browser."""

from __future__ import annotations

import ast
import base64
import pickle
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient

from tests.deadlines import SECONDS


class PythonError(AssertionError):
    """Code that a test ran in Python raised an error."""


class Python:
    """A second client of a running Python process (Jupyter's kernel); the browser is the first."""

    def __init__(self, connection_file: Path) -> None:
        self._client = BlockingKernelClient(connection_file=str(connection_file))
        self._client.load_connection_file()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=SECONDS)

    def run(self, code: str) -> None:
        """Run code as a cell would, and wait for its end."""
        self._finish(self.start(code))

    def start(self, code: str) -> str:
        """Begin to run code and return at once; `finish` waits for it."""
        return str(self._client.execute(code, store_history=False))

    def finish(self, request: str) -> None:
        """Wait for code that `start` began."""
        self._finish(request)

    def value(self, expression: str) -> Any:
        """Return the value of an expression: numbers, text, arrays, and lists of them."""
        dump = f"__import__('base64').b64encode(__import__('pickle').dumps({expression})).decode()"
        request = self._client.execute("", silent=True, user_expressions={"value": dump})
        result = self._finish(request)["user_expressions"]["value"]
        if result["status"] != "ok":
            raise PythonError(f"{expression}\n{result['ename']}: {result['evalue']}")
        return pickle.loads(base64.b64decode(ast.literal_eval(result["data"]["text/plain"])))

    def drain(self) -> None:
        """Take what the kernel has published: beyond some thousand messages it keeps in its memory what is not read."""
        while self._client.iopub_channel.msg_ready():
            self._client.get_iopub_msg(timeout=SECONDS)

    def close(self) -> None:
        """Close the sockets; Python keeps running."""
        self._client.stop_channels()

    def _finish(self, request: str) -> dict[str, Any]:
        while True:
            reply = self._client.get_shell_msg(timeout=SECONDS)
            if reply["parent_header"].get("msg_id") == request:
                break
        content: dict[str, Any] = reply["content"]
        if content["status"] != "ok":
            raise PythonError("\n".join(content.get("traceback", [content["status"]])))
        return content
