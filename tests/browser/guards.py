"""What every page is watched for: requests that leave the machine, and errors."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

#: Errors of the hosts themselves, seen in a notebook without any widget.
HOSTS_OWN_ERRORS: tuple[str, ...] = ()


class Guard:
    """Collects what went wrong in a browser context; `check` fails the test on it."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[str] = []
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
        if address.scheme not in ("blob", "data", "about", "file") and address.hostname != "127.0.0.1":
            self.requests.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(re.search(known, message.text) for known in HOSTS_OWN_ERRORS):
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _on_error(self, error: WebError) -> None:
        self.errors.append(error.error.stack or error.error.message)
