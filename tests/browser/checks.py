"""What must be true wherever the lens is shown: one description for all hosts."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from playwright.sync_api import expect

from tests.browser.expected import assert_drawn, assert_grey, picture
from tests.browser.hosts.host import Host
from tests.browser.lens import LensView
from tests.browser.notebooks import ROOT, SMALL_KERNELS, SMALL_MAP

CHECKS: dict[str, Callable[[Host], None]] = {}

#: How far a theme's background may be from black or from white, 0 to 1.
THEME_LUMINANCE = 0.15


def check(function: Callable[[Host], None]) -> Callable[[Host], None]:
    """Enter a check in the table, in the order of this file."""
    CHECKS[function.__name__.replace("_", "-")] = function
    return function


# -- what the checks share -------------------------------------------------------------------------------------------


def settle(host: Host, view: LensView) -> LensView:
    """Wait until nothing is on its way: maps are Keras's, or previews where there is no Keras."""
    if host.has_python:
        return view.settle()
    expect(view.root).to_have_attribute("data-link", "offline")
    for index in range(view.cards().count()):
        expect(view.map(index)).to_have_attribute("data-provenance", "preview")
    return view


def fresh(host: Host) -> LensView:
    """Return the first view of a lens in its initial state."""
    view = host.view().wait()
    if host.has_python:
        host.python.run("lens.reset(); lens.cmap = 'gray'")
    elif view.button("Reset").is_enabled():
        view.button("Reset").click()
    for index, kernel in enumerate(SMALL_KERNELS):
        view.until_kernel(index, kernel)
    expect(view.root.get_by_role("combobox", name="colours")).to_have_value("gray")
    return settle(host, view)


def assert_right(host: Host, view: LensView, cmap: str = "gray") -> None:
    """Fail unless the cells show Python's kernels, and the maps are what Keras computes from those."""
    settle(host, view)
    shown = [view.kernel(index) for index in range(view.cards().count())]
    if not host.has_python:
        host.python.run(f"lens.kernels = {[kernel.tolist() for kernel in shown]}")
    kernels: list[npt.NDArray[np.float32]]
    kernels, activations = host.python.value("(list(lens.kernels), lens.activations)")
    np.testing.assert_array_equal(shown, kernels)
    for index, activation in enumerate(activations):
        assert_drawn(view.map_pixels(index, activation.shape), activation, cmap)


def assert_legible(view: LensView) -> None:
    """Fail unless text has the contrast with its background that WCAG requires."""
    view.page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8"))
    rules = "{runOnly: {type: 'rule', values: ['color-contrast']}}"
    found = view.root.evaluate(f"async (root) => (await axe.run(root, {rules})).violations.flatMap(v => v.nodes)")
    assert [(node["html"][:160], node["failureSummary"]) for node in found] == []


def luminance(view: LensView) -> float:
    """Return how light the background of the lens is, 0 to 1."""
    channels = view.root.evaluate(
        """root => {
          const pixel = document.createElement("canvas").getContext("2d");
          pixel.fillStyle = getComputedStyle(root).backgroundColor;
          pixel.fillRect(0, 0, 1, 1);
          return [...pixel.getImageData(0, 0, 1, 1).data];
        }"""
    )
    assert channels[3] == 255, "the host shines through the background of the lens"
    return float(np.dot(channels[:3], (0.2126, 0.7152, 0.0722))) / 255


# -- the checks ------------------------------------------------------------------------------------------------------


@check
def shows(host: Host) -> None:
    view = settle(host, host.view().wait())
    expect(view.cards()).to_have_count(len(SMALL_KERNELS))
    status = re.compile("Keras 3" if host.has_python else "Keras not connected|saved page")
    expect(view.root.locator(".cl-status")).to_contain_text(status)
    expect(view.notice()).to_have_count(0)
    for index in range(len(SMALL_KERNELS)):
        expect(view.map(index)).to_be_visible()


@check
def pixels_right(host: Host) -> None:
    view = fresh(host)
    assert_right(host, view)
    img = host.python.value("img")
    assert_grey(view.image_pixels(img.shape), img)


@check
def edit_by_mouse(host: Host) -> None:
    view = fresh(host)
    before = view.map_pixels(0, SMALL_MAP)
    view.drag(0, 1, 1, up=40)
    assert view.kernel(0)[1, 1] > SMALL_KERNELS[0][1, 1]
    assert_right(host, view)
    assert (view.map_pixels(0, SMALL_MAP) != before).any()


@check
def edit_by_key(host: Host) -> None:
    view = fresh(host)
    view.cell(1, 2, 3).focus()
    view.page.keyboard.type("1/8")
    view.page.keyboard.press("Enter")
    view.wait_for_number(1, 2, 3, 0.125)
    view.page.keyboard.type("-3")
    view.page.keyboard.press("Enter")
    view.wait_for_number(1, 3, 3, -3)
    assert_right(host, view)


@check
def edit_by_touch(host: Host) -> None:
    view = fresh(host)
    view.cell(2, 1, 0).tap()
    slider = view.card(2).get_by_role("slider", name="Value of row 1, column 0")
    size = slider.bounding_box()
    assert size is not None
    slider.tap(position={"x": size["width"] * 0.75, "y": size["height"] / 2})
    view.until(
        "(root, cell) => !root.querySelector(cell).ariaLabel.endsWith(': −1')", '[data-card="2"] [data-at="0,1,0"]'
    )
    assert 0 < view.kernel(2)[1, 0] <= 2
    assert_right(host, view)


