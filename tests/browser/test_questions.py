"""A newcomer finds the answer to each of the tutorial's questions in the lens, in at most two clicks."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from docs.questions import LENS, QUESTIONS, Question
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView
from tests.checkout import ROOT

PAGE = ROOT / "docs" / "tutorial-questions.md"
COUNT = """() => {
  if (!("pressed" in window)) addEventListener("pointerdown", () => { window.pressed++; }, true);
  window.pressed = 0;
}"""


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.picture)
def test_the_answer_is_at_most_two_clicks_away(
    shared: Notebook, show: Callable[..., LensView], question: Question
) -> None:
    view = show(LENS)
    shared.page.evaluate(COUNT)
    assert question.answer(view).is_visible()
    assert shared.page.evaluate("window.pressed") == len(question.clicks) <= 2


def test_the_page_has_every_question_with_its_picture() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [question.ask for question in QUESTIONS]
    assert re.findall(r"^\| (.*?\?) \|", text, re.MULTILINE) == [question.ask for question in QUESTIONS]
    pictures = re.findall(r"\]\((images/.*?)\)", text)
    assert pictures == [f"images/question-{question.picture}.png" for question in QUESTIONS]
    assert [picture for picture in pictures if not (PAGE.parent / picture).is_file()] == []
