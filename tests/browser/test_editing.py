"""Edits from both sides, through a real Python process: by hand, key, paste, drop and Python."""

from __future__ import annotations

import base64
import io
import os

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.expected import assert_drawn
from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL, SMALL_MAP, assert_in_step

#: Of the random edits; others can be tried with `CONVLENS_SEEDS="1 2 3"` in the environment.
SEEDS = [int(seed) for seed in os.environ.get("CONVLENS_SEEDS", "20261123").split()]


def test_the_maps_are_what_the_tutorials_four_lines_compute(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    notebook.python.run("""
import keras
model = keras.Sequential([keras.Input((*img.shape, 1)), keras.layers.Conv2D(1, (4, 4), activation="relu")])
by_hand = []
for kernel in (f1, -f1, f1.T, -f1.T):
    model.layers[0].set_weights([kernel.reshape(4, 4, 1, 1), np.zeros(1)])
    by_hand.append(np.asarray(model.layers[0](img.reshape(1, *img.shape, 1)))[0, :, :, 0])
""")
    for index, activation in enumerate(notebook.python.value("by_hand")):
        assert_drawn(view.map_pixels(index, activation.shape), activation)


def test_a_number_that_is_typed_arrives_in_python_and_in_the_map(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    before = view.map_pixels(1, SMALL_MAP)
    view.write(1, 2, 3, "1/8")
    assert_in_step(notebook, view)
    assert notebook.python.value("lens.kernels[1][2, 3]") == 0.125
    assert (view.map_pixels(1, SMALL_MAP) != before).any()


def test_a_cell_dragged_by_mouse_arrives_in_python_and_in_the_map(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    view.drag(0, 1, 1, up=40)
    assert_in_step(notebook, view)
    assert notebook.python.value("lens.kernels[0][1, 1]") > -1


def test_a_drag_is_one_step_of_undo(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    original = notebook.python.value("lens.kernels[0]")
    view.drag(0, 1, 1, up=60, steps=30)
    view.settle()
    notebook.python.run("lens.undo()")
    view.wait_for_number(0, 1, 1, -1)
    np.testing.assert_array_equal(notebook.python.value("lens.kernels[0]"), original)
    assert_in_step(notebook, view)


def test_what_python_assigns_shows_in_the_browser(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    notebook.python.run("lens.kernels = [np.full((4, 4), 0.5), *lens.kernels[1:]]; lens.set_kernel(2, np.eye(4))")
    view.wait_for_number(0, 3, 3, 0.5)
    view.wait_for_number(2, 3, 3, 1)
    assert_in_step(notebook, view)
    notebook.python.run("lens.add_kernel(np.ones((4, 4)), name='sum')")
    expect(view.cards()).to_have_count(5)
    assert_in_step(notebook, view, count=5)
    notebook.python.run("lens.cmap = 'viridis'; lens.value_range = (0, 16)")
    activation = notebook.python.value("lens.activations[3]")
    view.until("root => root.textContent.includes('fixed range')")
    assert_drawn(view.map_pixels(3, activation.shape), activation, "viridis", (0, 16))


def test_two_views_of_one_lens_stay_in_step(lab: JupyterLab, warm_python: str) -> None:
    notebook = lab.open([SMALL, "lens"], python=warm_python)
    notebook.run_all()
    first, second = LensView(notebook.page, 0).settle(), LensView(notebook.page, 1).settle()
    first.write(0, 0, 0, "3")
    second.wait_for_number(0, 0, 0, 3)
    second.write(0, 0, 0, "4")
    first.wait_for_number(0, 0, 0, 4)
    assert_in_step(notebook, first)
    assert_in_step(notebook, second)


def test_undo_redo_and_reset_reach_across_both_sides(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    view.write(0, 0, 0, "2")
    view.settle()
    notebook.python.run("lens.set_kernel(0, np.zeros((4, 4)))")
    view.wait_for_number(0, 0, 0, 0)
    view.button("Undo").click()
    view.wait_for_number(0, 0, 0, 2)
    view.button("Undo").click()
    view.wait_for_number(0, 0, 0, -1)
    notebook.python.run("lens.redo()")
    view.wait_for_number(0, 0, 0, 2)
    view.button("Redo").click()
    view.wait_for_number(0, 0, 0, 0)
    view.button("Reset").click()
    view.wait_for_number(0, 0, 0, -1)
    assert_in_step(notebook, view)


def test_a_wrong_value_from_python_raises_there_and_changes_nothing(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    notebook.python.run("""
for wrong in ([np.ones((4, 4)), np.ones((3, 3))], [], "kernels"):
    try:
        lens.kernels = wrong
    except (ValueError, TypeError):
        continue
    raise AssertionError(wrong)
""")
    assert_in_step(notebook, view)


def test_a_picture_dropped_on_the_image_becomes_the_input(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    ramp = (np.linspace(0, 1, 40 * 30).reshape(40, 30) ** 3 * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(ramp).save(file, "PNG")
    drop = """async (figure, data) => {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], "ramp.png", { type: "image/png" }));
      for (const type of ["dragenter", "dragover", "drop"])
        figure.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }"""
    view.root.locator(".cl-image").evaluate(drop, base64.b64encode(file.getvalue()).decode())
    expect(view.root.locator(".cl-image")).to_contain_text("40 × 30")
    view.settle()
    np.testing.assert_allclose(notebook.python.value("lens.image")[:, :, 0], ramp / np.float32(255), rtol=1e-6)
    assert_in_step(notebook, view)


def test_a_text_file_dropped_on_the_image_is_refused_in_words(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    view.root.locator("input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
    )
    expect(view.notice()).to_contain_text("notes.txt")
    assert notebook.python.value("lens.image.shape") == (76, 64, 1)
    assert_in_step(notebook, view)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_of_500_edits_by_hand_key_paste_and_python_none_is_lost_or_doubled(
    small: tuple[Notebook, LensView], seed: int
) -> None:
    notebook, view = small
    page, python = notebook.page, notebook.python
    rng = np.random.default_rng(seed)
    expected = np.stack(python.value("lens.kernels"))
    pending: list[str] = []
    for number in range(500):
        index, row, col = int(rng.integers(4)), int(rng.integers(4)), int(rng.integers(4))
        value = float(np.float32(rng.integers(-9999, 9999) / 1000))
        kind = ("hand", "key", "paste", "python")[int(rng.integers(4))]
        if kind == "python":
            # Both sides write the same filters at the same time; each has cells of its own, so that every end is known.
            col -= col % 2
            pending.append(
                python.start(
                    f"k = lens.kernels[{index}].copy(); k[{row}, {col}] = {value}; lens.set_kernel({index}, k)"
                )
            )
            expected[index, row, col] = value
            continue
        col += 1 - col % 2
        if kind == "hand":
            # A drag moves the whole selection in which it begins; the result is read from the cells.
            np.testing.assert_array_equal(view.kernel(index)[:, 1::2], expected[index, :, 1::2])
            view.drag(index, row, col, up=int(rng.integers(-60, 60)) or 5, steps=3)
            expected[index, :, 1::2] = view.kernel(index)[:, 1::2]
        elif kind == "key":
            view.write(index, row, col, repr(value))
            expected[index, row, col] = value
        else:
            notebook.copy(f"{value}\n{-value}" if row < 3 else f"{value}")
            view.cell(index, row, col).click()
            page.keyboard.press("Control+v")
            expected[index, row, col] = value
            if row < 3:
                expected[index, row + 1, col] = -value
        if number % 50 == 49:
            for request in pending:
                python.finish(request)
            pending.clear()
            view.settle()
            np.testing.assert_array_equal(np.stack(python.value("lens.kernels")), expected, f"after {number + 1} edits")
    for request in pending:
        python.finish(request)
    view.settle()
    np.testing.assert_array_equal(np.stack(python.value("lens.kernels")), expected)
    assert_in_step(notebook, view)
