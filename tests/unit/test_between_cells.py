"""In a real Python process with subshells: a browser's requests are carried out, and between cells."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.gate import Gate, closed_gate
from tests.browser.python import Python
from tests.deadlines import SECONDS

pytestmark = pytest.mark.skipif(int(version("ipykernel").split(".")[0]) < 7, reason="ipykernel 6 has no subshells")

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
    """A thread of Python's beside that of the cells, to which JupyterLab sends what widgets say."""

    def __init__(self, python: Python) -> None:
        self._client = python._client
        self._id = self._control("create_subshell_request")["subshell_id"]

    def delete(self) -> None:
        self._control("delete_subshell_request", subshell_id=self._id)

    def _control(self, kind: str, **content: str) -> dict[str, Any]:
        self._client.control_channel.send(self._client.session.msg(kind, content))
        reply: dict[str, Any] = self._client.control_channel.get_msg(timeout=SECONDS)["content"]
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
        while self._client.get_shell_msg(timeout=SECONDS)["parent_header"].get("msg_id") != request:
            pass


def hello(seq: int) -> dict[str, Any]:
    return {"type": "hello", "seq": seq, "generation": 1, "revs": [], "image": 1, "again": False}


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with closed_gate(tmp_path) as closed:
        yield closed


def test_an_edit_that_comes_while_a_cell_reads_and_writes_the_kernels_is_not_lost(python: Python, gate: Gate) -> None:
    python.run(LENS)
    comm, uid = python.value("[lens.comm.comm_id, lens._state['order'][0]]")
    subshell = Subshell(python)
    subshell.ask_lens(comm, client="browser", **hello(1))
    python.run("")
    cell = python.start(f"k = lens.kernels[0].copy(); {gate.wait}; k[0, 0] = 7; lens.set_kernel(0, k)")
    gate.until_waited_at()
    edits = [{"uid": uid, "taps": {"index": [4], "value": [5]}}]
    subshell.ask_lens(comm, type="edit", client="browser", seq=2, edits=edits, gesture="a")
    gate.open()
    python.finish(cell)
    python.run("")
    expected = np.zeros((3, 3), np.float32)
    expected[0, 0], expected[1, 1] = 7, 5
    np.testing.assert_array_equal(python.value("lens.kernels[0]"), expected)
    assert python.value("lens._session.history.counts") == {"undo": 2, "redo": 0}


def test_a_page_can_edit_after_another_that_was_answered_last_has_gone_with_its_subshell(python: Python) -> None:
    python.run(LENS)
    comm, uid = python.value("[lens.comm.comm_id, lens._state['order'][0]]")
    page, other = Subshell(python), Subshell(python)
    for name, subshell in (("page", page), ("other", other)):
        subshell.ask_lens(comm, client=name, **hello(1))
        python.run("")
    other.delete()
    edits = [{"uid": uid, "taps": {"index": [4], "value": [5]}}]
    page.ask_lens(comm, client="page", type="edit", seq=2, edits=edits, gesture="a")
    python.run("")
    assert python.value("lens.kernels[0][1, 1]") == 5


def test_a_page_can_edit_after_a_thread_has_changed_the_lens_and_another_widgets_subshell_has_gone(
    python: Python,
) -> None:
    python.run(LENS + "import threading")
    comm, uid = python.value("[lens.comm.comm_id, lens._state['order'][0]]")
    page, others = Subshell(python), Subshell(python)
    page.ask_lens(comm, client="page", **hello(1))
    python.run("")
    # In a thread without a request, ipykernel uses the last one that it got, whoever sent it.
    changed = others.send("execute_request", {"code": CHANGE_IN_A_THREAD, "silent": True})
    others.wait(changed)
    others.delete()
    edits = [{"uid": uid, "taps": {"index": [4], "value": [5]}}]
    page.ask_lens(comm, client="page", type="edit", seq=2, edits=edits, gesture="a")
    python.run("")
    assert python.value("lens.kernels[0][1, 1]") == 5
