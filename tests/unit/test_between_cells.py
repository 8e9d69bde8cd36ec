"""In a real kernel with subshells: what a browser asks for is done, and done between cells."""

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


CHANGE_IN_A_THREAD = """
thread = threading.Thread(target=lens.set_kernel, args=(0, np.ones((3, 3))))
thread.start()
thread.join()
"""


class Subshell:
    """A thread of the kernel's beside that of the cells, to which JupyterLab sends what widgets say."""

    def __init__(self, kernel: Kernel) -> None:
        self._client = kernel._client
        self._id = self._control("create_subshell_request")["subshell_id"]

    def delete(self) -> None:
        self._control("delete_subshell_request", subshell_id=self._id)

    def _control(self, kind: str, **content: str) -> dict[str, Any]:
        self._client.control_channel.send(self._client.session.msg(kind, content))
        reply: dict[str, Any] = self._client.control_channel.get_msg(timeout=60)["content"]
        assert reply["status"] == "ok", reply
        return reply

    def send(self, kind: str, content: dict[str, Any]) -> str:
        message = self._client.session.msg(kind, content)
        message["header"]["subshell_id"] = self._id
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def ask_lens(self, comm: str, **request: Any) -> None:
        """Send a request, and return when it has come out of the subshell's queue."""
        self.send("comm_msg", {"comm_id": comm, "data": {"method": "custom", "content": request}})
        last = self.send("execute_request", {"code": "", "silent": True})
        self.wait(last)

    def wait(self, request: str) -> None:
        """Return when this request is answered."""
        while self._client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != request:
            pass


def hello(seq: int) -> dict[str, Any]:
    return {"type": "hello", "seq": seq, "generation": 1, "revs": [], "image": 1, "again": False}


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
    subshell.ask_lens(comm, client="browser", **hello(1))
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


def test_a_page_can_edit_after_another_that_was_answered_last_has_gone_with_its_subshell(kernel: Kernel) -> None:
    kernel.run(LENS)
    comm, uid = kernel.value("[lens.comm.comm_id, lens._state['order'][0]]")
    page, other = Subshell(kernel), Subshell(kernel)
    for name, subshell in (("page", page), ("other", other)):
        subshell.ask_lens(comm, client=name, **hello(1))
        kernel.run("")
    other.delete()
    edits = [{"uid": uid, "taps": {"index": [4], "value": [5]}}]
    page.ask_lens(comm, client="page", type="edit", seq=2, edits=edits, gesture="a")
    kernel.run("")
    assert kernel.value("lens.kernels[0][1, 1]") == 5


def test_a_page_can_edit_after_a_thread_has_changed_the_lens_and_another_widgets_subshell_has_gone(
    kernel: Kernel,
) -> None:
    kernel.run(LENS + "import threading")
    comm, uid = kernel.value("[lens.comm.comm_id, lens._state['order'][0]]")
    page, others = Subshell(kernel), Subshell(kernel)
    page.ask_lens(comm, client="page", **hello(1))
    kernel.run("")
    # In a thread that knows of no request, the kernel takes the last one that it got, from whomever.
    changed = others.send("execute_request", {"code": CHANGE_IN_A_THREAD, "silent": True})
    others.wait(changed)
    others.delete()
    edits = [{"uid": uid, "taps": {"index": [4], "value": [5]}}]
    page.ask_lens(comm, client="page", type="edit", seq=2, edits=edits, gesture="a")
    kernel.run("")
    assert kernel.value("lens.kernels[0][1, 1]") == 5
