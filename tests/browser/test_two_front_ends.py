"""One lens in Python, two models of it: two pages of JupyterLab, and two frames as Colab has them."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Browser, expect

from tests.browser.expected import assert_drawn
from tests.browser.hosts.frames import Frames, framed
from tests.browser.hosts.jupyterlab import READY, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL, SMALL_MAP, assert_in_step
from tests.browser.server import JupyterServer


def test_two_models_of_one_lens_stay_in_step_through_python(apart: tuple[Notebook, LensView]) -> None:
    notebook, here = apart
    notebook.save()
    page = notebook.page.context.new_page()
    page.goto(notebook.page.url)
    page.wait_for_function(READY)
    there = LensView(page).settle()
    here.write(0, 0, 0, "3")
    there.wait_for_number(0, 0, 0, 3)
    there.write(1, 0, 0, "4")
    here.wait_for_number(1, 0, 0, 4)
    notebook.python.run("lens.add_kernel(np.eye(4))")
    for view in (there, here):
        # A browser hardly paints a page that is behind another.
        view.page.bring_to_front()
        assert_in_step(notebook, view, count=5)
    assert (here.map_pixels(1, SMALL_MAP) == there.map_pixels(1, SMALL_MAP)).all()
    page.close()


def assert_same(shown: Frames, count: int, cmap: str = "gray") -> None:
    """Fail unless both frames show Python's kernels and Keras's maps of them."""
    for cell in (0, 1):
        view = shown.view(cell).settle()
        expect(view.cards()).to_have_count(count)
        kernels, activations = shown.python.value("(list(lens.kernels), lens.activations)")
        for index, (kernel, activation) in enumerate(zip(kernels, activations, strict=True)):
            view.until_kernel(index, kernel)
            np.testing.assert_array_equal(view.kernel(index), kernel)
            assert_drawn(view.map_pixels(index, activation.shape), activation, cmap)


def test_two_frames_with_a_model_each_stay_in_step_though_echoes_are_ignored(
    browser: Browser, server: JupyterServer, warm_python: str
) -> None:
    with framed(browser, server, warm_python, [SMALL, "lens"]) as shown:
        first, second = shown.view(0).settle(), shown.view(1).settle()
        assert first.root.get_attribute("data-host") == "colab"
        # From one frame to Python and the other, and back: an edit, an undo, a setting, a new filter.
        first.write(0, 0, 0, "3")
        second.wait_for_number(0, 0, 0, 3)
        second.drag(1, 2, 2, up=30)
        first.until_kernel(1, second.settle().kernel(1))
        assert_same(shown, 4)
        first.button("Undo").click()
        second.until_kernel(1, first.settle().kernel(1))
        second.root.get_by_role("combobox", name="colours").select_option("viridis")
        expect(first.root.get_by_role("combobox", name="colours")).to_have_value("viridis")
        assert_same(shown, 4, "viridis")
        shown.python.run("lens.add_kernel(np.eye(4)); lens.image = img[::-1]")
        assert_same(shown, 5, "viridis")
        # Two hands at once, on the same tap: the edit that Python received last applies in both.
        first.write(2, 1, 1, "5")
        second.write(2, 1, 1, "6")
        for view in (first, second):
            view.settle()
        assert_same(shown, 5, "viridis")
        seen = [frame.evaluate("() => window.seen") for frame in shown.frames]
        assert all(one["custom"] > 0 for one in seen), seen
