"""The expressions that an error offers, run as a user would run them."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import PIL.Image

#: The start of an expression with `image`, `kernels` or `kernel` in it, as errors write them.
_START = re.compile(r"(?:list\(|\[(?=np|k)|np\.|image(?=[.\[][':\w]| [-/])|kernels?\[|next\()")


def expressions(text: str) -> list[str]:
    """Return the expressions in an error's text, in their order."""
    found, position = [], 0
    while match := _START.search(text, position):
        end = _end_of(text, match.start())
        piece = text[match.start() : end].rstrip(".,;: ")
        position = max(end, match.end())
        if re.search(r"[(\[]| [-/] ", piece):
            found.append(piece)
    return found


def evaluate(expression: str, **given: Any) -> Any:
    """Run an expression on what was given."""
    return eval(expression, {"np": np, "PIL": PIL, "io": io, **given})


def _end_of(text: str, start: int) -> int:
    depth, quote = 0, ""
    for index in range(start, len(text)):
        char = text[index]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
            if depth < 0:
                return index
        elif depth == 0 and (char in ",;:" or (char == " " and not re.match(r" [-*/] \S", text[index : index + 4]))):
            if char == " " and text[index - 1] in "-*/":
                continue
            return index
    return len(text)
