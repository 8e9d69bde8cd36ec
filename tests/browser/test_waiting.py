"""While Keras is loading, busy, missing or failing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.expected import assert_drawn, assert_grey
from tests.browser.gate import Gate
from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL, SMALL_MAP, assert_in_step
from tests.waiting_import import KERAS_WAITS


def test_a_busy_kernel_shows_previews_and_gets_everything_afterwards(
    small: tuple[Notebook, LensView], gate: Gate
) -> None:
    notebook, view = small
    running = notebook.python.start(gate.wait)
    gate.until_waited_at()
    for row in range(4):
        view.write(0, row, 2, str(row + 2))
        view.write(3, row, 1, str(-row))
    expect(view.root).to_have_attribute("data-link", "busy")
    assert view.provenance(0) == view.provenance(3) == "preview"
    previews = [view.map_pixels(index, SMALL_MAP) for index in (0, 3)]
    gate.open()
    notebook.python.finish(running)
    assert_in_step(notebook, view)
    assert [notebook.python.value(f"lens.kernels[0][{row}, 2]") for row in range(4)] == [2, 3, 4, 5]
    activations = notebook.python.value("lens.activations")
    for index, preview in zip((0, 3), previews, strict=True):
        assert_drawn(preview, activations[index])


def test_in_a_fresh_kernel_the_lens_is_on_screen_before_keras_is_imported(lab: JupyterLab, gate: Gate) -> None:
    notebook = lab.open([KERAS_WAITS.format(wait=gate.wait), SMALL])
    notebook.run_all()
    view = LensView(notebook.page).wait()
    for index in range(4):
        expect(view.map(index)).to_have_attribute("data-provenance", "preview")
    expect(view.root).to_have_attribute("data-status", "loading")
    assert not notebook.python.value("'keras.layers' in __import__('sys').modules")
    img = notebook.python.value("img")
    assert_grey(view.image_pixels(img.shape), img)
    early = [view.map_pixels(index, SMALL_MAP) for index in range(4)]
    view.write(0, 0, 0, "2")
    view.answered()
    assert notebook.python.value("lens.kernels[0][0, 0]") == 2
    gate.open()
    assert_in_step(notebook, view)
    notebook.python.run("lens.undo()")
    view.wait_for_number(0, 0, 0, -1)
    for preview, activation in zip(early, notebook.python.value("lens.activations"), strict=True):
        assert_drawn(preview, activation)


def test_a_keras_that_cannot_be_imported_is_reported_on_both_sides(lab: JupyterLab, gate: Gate) -> None:
    gate.open("no backend for this machine")
    notebook = lab.open([KERAS_WAITS.format(wait=gate.wait), SMALL])
    notebook.run_all()
    view = LensView(notebook.page).wait()
    expect(view.root).to_have_attribute("data-status", "failed")
    expect(view.root).to_contain_text("no backend for this machine")
    with pytest.raises(AssertionError, match="no backend for this machine"):
        notebook.python.value("lens.activations")
    assert view.provenance(0) == "preview"


def test_an_error_in_keras_is_shown_and_the_last_good_map_is_marked(
    shared: Notebook, show: Callable[..., LensView]
) -> None:
    code = SMALL.replace("-f1.T])", "-f1.T], activation=moody)")
    moody = """
import keras
fails = False
def moody(x):
    if fails:
        raise RuntimeError("the GPU is on holiday")
    return keras.ops.abs(x)
"""
    notebook, view = shared, show(moody + code)
    before = view.map_pixels(0, SMALL_MAP)
    notebook.python.run("fails = True")
    view.write(0, 0, 0, "5")
    expect(view.notice()).to_contain_text("the GPU is on holiday")
    expect(view.map(0)).to_have_attribute("data-provenance", "stale")
    assert (view.map_pixels(0, SMALL_MAP) == before).all()
    notebook.python.run("fails = False")
    # It lies over the kernels until it is dismissed.
    view.button("Dismiss").click()
    expect(view.notice()).to_have_count(0)
    view.write(0, 0, 0, "6")
    assert_in_step(notebook, view)
