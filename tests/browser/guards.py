"""What every page is checked for: requests that leave the machine, and errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

#: Another name of this machine. A page from there over http is in no secure context, as on a JupyterHub in a LAN.
PLAIN_HOST = "lens.test"
LOOPBACK = ("127.0.0.1", PLAIN_HOST)
#: JupyterLab, when it starts slowly, removes its splash screen from the page twice: an error whose only frame is its
#: own.
SPLASH_SCREEN = (
    r"^NotFoundError: Failed to execute 'removeChild' on 'Node'[^\n]*\n +at \S+/static/lab/jlab_core\.[^\n]*$"
)


class Guard:
    """Collects what went wrong in a browser context; `check` fails the test on it.

    Parameters
    ----------
    context
        What is watched.
    own_errors
        Regular expressions for errors of the host itself, which it logs without any widget, too.
    """

    def __init__(self, context: BrowserContext, own_errors: tuple[str, ...] = ()) -> None:
        #: Whether the host makes a request for another machine for itself, and the test answers it.
        self.answers: Callable[[str], bool] = lambda address: False
        self.requests: list[str] = []
        self._own_errors = (*own_errors, SPLASH_SCREEN)
        self.errors: list[str] = []
        context.on("request", self._on_request)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def check(self) -> None:
        """Fail if anything left loopback or any error was logged."""
        assert not self.requests, f"requests that leave the machine: {self.requests}"
        assert not self.errors, "errors in the browser:\n" + "\n".join(self.errors)

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        local = address.scheme in ("blob", "data", "about", "file") or address.hostname in LOOPBACK
        if not local and not self.answers(request.url):
            self.requests.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"{message.text} ({message.location.get('url', '')})")

    def _on_error(self, error: WebError) -> None:
        self._note(error.error.stack or error.error.message)

    def _note(self, text: str) -> None:
        if not any(re.search(known, text) for known in self._own_errors):
            self.errors.append(text)
