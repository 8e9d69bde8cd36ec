"""docs/architecture.md names every file of both sides, room by room, and none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text("utf-8")

#: Heading of a side's tables, its folder, and which of its files are source.
SIDES = [
    ("## Python, `src/convlens/`", ROOT / "src" / "convlens", (".py", ".html", ".js")),
    ("## TypeScript, `js/`", ROOT / "js", (".ts", ".tsx", ".css", ".mjs")),
]


def named(heading: str) -> Iterator[str]:
    """Yield the files in the tables below a heading, with the rooms in whose tables they stand."""
    section = DOCUMENT.partition(f"{heading}\n")[2].partition("\n## ")[0]
    for part in section.split("\n### ")[1:]:
        room = re.match(r"`(.+/)`", part)
        for file in re.findall(r"^\| `(.+?)` \|", part, re.MULTILINE):
            yield f"{room[1] if room else ''}{file}"


def source(folder: Path, endings: tuple[str, ...]) -> Iterator[str]:
    for path in folder.rglob("*"):
        file = path.relative_to(folder)
        # A room's own file says only what the room is, but those of packages inside a room find their modules.
        empty = path.name == "__init__.py" and len(path.read_text("utf-8").splitlines()) == 1
        if path.suffix in endings and file.parts[0] not in ("static", "tests") and not empty:
            yield file.as_posix()


@pytest.mark.parametrize(("heading", "folder", "endings"), SIDES, ids=["Python", "TypeScript"])
def test_every_file_has_its_row_and_every_row_its_file(heading: str, folder: Path, endings: tuple[str, ...]) -> None:
    rows = list(named(heading))
    assert len(rows) == len(set(rows))
    assert sorted(rows) == sorted(source(folder, endings))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:src/convlens|js|tests|docs)/[\w./-]+\.\w+)`", DOCUMENT))))
def test_a_path_in_the_text_is_that_of_a_file(path: str) -> None:
    assert (ROOT / path).is_file()
