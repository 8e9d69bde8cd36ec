"""Files that the lens writes: complete or not at all, whatever was there before."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convlens
from convlens import ConvLens
from convlens.output.write_file import replaced

IMAGE = np.random.default_rng(0).random((6, 5)).astype(np.float32)


def test_a_failure_while_writing_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "lens.html"
    path.write_text("before")
    with pytest.raises(OSError, match="No space left"), replaced(path) as file:
        file.write(b"half of")
        raise OSError(28, "No space left on device")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_and_links_stay_as_they_are(tmp_path: Path) -> None:
    path, link = tmp_path / "lens.html", tmp_path / "link.html"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    with replaced(link) as file:
        file.write(b"after")
    assert link.is_symlink() and path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_gets_the_permissions_that_open_gives(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with replaced(tmp_path / "new") as file:
        file.write(b"")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_is_no_regular_file_is_written_to(tmp_path: Path) -> None:
    with replaced(os.devnull) as file:
        file.write(b"gone")
    assert not Path(os.devnull).is_file()


def test_a_page_and_a_map_that_cannot_be_made_leave_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lens = ConvLens(IMAGE)
    page, png = tmp_path / "lens.html", tmp_path / "map.png"
    page.write_text("before")
    png.write_text("before")

    def full(self: Image.Image, file: object, **_: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    monkeypatch.setattr("convlens.output.html_page.to_html", lambda *_: 1 / 0)
    with pytest.raises(OSError, match="No space left"):
        lens.save_map(0, png)
    with pytest.raises(ZeroDivisionError):
        lens.save_html(page)
    assert (page.read_text(), png.read_text()) == ("before", "before")
    assert sorted(tmp_path.iterdir()) == [page, png]


@pytest.mark.parametrize("name", ["\ud800", "a\udfffb"])
def test_a_name_that_no_file_can_hold_is_refused_before_anything_changes(tmp_path: Path, name: str) -> None:
    lens = ConvLens(IMAGE, [np.eye(2)], names=["a"])
    for attempt in (
        lambda: setattr(lens, "names", [name]),
        lambda: lens.add_kernel(np.eye(2), name),
        lambda: ConvLens(IMAGE, [np.eye(2)], names=[name]),
    ):
        with pytest.raises(ValueError, match="UTF-8"):
            attempt()
    assert (lens.names, len(lens.kernels), lens._session.history.counts["undo"]) == (["a"], 1, 0)
    lens.save_html(tmp_path / "lens.html")
    assert (tmp_path / "lens.html").stat().st_size > 0


def test_kernels_written_as_json_are_read_back_bit_by_bit() -> None:
    kernels = [np.array([[1 / 3, -0.0], [np.nan, np.inf]], np.float32), np.ones((2, 2), np.float32)]
    text = convlens.dump_kernels(kernels, bias=[0.1, 2], names=["thirds", "ones"])
    read = convlens.load_kernels(text)
    assert [kernel.tobytes() for kernel in read.kernels] == [kernel.tobytes() for kernel in kernels]
    assert read.bias.tolist() == [np.float32(0.1), 2]
    assert read.names == ["thirds", "ones"]
