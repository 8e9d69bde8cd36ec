"""A drag while a cell runs, while the kernel is killed, while the page is loaded again; and a browser that sleeps."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from playwright.sync_api import Browser, Page, expect

from tests.browser.gate import Gate
from tests.browser.hosts.jupyterlab import READY, JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.memory import page_size
from tests.browser.notebooks import SMALL, SMALL_KERNELS, SMALL_MAP, assert_in_step
from tests.browser.running import watched
from tests.browser.server import JupyterServer

#: Counts the lens's requests that leave the page.
COUNTING = """() => {
  window.requests = 0;
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    const text = typeof data === "string" ? data : new TextDecoder("latin1").decode(data);
    if (text.includes('"client":')) window.requests++;
    return send.call(this, data);
  };
}"""

#: Events of a drag per second, as from a mouse that reports its position 120 times a second, and for how many seconds.
RATE, SECONDS = 120, 60
#: Sends a held cell the mouse's position, at a rate per second by the clock for a number of seconds; returns how
#: often, and how long that took. The moves that Playwright makes arrive once per frame.
MOUSE = """(cell, [x, y, rate, seconds]) => new Promise((done) => {
  const start = performance.now();
  let events = 0;
  const timer = setInterval(() => {
    const due = Math.min(rate * seconds, Math.floor(rate * (performance.now() - start) / 1000));
    for (; events < due; events++) {
      const at = { clientX: x, clientY: y - events % 30, pointerId: 1, buttons: 1, bubbles: true };
      cell.dispatchEvent(new PointerEvent("pointermove", at));
    }
    if (events < rate * seconds) return;
    clearInterval(timer);
    done([events, (performance.now() - start) / 1000]);
  }, 1000 / rate);
})"""
#: How much a page's heap may differ between two times, in MB.
NOISE = 5.0


def hold(view: LensView, index: int, row: int, col: int) -> tuple[float, float]:
    """Press the mouse on a cell, and return its position."""
    target = view.cell(index, row, col)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    view.page.mouse.move(x, y)
    view.page.mouse.down()
    return x, y


def test_120_events_a_second_while_a_cell_runs_are_shown_at_once_and_sent_as_one(
    apart: tuple[Notebook, LensView], gate: Gate
) -> None:
    notebook, view = apart
    page = notebook.page
    running = notebook.python.start(gate.wait)
    gate.until_waited_at()
    x, y = hold(view, 0, 1, 1)
    page.mouse.move(x, y - 20)
    expect(view.root).to_have_attribute("data-link", "busy")
    page.evaluate(COUNTING)
    before = page_size(page)
    events, last = view.cell(0, 1, 1).evaluate(MOUSE, [x, y - 20, RATE, SECONDS])
    page.mouse.move(x, y - 40)
    page.mouse.up()
    assert events == RATE * SECONDS
    # The page kept up: no timer was delayed by earlier work.
    assert last <= SECONDS + 1, f"{events} events took {last:.1f} s"
    assert view.provenance(0) == "preview"
    shown, preview = view.kernel(0), view.map_pixels(0, SMALL_MAP)
    assert shown[1, 1] != SMALL_KERNELS[0][1, 1]
    assert page.evaluate("requests") == 0
    assert page_size(page) - before <= NOISE
    gate.open()
    notebook.python.finish(running)
    assert_in_step(notebook, view)
    np.testing.assert_array_equal(view.kernel(0), shown)
    assert (view.map_pixels(0, SMALL_MAP) == preview).all()
    # What waited behind the first request is merged into one.
    assert page.evaluate("requests") <= 2
    assert notebook.python.value("lens._session.history.counts") == {"undo": 1, "redo": 0}


def test_a_kernel_that_is_killed_in_the_middle_of_a_drag_leaves_the_drag_on_screen(lab: JupyterLab) -> None:
    notebook = lab.open([SMALL])
    notebook.run_all()
    view = LensView(notebook.page).settle()
    at = hold(view, 0, 1, 1)
    notebook.page.mouse.move(at[0], at[1] - 20, steps=8)
    assert view.kernel(0)[1, 1] > SMALL_KERNELS[0][1, 1]
    os.kill(notebook.python.value("__import__('os').getpid()"), signal.SIGKILL)
    # The server starts another, and JupyterLab tells the person, over the page.
    dialog = notebook.page.locator(".jp-Dialog")
    dialog.wait_for()
    notebook.page.mouse.move(at[0], at[1] - 40, steps=8)
    notebook.page.mouse.up()
    dragged = view.kernel(0)[1, 1]
    dialog.get_by_role("button").last.click()
    expect(view.root).to_have_attribute("data-link", "offline")
    expect(view.map(0)).to_have_attribute("data-provenance", "preview")
    assert view.kernel(0)[1, 1] == dragged > SMALL_KERNELS[0][1, 1]
    # The mouse was let go: the cell does not follow it.
    notebook.page.mouse.move(at[0], at[1] + 60, steps=4)
    view.write(0, 3, 3, "-4")
    assert view.kernel(0)[[1, 3], [1, 3]].tolist() == [dragged, -4]


def test_a_page_that_is_loaded_again_in_the_middle_of_a_drag_shows_what_python_has(
    apart: tuple[Notebook, LensView],
) -> None:
    notebook, view = apart
    notebook.save()
    at = hold(view, 0, 1, 1)
    notebook.page.mouse.move(at[0], at[1] - 20, steps=8)
    before = view.kernel(0)[1, 1]
    view.settle()
    notebook.page.mouse.move(at[0], at[1] - 40, steps=8)
    notebook.reload()
    again = LensView(notebook.page)
    assert_in_step(notebook, again)
    # What was dragged in the last moment may not have left the page; what Python had answered is kept.
    assert again.kernel(0)[1, 1] >= before > SMALL_KERNELS[0][1, 1]
    assert notebook.python.value("lens._session.history.counts") == {"undo": 1, "redo": 0}
    notebook.page.mouse.up()
    again.button("Undo").click()
    again.until_kernel(0, SMALL_KERNELS[0])
    again.write(0, 1, 1, "4")
    assert_in_step(notebook, again)


@contextmanager
def asleep(page: Page) -> Iterator[None]:
    """Freeze a page's scripts, as a browser does with one long out of sight, and check that they were frozen."""
    page.evaluate("""() => {
      window.longest = 0;
      let last = performance.now();
      setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; }, 10);
    }""")
    session = page.context.new_cdp_session(page)
    session.send("Debugger.enable")
    session.send("Debugger.pause")
    start = time.monotonic()
    yield
    slept = time.monotonic() - start
    session.send("Debugger.resume")
    session.detach()
    page.wait_for_function("least => longest >= least", arg=1000 * (slept - 1))


def test_a_browser_that_slept_while_another_edited_shows_all_of_it_when_it_wakes(
    apart: tuple[Notebook, LensView], browser: Browser, server: JupyterServer
) -> None:
    notebook, here = apart
    notebook.save()
    with watched(browser) as other:
        page = other.new_page()
        page.goto(f"{notebook.page.url}?token={server.token}")
        page.wait_for_function(READY)
        there = LensView(page).settle()
        with asleep(page):
            for value in range(1, 41):
                here.write(value % 4, 0, 0, str(100 + value))
            notebook.python.run("lens.add_kernel(np.eye(4), name='diagonal')")
            assert_in_step(notebook, here, count=5)
        expect(there.card(4)).to_have_attribute("aria-label", "Filter 4: diagonal")
        assert_in_step(notebook, there, count=5)
        there.write(4, 0, 0, "7")
        here.wait_for_number(4, 0, 0, 7)
        for view in (there, here):
            assert_in_step(notebook, view, count=5)
