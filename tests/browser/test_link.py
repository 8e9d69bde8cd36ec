"""The line between browser and Python: lost messages, a broken connection, a Python that stops, restarts or is busy."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.gate import Gate
from tests.browser.hosts.jupyterlab import READY, JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL, SMALL_KERNELS, SMALL_MAP, assert_in_step
from tests.browser.python import PythonError
from tests.browser.running import watched
from tests.browser.server import JupyterServer

WEATHER = Path(__file__).with_name("weather.js")
REQUEST = '"client":'
ANSWER = r'"type":\s*"answer"'
COMM = r'"msg_type":\s*"comm_msg"'


@pytest.fixture(scope="module")
def shared(server: JupyterServer, browser: Browser, warm_python: str) -> Iterator[Notebook]:
    """One notebook for the tests here, on a page whose websockets they can break."""
    with watched(browser) as context:
        context.add_init_script(path=WEATHER)
        with JupyterLab.of(server, context) as lab:
            yield lab.open([SMALL], python=warm_python)


def lose(notebook: Notebook, way: str, message: str | None) -> None:
    """Lose the next message of this kind, on its way up to Python or down from it, or all (`always`), from 0 on."""
    notebook.page.evaluate("([way, message]) => { weather[way] = message; weather.lost = 0; }", [way, message])


def lost(notebook: Notebook) -> int:
    return int(notebook.page.evaluate("weather.lost"))


@pytest.mark.parametrize(("way", "message"), [("up", REQUEST), ("down", ANSWER)], ids=["request", "answer"])
def test_a_lost_message_delays_an_edit_but_neither_loses_nor_doubles_it(
    small: tuple[Notebook, LensView], way: str, message: str
) -> None:
    notebook, view = small
    for value in ("2", "3"):
        view.write(0, 0, 0, value)
        view.settle()
    lose(notebook, way, message)
    view.button("Undo").click()
    expect(view.root).to_have_attribute("data-link", "busy")
    view.write(1, 1, 1, "4")
    assert_in_step(notebook, view)
    assert lost(notebook) == 1
    assert notebook.python.value("(float(lens.kernels[0][0, 0]), float(lens.kernels[1][1, 1]))") == (2, 4)
    assert notebook.python.value("lens._session.history.counts") == {"undo": 2, "redo": 0}


def test_messages_from_python_that_were_lost_are_made_up_for_with_the_next_answer(
    small: tuple[Notebook, LensView],
) -> None:
    notebook, view = small
    lose(notebook, "always", COMM)
    notebook.python.run("lens.set_kernel(2, np.eye(4)); lens.add_kernel(np.ones((4, 4)), name='sum')")
    notebook.page.wait_for_function("weather.lost >= 2")
    lose(notebook, "always", None)
    expect(view.cards()).to_have_count(4)
    view.write(0, 0, 0, "5")
    expect(view.cards()).to_have_count(5)
    assert_in_step(notebook, view, count=5)


def test_a_broken_connection_is_shown_and_what_both_sides_did_meanwhile_is_there_once_it_is_back(
    small: tuple[Notebook, LensView],
) -> None:
    notebook, view = small
    notebook.page.evaluate("weather.break()")
    expect(view.root).to_have_attribute("data-link", "disconnected")
    expect(view.root.locator(".cl-status")).to_contain_text("connection lost")
    view.write(0, 0, 0, "5")
    expect(view.map(0)).to_have_attribute("data-provenance", "preview")
    notebook.python.run("lens.set_kernel(2, np.eye(4)); lens.names = ['left', 'right', 'up', 'down']")
    notebook.page.evaluate("weather.mend()")
    expect(view.card(2)).to_have_attribute("aria-label", "Filter 2: up")
    assert_in_step(notebook, view)
    assert notebook.python.value("float(lens.kernels[0][0, 0])") == 5


def test_an_interrupted_cell_lets_what_was_edited_meanwhile_through(
    small: tuple[Notebook, LensView], gate: Gate, server: JupyterServer
) -> None:
    notebook, view = small
    running = notebook.python.start(gate.wait)
    gate.until_waited_at()
    view.write(0, 0, 0, "5")
    expect(view.root).to_have_attribute("data-link", "busy")
    expect(view.root.locator(".cl-status")).to_contain_text("kernel busy")
    server.api("POST", f"kernels/{notebook.python_id}/interrupt")
    with pytest.raises(PythonError, match="KeyboardInterrupt"):
        notebook.python.finish(running)
    assert_in_step(notebook, view)
    assert notebook.python.value("float(lens.kernels[0][0, 0])") == 5


def test_after_a_kernel_died_the_edits_stay_on_screen_and_the_cell_run_again_goes_on(lab: JupyterLab) -> None:
    notebook = lab.open([SMALL])
    notebook.run_all()
    view = LensView(notebook.page).settle()
    view.write(0, 0, 0, "3")
    view.settle()
    before = view.map_pixels(0, SMALL_MAP)
    os.kill(notebook.python.value("__import__('os').getpid()"), signal.SIGKILL)
    # The server starts another, and JupyterLab tells the person.
    notebook.page.locator(".jp-Dialog").get_by_role("button").last.click()
    expect(view.root).to_have_attribute("data-link", "offline")
    expect(view.root.locator(".cl-status")).to_contain_text("the kernel was restarted: run the cell again")
    assert (view.map_pixels(0, SMALL_MAP) == before).all()
    view.write(0, 3, 3, "-4")
    expect(view.map(0)).to_have_attribute("data-provenance", "preview")
    assert view.kernel(0)[[0, 3], [0, 3]].tolist() == [3, -4]
    notebook.page.wait_for_function(READY)
    notebook.run_all()
    again = LensView(notebook.page)
    again.until_kernel(0, SMALL_KERNELS[0])
    again.settle()
    again.write(0, 3, 3, "-4")
    assert_in_step(notebook, again)
    np.testing.assert_array_equal(notebook.python.value("lens.kernels[0][3]"), [-1, -1, 1, -4])
