"""Every component in every state looks as in its stored picture, within the tolerance of `tests/browser/states.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import states
from tests.browser.running import watched
from tests.browser.states import State

Shown = dict[State, Image.Image]
#: Of the lens in each of its two themes.
RESTING = ("portrait", "dark")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return states.build(tmp_path_factory.mktemp("states"))


@pytest.fixture(scope="module")
def shown(browser: Browser, page_file: Path) -> Shown:
    return states.photograph(browser, page_file)


@pytest.fixture(scope="module")
def dark(browser: Browser, page_file: Path) -> Iterator[tuple[Page, State]]:
    """A page with one state, to be changed by a style sheet."""
    with watched(browser) as context:
        page = context.new_page()
        (state,) = (one for one in states.states_of(page, page_file) if one.name == "dark")
        page.set_viewport_size({"width": state.width, "height": state.height})
        states.open_page(page, page_file, [state.name])
        yield page, state


def test_every_state_looks_as_in_its_stored_picture(shown: Shown) -> None:
    found = [words for state, picture in shown.items() if (words := states.complaint(picture, state))]
    assert not found, (
        "\n".join([f"{len(found)} of {len(shown)} states do not look as they did.", *found])
        + f"\nWhere that is meant, look at these pictures and accept them by `{states.ACCEPT}`."
    )


def test_every_stored_picture_is_of_a_state_and_all_are_small(shown: Shown) -> None:
    stored = set(states.PICTURES.iterdir())
    assert stored == {state.file for state in shown}
    assert len(stored) == len(shown)
    assert sum(file.stat().st_size for file in stored) < 800_000


@pytest.mark.parametrize(
    "change",
    [
        ".cl-addrow { visibility: hidden }",
        ".cl-toolbar .cl-group:first-child { display: none }",
        ".cl-card:nth-child(2) .cl-numfield { visibility: hidden }",
        ".cl-card:nth-child(3) { transform: translate(3px) }",
        ".cl-strip { margin-top: 3px }",
        ".cl-status[data-tone] { color: #f66 }",
        ".convlens { --cl-accent: #74ffb3 }",
        ".convlens { --cl-surface: #2e2127 }",
    ],
)
def test_what_is_gone_moved_or_of_another_colour_differs(dark: tuple[Page, State], change: str) -> None:
    page, state = dark
    (before,) = states.pictures(page)
    assert states.differs(before, state) is None
    sheet = page.add_style_tag(content=change)
    (after,) = states.pictures(page)
    assert states.differs(after, state)
    sheet.evaluate("sheet => sheet.remove()")


def test_the_pixels_of_a_screen_make_no_difference(browser: Browser, page_file: Path) -> None:
    for state, picture in states.photograph(browser, page_file, RESTING, scale=1.25).items():
        assert states.differs(picture, state) is None, state.name
