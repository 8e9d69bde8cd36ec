"""The documentation as a reader goes through it: every lens works, every exercise can be solved and failed."""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.lens import LensView
from tests.browser.running import watched
from tests.checkout import ROOT
from tools.documentation import SOURCE, build_site

#: Pages with a live lens, as Sphinx names them, and all others.
PAGES = sorted(
    str(page.relative_to(SOURCE).with_suffix(""))
    for page in SOURCE.rglob("*.md")
    if any(line.startswith((":::{lens}", ":::{example}")) for line in page.read_text("utf-8").splitlines())
)
OTHERS = sorted({str(page.relative_to(SOURCE).with_suffix("")) for page in SOURCE.rglob("*.md")} - set(PAGES))
WIDTHS = (1280, 390)
ALIVE = "html[data-lenses-alive]"
#: What axe finds, by all of its rules or by these.
AXE = """async rules => (await axe.run(document, { resultTypes: ["violations"], ...(rules && { runOnly: rules }) }))
  .violations.map(({ id, help, nodes }) => [id, help, nodes.slice(0, 5).map(({ html }) => html.slice(0, 200))])"""
#: Whether the theme has noticed, as it does a while after a page has another width, what is wider than its place.
SCROLLED_BY_KEYS = """() => [...document.querySelectorAll("pre, .pst-scrollable-table-container")].every(
  (one) => one.scrollWidth <= one.clientWidth || one.tabIndex === 0)"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    assert build_site(folder) == 0, "Sphinx failed or warned: see above"
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def solve(view: LensView, check: Locator, answer: dict[str, Any]) -> None:
    """Do in the lens, or write into the field, what an exercise's stated answer says."""
    if "kernel" in answer:
        for row, line in enumerate(answer["values"]):
            for col, cell in enumerate(line):
                for channel, value in enumerate(cell if isinstance(cell, list) else [cell]):
                    view.cell(answer["kernel"], row, col, channel).click()
                    view.page.keyboard.type(str(value))
                    view.page.keyboard.press("Enter")
    elif "setting" in answer:
        view.root.get_by_role("tab", name="Layer").click()
        group = view.root.get_by_role("group", name=answer["setting"])
        for label, value in zip(("rows", "columns"), answer["values"], strict=True):
            field = group.get_by_label(label)
            field.fill(str(value))
            field.press("Enter")
    else:
        check.get_by_role("textbox").fill(str(answer["number"]))


def fail(view: LensView, check: Locator, record: dict[str, Any]) -> None:
    """Answer an exercise in a way that is wrong."""
    if "number" in record["check"]:
        check.get_by_role("textbox").fill(str(record["answer"]["number"] + 1))
        expect(check.get_by_role("status")).to_have_attribute("data-state", "wrong")
    else:
        view.write(record["answer"].get("kernel", 0), 0, 0, "7")
        expect(check.get_by_role("status")).to_have_attribute("data-state", "open")


@contextmanager
def opened(site: str, browser: Browser, name: str) -> Iterator[Page]:
    """Open a page of the site, and wait until each of its lenses works."""
    with watched(browser, width=WIDTHS[0], height=900) as context:
        page = context.new_page()
        # Colours in transition have contrasts that nobody chose.
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{site}/{name}.html")
        if name in PAGES:
            page.locator(ALIVE).wait_for(state="attached")
        yield page


def faults(page: Page) -> dict[str, list[Any]]:
    """Return what axe finds wrong with the whole page, wide and on a phone, light and dark, and what does not fit."""
    wrong = {}
    page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(SCROLLED_BY_KEYS)
        for scheme, rules in (("light", None), ("dark", ["color-contrast"])):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for lens in page.locator(".convlens").all():
                expect(lens).to_have_attribute("data-theme", scheme)
            found = page.evaluate(AXE, rules)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append("wider than the screen")
            wrong[f"{width} {scheme}"] = found
    return {place: found for place, found in wrong.items() if found}


