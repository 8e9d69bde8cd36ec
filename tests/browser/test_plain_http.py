"""The lens on plain http, where browsers lack what they give to secure contexts only: a JupyterHub in a LAN."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import matplotlib.pyplot as plt
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.guards import PLAIN_HOST
from tests.browser.hosts.jupyterlab import READY, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL, assert_in_step
from tests.browser.python import Python
from tests.browser.running import watched
from tests.browser.server import JupyterServer


@pytest.fixture(scope="module")
def shared(server: JupyterServer, browser: Browser, warm_python: str) -> Iterator[Notebook]:
    """One notebook for all tests here, on a page whose address is http and not this machine's own."""
    path = server.write_notebook("plain.ipynb", [SMALL])
    server.attach(path, warm_python)
    with watched(browser) as context:
        page = context.new_page()
        page.goto(f"http://{PLAIN_HOST}:{urlsplit(server.url).port}/doc/tree/{path}?token={server.token}&reset")
        page.wait_for_function(READY)
        python = Python(server.connection_file(warm_python))
        yield Notebook(page, python, warm_python)
        python.close()


def test_everything_is_computed_and_drawn_without_a_secure_context(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    missing = "() => [isSecureContext, typeof navigator.clipboard, typeof crypto.randomUUID]"
    assert notebook.page.evaluate(missing) == [False, "undefined", "undefined"]
    view.write(0, 0, 0, "3")
    view.drag(1, 2, 2, up=30)
    assert_in_step(notebook, view)


def test_cells_are_copied_and_pasted_without_a_secure_context(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    keyboard = notebook.page.keyboard
    view.cell(0, 0, 0).focus()
    for _ in range(3):
        keyboard.press("Shift+ArrowRight")
        keyboard.press("Shift+ArrowDown")
    keyboard.press("Control+C")
    view.cell(3, 0, 0).focus()
    keyboard.press("Control+V")
    view.until_kernel(3, view.kernel(0))
    assert_in_step(notebook, view)


def test_the_copy_and_download_buttons_work_without_a_secure_context(
    small: tuple[Notebook, LensView], tmp_path: Path
) -> None:
    notebook, view = small
    view.root.get_by_role("tab", name="Export").click()
    view.button("NumPy code").click()
    code = view.root.get_by_role("textbox", name="NumPy code")
    view.button("Copy").click()
    expect(view.root.get_by_text("Copied.", exact=True)).to_be_visible()
    program = code.input_value()
    view.button("Kernels as JSON").click()
    text = view.root.get_by_role("textbox", name="Kernels as JSON")
    text.focus()
    notebook.page.keyboard.press("Control+A")
    notebook.page.keyboard.press("Control+V")
    expect(text).to_have_value(program)
    view.button("NumPy code").click()
    with notebook.page.expect_download() as download:
        view.button("Download").click()
    download.value.save_as(tmp_path / "program.py")
    assert (tmp_path / "program.py").read_text("utf-8") == program
    names: dict[str, Any] = {}
    exec(compile(program, "program.py", "exec"), names)
    plt.close("all")
    np.testing.assert_allclose(names["activations"], notebook.python.value("lens.activations"), atol=1e-5)
