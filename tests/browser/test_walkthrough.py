"""The first hour's tasks are done through what is on screen, in the steps that docs/walkthrough.md lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from docs import walkthrough_tasks as tasks
from docs.walkthrough_steps import Task, Walk, title_of
from tests.browser.guards import Guard
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView
from tests.browser.running import profile
from tests.checkout import ROOT

PAGE = ROOT / "docs" / "walkthrough.md"
#: Steps that a question and a job may take.
QUESTION, JOB = 3, 6

Show = Callable[..., LensView]


def listed() -> dict[str, list[str]]:
    """Return the steps that the page lists for each task."""
    rows = re.findall(r"^\| \d+ \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {title: steps.split("; ") for title, steps in rows}


def check(task: Task, walk: Walk) -> None:
    """Do a task, and compare its steps with those of the page."""
    task(walk)
    assert walk.steps == listed()[title_of(task)]
    assert len(walk.steps) <= (QUESTION if task in tasks.QUESTIONS else JOB)


def test_the_page_lists_every_task_once_and_in_order() -> None:
    assert list(listed()) == [title_of(task) for task in tasks.TASKS]


@pytest.mark.parametrize("task", [*tasks.QUESTIONS, *tasks.STUDENT_JOBS, *tasks.TEACHER_JOBS], ids=title_of)
def test_a_student_or_a_teacher_does_it(shared: Notebook, show: Show, task: Task) -> None:
    check(task, Walk(shared, show(tasks.STUDENT)))


@pytest.mark.parametrize("task", tasks.NETWORK_JOBS, ids=title_of)
def test_a_practitioner_does_it(shared: Notebook, show: Show, task: Task) -> None:
    check(task, Walk(shared, show(tasks.NETWORK)))


@pytest.fixture
def phone(browser: Browser, shared: Notebook, show: Show, tmp_path: Path) -> Iterator[LensView]:
    """The student's lens as a saved page, on a phone."""
    show(tasks.STUDENT)
    file = tmp_path / "lens.html"
    shared.python.run(f"_ = lens.activations; lens.save_html({str(file)!r})")
    context = profile(
        browser, viewport={"width": 390, "height": 844}, device_scale_factor=3, is_mobile=True, has_touch=True
    )
    guard = Guard(context)
    page = context.new_page()
    page.goto(file.as_uri())
    yield LensView(page).wait()
    context.close()
    guard.check()


@pytest.mark.parametrize("task", tasks.PHONE_JOBS, ids=title_of)
def test_it_is_done_on_a_phone(phone: LensView, task: Task) -> None:
    check(task, Walk(None, phone))