def test_there_are_pages_with_live_lenses_and_every_one_is_walked_through() -> None:
    assert {"index", "start", "question"} < set(PAGES) and sum("lessons/" in page for page in PAGES) == 6
    examples = ("any-model", "denoise", "digits-cnn", "generator", "segmentation", "survey")
    assert {f"examples/{name}" for name in examples} < set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_every_lens_is_alive_every_exercise_is_solved_by_its_answer_alone_and_axe_finds_nothing_wrong(
    site: str, browser: Browser, name: str
) -> None:
    with opened(site, browser, name) as page:
        for place in page.locator(".live-lens").all():
            expect(place.locator(".convlens")).to_have_attribute("data-link", "offline")
            expect(place.locator("figure[data-uid]").first).to_be_visible()
        assert faults(page) == {}
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        for check in page.locator(".exercise-check").all():
            record = json.loads(check.get_attribute("data-check") or "")
            view = LensView(page)
            view.root = page.locator(f"#{check.get_attribute('data-lens')} .convlens")
            verdict = check.get_by_role("status")
            expect(verdict).to_have_attribute("data-state", "open")
            fail(view, check, record)
            solve(view, check, record["answer"])
            expect(verdict).to_have_attribute("data-state", "solved")


def test_the_examples_hold_what_keras_found(site: str, browser: Browser) -> None:
    with opened(site, browser, "examples/digits-cnn") as page:
        lens = page.locator(".convlens").last
        prediction = lens.get_by_role("group", name="The model's prediction")
        expect(prediction).to_contain_text("from Keras, as saved")
        expect(prediction.get_by_role("listitem")).to_have_count(5)
        slider = lens.get_by_role("slider", name="training")
        expect(slider).to_have_attribute("max", "24")
        expect(lens.locator(".cl-training")).to_contain_text("edited since")
        slider.focus()
        page.keyboard.press("Home")
        expect(slider).to_have_attribute("aria-valuetext", "before training")
        expect(lens.locator(".cl-training")).not_to_contain_text("edited since")
        expect(prediction).to_contain_text("before the edits in this page")
    with opened(site, browser, "examples/survey") as page:
        lens = page.locator(".convlens").last
        lens.get_by_role("tab", name="What excites it").click()
        listed = lens.get_by_role("region", name=re.compile("^Images that excite")).get_by_role("listitem")
        expect(listed).to_have_count(9)
        expect(lens.get_by_role("group", name="The model's prediction").get_by_role("listitem")).to_have_count(5)


def test_axe_finds_nothing_wrong_with_the_pages_without_a_lens(site: str, browser: Browser) -> None:
    wrong = {}
    for name in OTHERS:
        with opened(site, browser, name) as page:
            wrong[name] = faults(page)
    assert {name: found for name, found in wrong.items() if found} == {}


def test_a_lesson_is_printed_with_its_lenses_its_questions_and_nothing_to_press(site: str, browser: Browser) -> None:
    with opened(site, browser, "lessons/edges") as page:
        page.emulate_media(media="print", color_scheme="dark")
        # The width of an A4 page between its margins, at 96 pixels an inch.
        page.set_viewport_size({"width": 718, "height": 1000})
        # The share of zeros is a button, and reads as its text.
        to_press = "button:not(.cl-zeros):visible, select:visible, details:visible, nav:visible"
        expect(page.locator(to_press)).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for lens in page.locator(".convlens").all():
            assert lens.evaluate("root => getComputedStyle(root).colorScheme") == "light"
            expect(lens.locator("figure[data-uid]").first).to_be_visible()
        for question in page.locator(".exercise-title").all():
            expect(question).to_be_visible()
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
        assert 2 <= len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= 8


def test_the_site_has_one_copy_of_the_front_end_and_no_page_above_three_megabytes(
    site: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = next(Path(tmp_path_factory.getbasetemp()).glob("site*"))
    assert [str(path.relative_to(folder)) for path in folder.rglob("widget.js")] == ["_static/convlens/widget.js"]
    sizes = {str(page.relative_to(folder)): page.stat().st_size for page in folder.rglob("*.html")}
    assert {name: size for name, size in sizes.items() if size > 3_000_000} == {}
    assert ROOT not in folder.parents
