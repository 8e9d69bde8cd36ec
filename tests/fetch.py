"""Requests to servers that tests start."""

from __future__ import annotations

import time
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.deadlines import SECONDS


def fetch(request: Request | str) -> bytes:
    """Return what a server on loopback answers; one that is about to listen says so an instant before it does."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            with urlopen(request, timeout=SECONDS) as answer:
                body: bytes = answer.read()
                return body
        except URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > end:
                raise
