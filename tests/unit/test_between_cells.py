"""In a real kernel: what a browser asks for is done between cells, also where its messages come in beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jupyter_client.manager import KernelManager

from tests.browser.gate import Gate, closed_gate
from tests.browser.kernel import Kernel

LENS = """
import sys
sys.modules["keras"] = None  # kernels can be edited without it, and sooner
import numpy as np
from convlens import ConvLens
lens = ConvLens(np.zeros((8, 9)), [np.zeros((3, 3))])
"""


class Subshell:
    """A thread of the kernel's beside that of the cells, to which JupyterLab sends what widgets say."""

    def __init__(self, kernel: Kernel) -> None:
        self._client = kernel._client
        request = self._client.session.msg("create_subshell_request", {})
        self._client.control_channel.send(request)
        reply = self._client.control_channel.get_msg(timeout=60)
        self._id = reply["content"]["subshell_id"]

    def send(self, kind: str, content: dict[str, Any]) -> str:
        message = self._client.session.msg(kind, content)
        message["header"]["subshell_id"] = self._id
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def ask_lens(self, comm: str, **request: Any) -> None:
        """Send a request, and return when it has come out of the subshell's queue."""
        self.send("comm_msg", {"comm_id": comm, "data": {"method": "custom", "content": request}})
        last = self.send("execute_request", {"code": "", "silent": True})
        while self._client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != last:
            pass


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3", connection_file=str(tmp_path / "kernel.json"))
    manager.start_kernel(cwd=str(tmp_path))
    first = manager.blocking_client()
    first.start_channels()
    first.wait_for_ready(timeout=60)
    first.stop_channels()
    client = Kernel(tmp_path / "kernel.json")
    try:
        yield client
    finally:
        client.close()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with closed_gate(tmp_path) as closed:
        yield closed


def test_an_edit_that_comes_while_a_cell_reads_and_writes_the_kernels_is_not_lost(kernel: Kernel, gate: Gate) -> None:
    kernel.run(LENS)
    comm, uid = kernel.value("[lens.comm.comm_id, lens._state['order'][0]]")
    subshell = Subshell(kernel)
    # The kernel sends a widget's messages where it answered last: once it has answered one of the subshell's, there.
    subshell.ask_lens(comm, type="hello", client="browser", seq=1, generation=1, revs=[], image=1, again=False)
    kernel.run("")
    cell = kernel.start(f"k = lens.kernels[0].copy(); {gate.wait}; k[0, 0] = 7; lens.set_kernel(0, k)")
    gate.until_waited_at()
    edits = [{"uid": uid, "taps": {"index": [4], "value": [5]}}]
    subshell.ask_lens(comm, type="edit", client="browser", seq=2, edits=edits, gesture="a")
    gate.open()
    kernel.finish(cell)
    kernel.run("")
    expected = np.zeros((3, 3), np.float32)
    expected[0, 0], expected[1, 1] = 7, 5
    np.testing.assert_array_equal(kernel.value("lens.kernels[0]"), expected)
    assert kernel.value("lens._session.history.counts") == {"undo": 2, "redo": 0}
