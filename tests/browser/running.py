"""Chromium, started the same way by the tests, the benchmark and the screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.guards import PLAIN_HOST, Guard
from tests.deadlines import SECONDS
from tools.chromium import find_chromium

CHROMIUM_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Any request for another machine gets an error, the browser's own services included.
    f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the Chromium or Chrome that is installed until the block ends."""
    program = find_chromium()
    assert program, "no Chromium or Chrome was found; `python3 dev.py test` sees to it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@contextmanager
def watched(
    browser: Browser, width: int = 1400, height: int = 1000, device_scale_factor: float = 1
) -> Iterator[BrowserContext]:
    """Open a browser profile of its own, and fail at its end on what its guard saw."""
    context = profile(browser, viewport={"width": width, "height": height}, device_scale_factor=device_scale_factor)
    guard = Guard(context)
    yield context
    context.close()
    guard.check()


def profile(browser: Browser, **options: Any) -> BrowserContext:
    """Open a browser profile of its own with the tests' time limits; options are Playwright's."""
    context = browser.new_context(
        **{"viewport": {"width": 1400, "height": 1000}} | options,
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(SECONDS * 1000)
    expect.set_options(timeout=SECONDS * 1000)
    return context
