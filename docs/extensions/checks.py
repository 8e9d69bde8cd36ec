"""What an exercise may ask of a lens, and what its answer says.

A check is one of

- ``{"kernel": 0, "equals": [[…]], "within": 0.01}``: filter 0's kernel, ``(kh, kw)`` or with channels;
- ``{"kernel": 0, "sum": 1, "within": 0.01}``: the sum of its weights; ``"not"`` lists kernels that do not count;
- ``{"map": 0, "zeros": [0.9, 1]}``: the share of zeros of filter 0's activation map lies between these;
- ``{"map": 0, "least": [0, 0]}``: so does its smallest value, or its ``"greatest"``;
- ``{"setting": "strides", "equals": [2, 2]}``: a setting of the layer;
- ``{"pixel": true, "activation": [0.5, 2]}``: the pinned pixel of the selected map has a value between these;
- ``{"number": "output_shape.0", "asks": "Rows"}``: a number typed by the reader is this entry of the lens's geometry.

An answer is the kernel to write, ``{"kernel": 0, "values": [[…]]}``, the setting to choose, ``{"setting": "strides",
"values": [2, 2]}``, the number to type, ``{"number": 5}``, or the pixel to click, ``{"pixel": [r, c]}``; ``"text"``
explains it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

KINDS = ("kernel", "map", "setting", "pixel", "number")


@dataclass(frozen=True)
class Check:
    """A check that the page can carry out, with the texts around it."""

    record: dict[str, Any]
    asks: str | None
    open_text: str
    answer_html: str


def read_check(check: dict[str, Any], answer: dict[str, Any]) -> Check:
    """Read a check and its answer.

    Raises
    ------
    ValueError
        Where either is not as this module describes, so that the site is not built with a question nobody can solve.
    """
    kinds = [kind for kind in KINDS if kind in check]
    if len(kinds) != 1:
        raise ValueError(f"The check {check} names {kinds or 'nothing'}; expected exactly one of {', '.join(KINDS)}.")
    (kind,) = kinds
    solved_by = {"map": "kernel"}.get(kind, kind)
    if solved_by not in answer and "kernel" not in answer and "setting" not in answer:
        raise ValueError(f"The answer {answer} does not say what to do for the check {check}.")
    asks = str(check["asks"]) if kind == "number" else None
    waiting = "Type your answer." if asks else "Not yet: change the lens above."
    return Check({"check": check, "answer": answer}, asks, waiting, answer_html(answer))


def number(cell: float | list[float]) -> str:
    """Write a cell of a kernel, of several input channels as a group."""
    return "(" + " ".join(f"{value:g}" for value in cell) + ")" if isinstance(cell, list) else f"{cell:g}"


def answer_html(answer: dict[str, Any]) -> str:
    """Return an answer as HTML."""
    text = html.escape(str(answer.get("text", "")))
    if "kernel" in answer:
        rows = "\n".join("  ".join(map(number, row)) for row in answer["values"])
        text += f"<pre>{html.escape(rows)}</pre>"
    elif "setting" in answer:
        text += f" <code>{html.escape(answer['setting'])} = {html.escape(str(answer['values']))}</code>"
    elif "number" in answer:
        text += f" <code>{answer['number']}</code>"
    return text
