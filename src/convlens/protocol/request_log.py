"""Requests that a browser sends again because no answer came: carried out once, answered every time."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

#: Browsers that are remembered; the one that has been silent longest is forgotten first.
MOST_CLIENTS = 64


class Outcome(NamedTuple):
    """The answer to a request, and the filters that went with it."""

    answer: dict[str, Any]
    touched: list[int]


class RequestLog:
    """The newest request of each browser, with its outcome.

    A browser has one request in flight and numbers its requests upwards. A request with an older number is therefore a
    late copy of one whose answer has arrived.
    """

    def __init__(self) -> None:
        self._newest: OrderedDict[str, tuple[int, Outcome | None]] = OrderedDict()

    def outcome(self, client: Any, seq: Any) -> Outcome | None:
        """Return the outcome of this request, or None where it has to be carried out."""
        newest, outcome = self._newest.get(client, (0, None)) if _numbered(client, seq) else (0, None)
        return outcome if seq == newest else None

    def outdated(self, client: Any, seq: Any) -> bool:
        """Whether the browser has received the answer, since it has sent a newer request."""
        return _numbered(client, seq) and seq < self._newest.get(client, (0, None))[0]

    def keep(self, client: Any, seq: Any, outcome: Outcome | None) -> None:
        """Note the outcome of a browser's newest request, or None where it may be carried out again."""
        if not _numbered(client, seq):
            return
        self._newest[client] = (seq, outcome)
        self._newest.move_to_end(client)
        if len(self._newest) > MOST_CLIENTS:
            self._newest.popitem(last=False)


def _numbered(client: Any, seq: Any) -> bool:
    """Whether a request has the client and the number that every true one has."""
    return isinstance(client, str) and isinstance(seq, int)
