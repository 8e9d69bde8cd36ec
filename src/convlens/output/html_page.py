"""A lens as one self-contained page that stays editable without a kernel."""

from __future__ import annotations

import base64
import html
import json
import zlib
from pathlib import Path
from string import Template
from typing import Any

_HERE = Path(__file__).parent


def to_html(state: dict[str, Any], title: str) -> str:
    """Write a page that shows a lens from its widget state alone.

    Parameters
    ----------
    state
        Names and values of the widget's traits, bytes where they hold bytes.
    title
        Of the page.

    Returns
    -------
    str
        HTML with the front end, its style sheet and the state inside. It fetches nothing.
    """
    static = _HERE.parent / "static"
    return Template((_HERE / "page.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        css=_packed((static / "widget.css").read_bytes()),
        host=(_HERE / "saved_page.js").read_text("utf-8"),
        bundle=_packed((static / "widget.js").read_bytes()),
        state=pack_state(state),
    )


def pack_state(state: dict[str, Any]) -> str:
    """Return a lens's state as the text that ``readState(await unpack(text))`` of ``saved_page.js`` reads.

    Parameters
    ----------
    state
        Names and values of the widget's traits, bytes where they hold bytes.

    Returns
    -------
    str
        Base64 of a zlib stream.
    """
    return _packed(_serialised(without_maps(state)))


def without_maps(state: dict[str, Any]) -> dict[str, Any]:
    """Leave out the maps that the page can compute from the image and the kernels by itself."""
    if not (state["_state"]["geometry"]["previewable"] and state["_state"]["image_is_input"]):
        return state
    table = state["_filters"]
    return state | {"_filters": table | {"filters": [one | {"map": None} for one in table["filters"]]}}


def _serialised(state: dict[str, Any]) -> bytes:
    """Return the length of the JSON in 4 bytes, the JSON, and the buffers it names by offset and length."""
    body = bytearray()

    def walk(value: Any) -> Any:
        if isinstance(value, bytes):
            body.extend(value)
            return {"$at": [len(body) - len(value), len(value)]}
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        return [walk(item) for item in value] if isinstance(value, (list, tuple)) else value

    head = json.dumps(walk(state), allow_nan=False).encode()
    return len(head).to_bytes(4, "little") + head + bytes(body)


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()
