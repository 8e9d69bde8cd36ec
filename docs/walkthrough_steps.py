"""A person at a lens who does a task, one step after another, and what their steps are in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView

MENU = "⋯"


@dataclass
class Walk:
    """A person at a lens, who does one thing after another.

    Parameters
    ----------
    notebook
        Where the lens is; None for a saved page.
    view
        The lens.
    """

    notebook: Notebook | None
    view: LensView
    #: What was done, in words.
    steps: list[str] = field(default_factory=list)
    #: Called where the screen shows what the task is about, by tasks that go on from there.
    shown: Callable[[], Any] = lambda: None

    @property
    def page(self) -> Page:
        """The page that it is on."""
        return self.view.page

    def step(self, words: str, act: Callable[[], Any]) -> None:
        """Do one thing: a press, something typed, or a choice from a list with the press that opens it."""
        self.steps.append(words)
        act()

    def python(self, expression: str) -> Any:
        """Return a value from the notebook's Python."""
        assert self.notebook is not None
        self.notebook.python.run("")  # what waits for the end of a cell is done
        return self.notebook.python.value(expression)

    def ask(self, question: str) -> None:
        """Press "?" and one of the questions."""
        self.step("press *?*", self.view.button("Questions, keys and gestures").click)
        self.step(f"press *{question}*", self.view.root.get_by_role("button", name=question).click)

    def tab(self, name: str) -> Locator:
        """Return what a tab shows, once that is open."""
        panel = self.view.root.get_by_role("tabpanel", name=name, exact=True)
        panel.wait_for()
        return panel

    def choose(self, index: int, item: str) -> None:
        """Choose from the menu of a filter."""
        card = self.view.card(index)
        name = card.get_by_role("textbox", name="Name of the filter").input_value()

        def choose() -> None:
            card.get_by_role("button", name=f"Operations on {name}").click()
            card.get_by_role("menuitem", name=item, exact=True).click()

        self.step(f"choose *{item}* in the filter's menu *{MENU}*", choose)

    def preset(self, index: int, title: str) -> None:
        """Give a filter a preset."""
        self.choose(index, "Presets…")
        presets = self.view.root.get_by_role("group", name=re.compile("^Presets for"))
        named = presets.get_by_role("button", name=re.compile(f"^{re.escape(title)} ?\\d"))
        self.step(f"press *{title}*", named.click)
        expect(self.view.card(index).get_by_role("textbox", name="Name of the filter")).to_have_value(title)
        self.view.settle()

    def pin(self, index: int, row: int, col: int) -> None:
        """Press a pixel of a map."""
        shape = tuple(self.python("lens.activations.shape[1:]"))
        at = self.view.point(self.view.map(index), shape, row, col)
        self.step("press a pixel of a map", lambda: self.page.mouse.click(*at))


Task = Callable[[Walk], None]


def title_of(task: Task) -> str:
    """Return what a task is called on the page."""
    return (task.__doc__ or "").partition("\n")[0]
