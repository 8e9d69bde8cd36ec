"""The kernel editor as a person uses it: clipboard, paint, wheel, menu, order, through a real Python process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL, SMALL_KERNELS, assert_in_step

Show = Callable[..., LensView]

#: A kernel that every operation changes.
ODD = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 10]], np.float32)
ODD_LENS = SMALL.replace(
    "lens = ConvLens(img, [f1, -f1, f1.T, -f1.T])",
    f"""
odd = np.array({ODD.tolist()}, np.float32)
lens = ConvLens(img, [odd, -odd], names=["first", "second"])""",
)


def test_a_range_goes_to_a_spreadsheet_and_comes_back_from_one_and_from_numpy(shared: Notebook, show: Show) -> None:
    view = show()
    keyboard = shared.page.keyboard
    view.cell(0, 1, 1).click()
    keyboard.press("Shift+ArrowRight")
    keyboard.press("Shift+ArrowDown")
    keyboard.press("Control+c")
    shared.page.wait_for_function("async () => await navigator.clipboard.readText() === '-1\\t1\\n-1\\t1'")
    shared.copy("0.5\t1/3\n-2e-1\t7")
    view.cell(1, 2, 0).click()
    keyboard.press("Control+v")
    expected = SMALL_KERNELS[1].copy()
    expected[2:, :2] = [[0.5, 1 / 3], [-0.2, 7]]
    view.until_kernel(1, expected)
    block = np.arange(16, dtype=np.float32).reshape(4, 4) / 8
    shared.copy(repr(block))
    view.cell(2, 0, 0).click()
    keyboard.press("Control+v")
    view.until_kernel(2, block)
    assert_in_step(shared, view)
    np.testing.assert_array_equal(shared.python.value("lens.kernels[1]"), expected)
    assert shared.cells() == [SMALL]


def test_paint_gives_the_cells_that_are_dragged_over_one_value_as_one_step(shared: Notebook, show: Show) -> None:
    view = show()
    card = view.card(0)
    card.get_by_role("button", name="Paint").click()
    value = card.get_by_label("Value to paint")
    value.fill("0.75")
    value.press("Enter")
    places = [view.cell(0, 0, col).bounding_box() for col in range(4)]
    centres = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in places if box]
    mouse = shared.page.mouse
    mouse.move(*centres[0])
    mouse.down()
    for centre in centres[1:]:
        mouse.move(*centre, steps=4)
    mouse.up()
    expected = SMALL_KERNELS[0].copy()
    expected[0] = 0.75
    view.until_kernel(0, expected)
    assert_in_step(shared, view)
    view.button("Undo").click()
    view.until_kernel(0, SMALL_KERNELS[0])


def test_the_wheel_changes_a_cell_only_while_it_has_the_focus(shared: Notebook, show: Show) -> None:
    view = show()
    cell = view.cell(0, 1, 2)
    cell.hover()
    shared.page.mouse.wheel(0, -120)
    cell.click()
    view.until("root => root.ownerDocument.activeElement.dataset.at === '0,1,2'")
    assert view.kernel(0)[1, 2] == 1
    cell.hover()
    shared.page.mouse.wheel(0, -120)
    view.until("root => root.querySelector('[data-at=\"0,1,2\"]').textContent !== '1'")
    assert_in_step(shared, view)
    assert shared.python.value("lens.kernels[0][1, 2]") > 1


def test_every_operation_of_the_menu_does_to_pythons_kernel_what_its_name_says(shared: Notebook, show: Show) -> None:
    view = show(ODD_LENS)
    expected: dict[str, np.ndarray] = {
        "Negate": -ODD,
        "Transpose": ODD.T,
        "Rotate 90° clockwise": np.rot90(ODD, -1),
        "Flip left–right": np.fliplr(ODD),
        "Flip top–bottom": np.flipud(ODD),
        "Normalise: sum to 1": ODD / ODD.sum(),
        "Normalise: zero mean": ODD - ODD.mean(),
        "Normalise: unit norm": ODD / np.linalg.norm(ODD),
        "Set to zero": ODD * 0,
    }
    for label, kernel in expected.items():
        view.card(0).locator(".cl-more").click()
        view.card(0).get_by_role("menuitem", name=label, exact=True).click()
        view.settle()
        np.testing.assert_allclose(shared.python.value("lens.kernels[0]"), kernel, rtol=1e-6, atol=1e-7, err_msg=label)
        view.button("Undo").click()
        view.until_kernel(0, ODD)
    view.card(0).locator(".cl-more").click()
    view.card(0).get_by_role("menuitem", name="Scale…").click()
    factor = view.card(0).get_by_role("textbox", name="Multiply every cell by")
    factor.fill("1/2")
    factor.press("Enter")
    view.until_kernel(0, ODD / 2)
    view.card(0).locator(".cl-more").click()
    view.card(0).get_by_role("menuitem", name="Resize all kernels…").click()
    size = view.card(0).get_by_role("textbox", name="Rows and columns of all kernels")
    size.fill("5")
    size.press("Enter")
    view.until("root => root.querySelectorAll('[data-card=\"1\"] [role=gridcell]').length === 25")
    view.settle()
    for kernel, old in zip(shared.python.value("lens.kernels"), (ODD / 2, -ODD), strict=True):
        # The centre is kept, and what is new around it is 0.
        np.testing.assert_array_equal(kernel[1:4, 1:4], old)
        assert np.count_nonzero(kernel) == 9
    assert_in_step(shared, view, count=2)


def test_filters_are_duplicated_renamed_put_in_order_by_drag_and_deleted(shared: Notebook, show: Show) -> None:
    view = show(ODD_LENS)

    def names() -> list[str]:
        view.settle()
        told: list[str] = shared.python.value("list(lens.names)")
        return told

    def choose(index: int, label: str) -> None:
        view.card(index).locator(".cl-more").click()
        view.card(index).get_by_role("menuitem", name=label, exact=True).click()

    choose(0, "Duplicate")
    expect(view.cards()).to_have_count(3)
    assert names() == ["first", "first copy", "second"]
    name = view.card(1).locator(".cl-name")
    name.fill("twin")
    name.press("Enter")
    view.until("root => root.querySelector('[data-card=\"1\"]').getAttribute('aria-label').includes('twin')")
    assert names() == ["first", "twin", "second"]
    handle, target = view.card(0).locator(".cl-handle"), view.card(1)
    start, end = handle.bounding_box(), target.bounding_box()
    assert start is not None and end is not None
    mouse = shared.page.mouse
    mouse.move(start["x"] + 8, start["y"] + 8)
    mouse.down()
    mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    mouse.up()
    view.until("root => root.querySelector('[data-card=\"0\"] .cl-name').value === 'twin'")
    assert names() == ["twin", "first", "second"]
    choose(0, "Delete")
    expect(view.cards()).to_have_count(2)
    assert names() == ["first", "second"]
    assert_in_step(shared, view, count=2)


def test_every_preset_has_its_picture_and_comes_into_the_kernel_that_python_holds(shared: Notebook, show: Show) -> None:
    view = show(ODD_LENS)
    view.card(0).locator(".cl-more").click()
    view.card(0).get_by_role("menuitem", name="Presets…").click()
    presets = view.card(0).locator(".cl-preset")
    expect(presets.first).to_be_focused()
    shared.python.run("from convlens import presets")
    values = shared.python.value("{name: np.asarray(kernel) for name, kernel in presets.items()}")
    assert presets.count() == len(values)
    painted = """buttons => buttons.map((button) => {
      const canvas = button.querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.every((value, i) => i % 4 !== 3 || value === 255);
    })"""
    assert all(presets.evaluate_all(painted))
    view.card(0).get_by_role("button", name="Sobel, vertical edges").click()
    view.until_kernel(0, values["sobel_x"])
    assert_in_step(shared, view, count=2)


def test_the_maps_before_the_edit_are_shown_until_the_button_is_pressed_again(shared: Notebook, show: Show) -> None:
    view = show()
    shape = shared.python.value("lens.activations.shape[1:]")
    before = view.map_pixels(0, shape)
    view.write(0, 0, 0, "9")
    view.settle()
    after = view.map_pixels(0, shape)
    assert (before != after).any()
    view.button("before").click()
    expect(view.button("before")).to_have_attribute("aria-pressed", "true")
    view.wait_for_number(0, 0, 0, -1)
    np.testing.assert_array_equal(view.map_pixels(0, shape), before)
    view.button("before").click()
    view.wait_for_number(0, 0, 0, 9)
    np.testing.assert_array_equal(view.map_pixels(0, shape), after)


def test_no_key_pressed_in_any_panel_reaches_the_notebook(shared: Notebook, show: Show) -> None:
    view = show()
    shared.python.run("lens.pixel = (4, 5)")
    view.root.locator(".cl-taken").wait_for()
    places = [
        view.root.get_by_role("tab").first,
        view.root.locator(".cl-products"),
        view.root.locator(".cl-handle").first,
        view.root.locator(".cl-name").first,
        view.root.get_by_role("button", name="Paint").first,
        view.button("One pixel forward"),
        view.root.locator("summary").first,
    ]
    for place in places:
        for key in ("x", "d", "d", "a", "b", "Delete", "Control+z", "m", "Control+Enter"):
            place.focus()
            shared.page.keyboard.press(key)
        shared.page.keyboard.press("Escape")
    assert shared.cells() == [SMALL]
    assert view.root.is_visible()
    assert_in_step(shared, view)


@pytest.mark.parametrize(("text", "value"), [("1/9", 1 / 9), ("-.5e1", -5), ("2e-3", 0.002)])
def test_fractions_and_scientific_notation_are_numbers(shared: Notebook, show: Show, text: str, value: float) -> None:
    view = show()
    view.write(0, 3, 3, text)
    view.settle()
    assert shared.python.value("lens.kernels[0][3, 3]") == np.float32(value)
