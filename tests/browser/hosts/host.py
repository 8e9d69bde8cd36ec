"""What the checks need of a place that shows a lens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Protocol

from playwright.sync_api import Browser, Page

from tests.browser.guards import Guard
from tests.browser.lens import LensView
from tests.browser.running import profile

#: Why a check does not apply to a page with no process behind it.
NO_PYTHON = "there is no Python"

#: Why a host that saves no outputs, or is a saved one, keeps no picture of them.
NOTHING_SAVED = "the page saves no outputs"

#: The checks that are about Python.
NEEDS_PYTHON = ("python-sees-it", "python-writes", "picture-kept", "python-restarted")


class Python(Protocol):
    """Where the lens lives, or a copy of it where the page has no Python."""

    def run(self, code: str) -> None: ...

    def value(self, expression: str) -> Any: ...


class Host(ABC):
    """A page with the lens of `notebooks.SMALL` in it, twice where the host can, and the Python behind it.

    The page is as it is for a person who opened a notebook there and ran it. It is one page for all checks, so each
    check begins with a reset of the lens.
    """

    #: Part of the tests' names.
    name: ClassVar[str]
    #: Heading of its column in docs/hosts.md.
    title: ClassVar[str]
    has_python: ClassVar[bool] = True
    #: Whether a widget hears of a restart; else its next message finds out.
    tells_of_restart: ClassVar[bool] = True
    #: Names of checks that do not apply here, and why.
    not_applicable: ClassVar[Mapping[str, str]] = {}
    #: Regular expressions for errors in the console that the host makes without any widget, too.
    own_errors: ClassVar[tuple[str, ...]] = ()

    def __init__(self, page: Page, python: Python, guard: Guard) -> None:
        self.page = page
        self.python = python
        self.guard = guard

    @classmethod
    @abstractmethod
    def open(cls, browser: Browser, folder: Path) -> AbstractContextManager[Host]:
        """Start what is needed and show the lens, until the block ends."""

    @classmethod
    def visit(cls, browser: Browser) -> tuple[Page, Guard]:
        """Open a page in a watched browser profile of its own, on a screen that also takes touches."""
        context = profile(browser, has_touch=True)
        return context.new_page(), Guard(context, own_errors=cls.own_errors)

    def view(self, index: int = 0) -> LensView:
        """Return a view of the lens."""
        return LensView(self.page, index)

    def set_theme(self, dark: bool) -> None:
        """Switch the host's theme; a page without one follows the system."""
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def scroll(self, away: bool) -> None:
        """Scroll to the end of the page, or back to its beginning."""
        self.page.evaluate("away => scrollTo(0, away ? document.documentElement.scrollHeight : 0)", away)

    def scroll_into_view(self, away: bool) -> None:
        """Scroll whatever scrolls here: to what is below the lens, or back to its beginning."""
        target = self.page.get_by_text("the end", exact=True).last if away else self.view().root
        target.evaluate("(element, away) => element.scrollIntoView({ block: away ? 'end' : 'start' })", away)

    # What some hosts cannot do: they name it in `not_applicable`, and no check requires it of them; one that does
    # fails.

    def wait_for_output(self, picture: str) -> None:
        """Wait until the notebook, were it saved now, held this picture (base64 of a PNG file)."""
        raise NotImplementedError(f"{self.title}: {NOTHING_SAVED}")

    def restart(self) -> None:
        """Restart Python as the host does it, and return when it is gone."""
        raise NotImplementedError(f"{self.title}: {NO_PYTHON}")

    def run_again(self) -> None:
        """Run all cells again after a restart."""
        raise NotImplementedError(f"{self.title}: {NO_PYTHON}")
