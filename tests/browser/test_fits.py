"""What neither wraps nor is cut, however wide the lens: the pinned pixel's sum, a row or a ledger; the toolbar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import states
from tests.browser.running import watched

#: A phone, half a laptop, half a screen, and JupyterLab with and without its sidebar.
WIDTHS = (316, 400, 620, 968, 1112)
#: Sums of a grey picture, of three channels, of a signal and of a layer in two steps; in focus each is there twice.
STATES = (
    "this pixel",
    "colour",
    "signal",
    "separable",
    "model of four filters",
    "focus",
    "gallery, focus",
    "signal, focus, dark",
)
#: Those whose sum has one term.
ONE_TERM = ("this pixel", "signal")

#: Of each sum on the page: how many lines it has, and what is wrong with it.
LOOK = """() => {
  const boxOf = (element) => element.getBoundingClientRect();
  const within = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1;
  const meets = (a, b) => a.top < b.bottom && b.top < a.bottom;
  const follows = (operator, next) => {
    const [sign, term] = [boxOf(operator), boxOf(next)];
    const middle = (sign.top + sign.bottom) / 2;
    return sign.right <= term.left + 1 && term.top <= middle && middle <= term.bottom;
  };
  const shown = (element) => element.checkVisibility() && !element.closest(".cl-wordwhy");
  return [...document.querySelectorAll(".cl-sum")].map((sum) => {
    const room = boxOf(sum.closest(".cl-strip, .cl-focussum"));
    const terms = [...sum.querySelectorAll(".cl-term")];
    const lines = terms.filter((term, i) => i === 0 || !meets(boxOf(term), boxOf(terms[i - 1]))).length;
    const wrong = [
      sum.scrollWidth > sum.clientWidth && "it is wider than its place",
      lines > 1 && lines < terms.length && "it wraps",
      ...[...sum.querySelectorAll("*")].filter(shown).map((part) =>
        !(within(boxOf(part), boxOf(sum)) && within(boxOf(part), room)) && `cut: ${part.outerHTML.slice(0, 80)}`),
      ...[...sum.querySelectorAll(".cl-op")].map((operator) =>
        !follows(operator, operator.nextElementSibling) && `alone: ${operator.textContent}`),
      ...[...sum.parentElement.querySelectorAll(".cl-factor")].map((factor) =>
        !follows(factor.querySelector(".cl-op"), factor.querySelector("[role=table]")) && "alone: × or ="),
    ].filter(Boolean);
    return { lines, terms: terms.length, wrong };
  });
}"""

FRAMES = "async () => { for (let n = 0; n < 6; n++) await new Promise(requestAnimationFrame); }"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return states.build(tmp_path_factory.mktemp("states"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched(browser) as context:
        yield context.new_page()


def opened(page: Page, file: Path, name: str, width: int, height: int = 979) -> None:
    """Show a state with the letters of this machine."""
    page.set_viewport_size({"width": max(width, 500), "height": height})
    page.goto(f"{file.as_uri()}#{quote(name, safe='')}", wait_until="commit")
    states.wait_shown(page)
    resized(page, width)


def resized(page: Page, width: int) -> None:
    """Give the lens a width."""
    page.locator(".state").evaluate("(state, width) => { state.style.width = `${width}px`; }", width)
    page.evaluate(FRAMES)


def pinned(page: Page) -> None:
    """Wait until a pixel is taken apart."""
    if page.locator(".cl-sum").count() == 0:
        page.locator(".cl-map canvas").first.click(position={"x": 60, "y": 30})
    page.mouse.move(0, 0)
    page.locator(".cl-sum").first.wait_for()
    page.evaluate(FRAMES)


def sums(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(LOOK)
    return found


@pytest.mark.parametrize("name", STATES)
def test_no_operator_stands_alone_and_nothing_is_cut_at_any_width(page: Page, page_file: Path, name: str) -> None:
    opened(page, page_file, name, WIDTHS[-1])
    for width in reversed(WIDTHS):
        resized(page, width)
        pinned(page)
        found = sums(page)
        assert len(found) == (2 if "focus" in name else 1)
        assert [one["wrong"] for one in found] == [[]] * len(found), width
        if width < 500:
            assert all(one["lines"] == one["terms"] for one in found)
        elif name in ONE_TERM:
            assert [one["lines"] for one in found] == [1]


def test_a_ledger_becomes_a_row_again_where_there_is_room(page: Page, page_file: Path) -> None:
    opened(page, page_file, "this pixel", 400)
    (narrow,) = sums(page)
    assert narrow["lines"] == narrow["terms"] == 5
    resized(page, 968)
    (wide,) = sums(page)
    assert wide["lines"] == 1


@pytest.mark.parametrize("name", ["focus", "gallery, focus", "signal, focus, dark"])
def test_in_focus_all_of_the_sum_is_in_sight_on_a_laptop(page: Page, page_file: Path, name: str) -> None:
    opened(page, page_file, name, 1112, 599)
    box = page.locator(".cl-focussum .cl-sum").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 599


def test_the_sum_of_a_separable_filter_s_kernel_is_told_to_its_last_digit(page: Page, page_file: Path) -> None:
    for width in WIDTHS[2:]:
        opened(page, page_file, "separable", width)
        sums_of_kernels = page.locator(".cl-ksum")
        assert sums_of_kernels.count() == 3
        assert sums_of_kernels.evaluate_all("sums => sums.every((sum) => sum.scrollWidth <= sum.clientWidth)")


@pytest.mark.parametrize("name", ["portrait", "fixed range", "focus"])
def test_the_toolbar_is_one_line_on_every_screen(page: Page, page_file: Path, name: str) -> None:
    opened(page, page_file, name, 640)
    for width in range(640, 1440, 40):
        resized(page, width)
        assert page.locator(".cl-toolbar").evaluate("bar => bar.clientHeight") < 48, width
    resized(page, 1112)
    limits = page.get_by_role("textbox", name="limit of the range")
    assert limits.count() == (2 if name == "fixed range" else 0)
