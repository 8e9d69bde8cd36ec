"""Nothing that is saved reveals the computer that made it: no path, no user, no environment."""

from __future__ import annotations

import base64
import getpass
import html
import io
import json
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from convlens import ConvLens
from convlens.output.html_page import without_maps

SECRET = "a-secret-of-the-environment"
FOLDER = "folder-of-somebody"


@pytest.fixture
def lens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConvLens:
    """A lens on a file in somebody's folder, with notes on what was done to it, and after an error."""
    monkeypatch.setenv("CONVLENS_SECRET", SECRET)
    folder = tmp_path / FOLDER
    folder.mkdir()
    picture = np.random.default_rng(0).integers(0, 255, (12, 9, 3), dtype=np.uint8)
    PIL.Image.fromarray(picture).save(folder / "picture.png")
    monkeypatch.chdir(folder)
    lens = ConvLens(str(folder / "picture.png"), [np.eye(2), np.ones((2, 2))])
    assert lens._session.image.code is not None and FOLDER in "".join(lens._session.image.code)
    lens._session.engine.wait()
    lens.report(FileNotFoundError(2, "No such file", str(folder / "other.png")))
    return lens


def words(tmp_path: Path) -> list[str]:
    own = [SECRET, FOLDER, str(tmp_path), str(Path.home()), str(Path.cwd()), os.environ["PATH"]]
    names = [getpass.getuser(), socket.gethostname()]
    return own + [name for name in names if len(name) > 5]  # shorter ones may be part of any word


def check(data: bytes, tmp_path: Path) -> None:
    for word in words(tmp_path):
        assert word.encode() not in data and html.escape(word).encode() not in data, word


def flat(value: Any) -> bytes:
    """All bytes and all text in a value, one after the other."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, dict):
        return b"".join(flat(key) + flat(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return b"".join(map(flat, value))
    return json.dumps(value, ensure_ascii=False).encode()


def test_a_saved_page_tells_nothing_of_where_it_was_made(lens: ConvLens, tmp_path: Path) -> None:
    page = io.BytesIO()
    lens.save_html(tmp_path / "lens.html")
    page.write((tmp_path / "lens.html").read_bytes())
    check(page.getvalue(), tmp_path)
    # What it holds in compressed form, taken before compression.
    private = ("_state", "_image", "_cmaps", "_presets", "_layers")
    state = {name: getattr(lens, name) for name in (*lens.shared_names(), *private)}
    state |= {"_filters": lens._outbox.table(), "_status": lens._outbox.status()}
    check(flat(without_maps(state)), tmp_path)


def test_the_state_in_a_notebook_tells_nothing_once_a_problem_was_read(lens: ConvLens, tmp_path: Path) -> None:
    lens.set_from_browser("_problem", None)
    front_end = ("_esm", "_bundle", "_css")
    check(flat({name: value for name, value in lens.get_state().items() if name not in front_end}), tmp_path)


def test_pictures_tell_nothing_and_have_no_chunks_but_those_of_values(lens: ConvLens, tmp_path: Path) -> None:
    data, metadata = lens._repr_mimebundle_()
    check(flat(data) + flat(metadata), tmp_path)
    drawn = base64.b64decode(data["image/png"])
    check(drawn, tmp_path)
    for bits, known in ((16, {"low", "high"}), (8, set())):
        file = io.BytesIO()
        lens.save_map(0, file, bits=bits)
        check(file.getvalue(), tmp_path)
        text = getattr(PIL.Image.open(io.BytesIO(file.getvalue())), "text", {})
        assert {key for key in text if key in ("low", "high")} == known
        check(flat(dict(text)), tmp_path)
