"""One lens in Python, two models in two pages: what Colab makes of every second view."""

from __future__ import annotations

from tests.browser.hosts.jupyterlab import READY, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL_MAP, assert_in_step


def test_two_models_of_one_lens_stay_in_step_through_python(small: tuple[Notebook, LensView]) -> None:
    notebook, here = small
    notebook.save()
    page = notebook.page.context.new_page()
    page.goto(notebook.page.url)
    page.wait_for_function(READY)
    there = LensView(page).settle()
    here.write(0, 0, 0, "3")
    there.wait_for_number(0, 0, 0, 3)
    there.write(1, 0, 0, "4")
    here.wait_for_number(1, 0, 0, 4)
    notebook.kernel.run("lens.add_kernel(np.eye(4))")
    for view in (here, there):
        assert_in_step(notebook, view, count=5)
    assert (here.map_pixels(1, SMALL_MAP) == there.map_pixels(1, SMALL_MAP)).all()
    page.close()
