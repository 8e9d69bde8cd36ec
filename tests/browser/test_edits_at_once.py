"""Edits from threads, a timer, an asyncio task, a callback and the browser at once, in a real kernel."""

from __future__ import annotations

import numpy as np

from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import assert_in_step

#: Four threads, each editing a filter of its own; `lost` has the edits that were not there right afterwards.
FOUR_THREADS = """
import sys, threading
lost, before, start = [], sys.getswitchinterval(), threading.Barrier(4)
def edit(i):
    start.wait()
    for value in range(1, 101):
        lens.set_kernel(i, np.full((4, 4), value))
        if lens.kernels[i][0, 0] != value:
            lost.append((i, value))
threads = [threading.Thread(target=edit, args=(i,)) for i in range(4)]
sys.setswitchinterval(1e-6)
try:
    for thread in threads: thread.start()
    for thread in threads: thread.join()
finally:
    sys.setswitchinterval(before)
"""

#: A task edits filter 1, a callback copies it to filter 2, and a timer edits filter 3, as the browser does.
TOGETHER = """
import asyncio, threading
ended = set()
def copy(change):
    if not np.array_equal(lens.kernels[2], lens.kernels[1]):
        lens.set_kernel(2, lens.kernels[1])
lens.observe(copy, "kernels")
async def work():
    for value in range(1, 41):
        lens.set_kernel(1, np.full((4, 4), value))
        await asyncio.sleep(0.001)
    ended.add("task")
def tick(value=1):
    lens.set_kernel(3, np.full((4, 4), value))
    if value < 40:
        threading.Timer(0.001, tick, (value + 1,)).start()
    else:
        ended.add("timer")
task = asyncio.ensure_future(work())
threading.Timer(0.001, tick).start()
"""


def test_no_edit_of_four_threads_is_lost_in_a_kernel(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    notebook.python.run(FOUR_THREADS)
    assert notebook.python.value("lost") == []
    view.until_kernel(3, np.full((4, 4), 100))
    assert_in_step(notebook, view)


def test_edits_from_everywhere_at_once_end_as_some_order_of_them_does_on_both_sides(
    small: tuple[Notebook, LensView],
) -> None:
    notebook, view = small
    notebook.python.run(TOGETHER)
    for value in range(101, 109):
        view.write(0, 0, 0, str(value))
        view.write(3, 0, 0, str(value))
    while notebook.python.value("len(ended)") < 2:
        notebook.python.run("pass")
    assert_in_step(notebook, view)
    kernels = notebook.python.value("list(lens.kernels)")
    assert kernels[0][0, 0] == 108
    np.testing.assert_array_equal(kernels[1], np.full((4, 4), 40))
    np.testing.assert_array_equal(kernels[2], np.full((4, 4), 40))
    assert kernels[3][0, 0] in (40, 108)  # whichever of the two was the last
    np.testing.assert_array_equal(kernels[3].ravel()[1:], np.full(15, 40))