@check
def python_sees_it(host: Host) -> None:
    view = fresh(host)
    host.python.run("heard = []; listen = lambda change: heard.append(change.new); lens.observe(listen, 'kernels')")
    view.write(0, 0, 0, "5")
    view.settle()
    host.python.run("lens.unobserve(listen, 'kernels')")
    assert host.python.value("float(heard[-1][0][0, 0])") == 5
    assert host.python.value("float(lens.kernels[0][0, 0])") == 5


@check
def python_writes(host: Host) -> None:
    view = fresh(host)
    host.python.run("lens.set_kernel(2, np.eye(4)); lens.cmap = 'viridis'")
    view.until_kernel(2, np.eye(4, dtype=np.float32))
    expect(view.root.get_by_role("combobox", name="colours")).to_have_value("viridis")
    assert_right(host, view, "viridis")


@check
def two_views(host: Host) -> None:
    first = fresh(host)
    second = settle(host, host.view(1))
    first.write(0, 0, 0, "3")
    second.wait_for_number(0, 0, 0, 3)
    second.write(0, 0, 0, "4")
    first.wait_for_number(0, 0, 0, 4)
    assert_right(host, second)
    assert_right(host, first)


@check
def theme_light(host: Host) -> None:
    view = fresh(host)
    host.set_theme(dark=False)
    view.until("root => getComputedStyle(root).colorScheme !== 'dark'")
    assert luminance(view) > 1 - THEME_LUMINANCE
    assert_legible(view)


@check
def theme_dark(host: Host) -> None:
    view = fresh(host)
    host.set_theme(dark=True)
    view.until("root => getComputedStyle(root).colorScheme !== 'light'")
    try:
        assert luminance(view) < THEME_LUMINANCE
        assert_legible(view)
    finally:
        host.set_theme(dark=False)


@check
def narrow(host: Host) -> None:
    view = fresh(host)
    size = host.page.viewport_size
    assert size is not None
    width = 390
    host.page.set_viewport_size({"width": width, "height": 800})
    try:
        view.until("(root, width) => root.clientWidth > 0 && root.clientWidth <= width", width)
        view.assert_fits()
        unfold = view.card(3).get_by_role("button", name="Kernel", exact=True)
        if unfold.count():
            unfold.click()
        view.write(3, 0, 0, "2")
        assert_right(host, view)
    finally:
        host.page.set_viewport_size(size)


@check
def scrolled_away_and_back(host: Host) -> None:
    view = fresh(host)
    size = host.page.viewport_size
    assert size is not None
    # A page that is nothing but the lens is short.
    host.page.set_viewport_size({"width": size["width"], "height": 200 if host.name == "saved-page" else 400})
    try:
        view.write(0, 0, 0, "3")
        host.scroll(away=True)
        expect(view.card(0)).not_to_be_in_viewport()
        if host.has_python:
            host.python.run("k = lens.kernels[0].copy(); k[3, 3] = -2; lens.set_kernel(0, k)")
        host.scroll(away=False)
        expect(view.root).to_be_in_viewport()
        view.wait_for_number(0, 0, 0, 3)
        view.wait_for_number(0, 3, 3, -2 if host.has_python else 1)
        assert_right(host, view)
    finally:
        host.page.set_viewport_size(size)


@check
def picture_kept(host: Host) -> None:
    view = fresh(host)
    view.root.evaluate("root => { root.mark = 'the same'; }")
    view.write(1, 0, 3, "6")
    view.settle()
    host.wait_for_output(picture(host.python))
    assert view.root.evaluate("root => root.mark") == "the same", "the lens was drawn anew"


@check
def python_restarted(host: Host) -> None:
    view = fresh(host)
    view.write(0, 0, 0, "3")
    view.settle()
    before = view.map_pixels(0, SMALL_MAP)
    host.restart()
    if host.tells_of_restart:
        expect(view.root).to_have_attribute("data-link", "offline")
    assert (view.map_pixels(0, SMALL_MAP) == before).all()
    view.write(0, 3, 3, "-4")
    expect(view.root).to_have_attribute("data-link", "offline")
    expect(view.root.locator(".cl-status")).to_contain_text("Keras not connected")
    expect(view.map(0)).to_have_attribute("data-provenance", "preview")
    assert view.kernel(0)[0, 0] == 3
    offline = view.map_pixels(0, SMALL_MAP)
    assert (offline != before).any()
    host.run_again()
    again = host.view()
    again.until_kernel(0, SMALL_KERNELS[0])
    assert_right(host, again)
    again.write(0, 0, 0, "3")
    again.write(0, 3, 3, "-4")
    again.settle()
    assert_drawn(offline, host.python.value("lens.activations[0]"))


@check
def no_request_leaves(host: Host) -> None:
    settle(host, host.view())
    assert host.guard.requests == []


@check
def console_is_quiet(host: Host) -> None:
    settle(host, host.view())
    assert not host.guard.errors, "\n".join(host.guard.errors)
