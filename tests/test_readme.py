"""The README's commands, its Python and its links, as a newcomer would use them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from matplotlib import get_data_path

from tests.checkout import ROOT, clean_copy
from tests.fetch import fetch

README = (ROOT / "README.md").read_text()
SET_UP_SECONDS = 1200

pytestmark = pytest.mark.slow


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    return [line for block in fenced("console") for line in block.splitlines()]


def bare_environment() -> dict[str, str]:
    """Return the environment as it was before any virtual one was entered."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    own = str(ROOT / ".venv")
    environment["PATH"] = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if not p.startswith(own))
    environment.pop("DISPLAY", None)
    environment.pop("WAYLAND_DISPLAY", None)
    return environment


@contextmanager
def started(command: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a shell command until the block ends, then stop it and whatever it started."""
    with subprocess.Popen(
        command,
        shell=True,
        cwd=folder,
        env=bare_environment(),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        overdue = threading.Timer(SET_UP_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        overdue.start()
        try:
            yield process
        finally:
            overdue.cancel()
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clean_copy(tmp_path_factory.mktemp("clone"))


def test_the_readme_gives_two_commands_and_ci_runs_the_second() -> None:
    assert commands() == ["python3 dev.py lab", "python3 dev.py test"]
    assert commands()[1] in (ROOT / ".ci" / "run").read_text()


def test_the_first_command_sets_up_a_clean_clone_and_prints_the_address_of_the_tutorial(clone: Path) -> None:
    log: list[str] = []
    with started(commands()[0], clone) as process:
        assert process.stdout is not None
        for line in process.stdout:
            log.append(line)
            if address := re.search(r"http://127\.0\.0\.1:\d+/lab/tree/tutorial\.ipynb\?token=\w+", line):
                break
        else:
            pytest.fail("no address was printed:\n" + "".join(log))
        assert "JupyterLab" in fetch(address[0]).decode()
        contents = json.loads(fetch(address[0].replace("/lab/tree/", "/api/contents/")))
        assert contents["type"] == "notebook"


def test_the_second_command_runs_its_checks_in_a_clean_clone(clone: Path) -> None:
    # All of its groups are what this test itself runs among; here a quick one shows that the set-up serves them.
    done = subprocess.run(
        f"{commands()[1]} --only front-end-check --only lint",
        shell=True,
        cwd=clone,
        env=bare_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SET_UP_SECONDS,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"passed +lint", done.stdout)
    assert re.search(r"passed +front-end-check", done.stdout)


def test_the_readmes_python_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photograph = Path(get_data_path(), "sample_data", "grace_hopper.jpg")
    shutil.copy(photograph, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in fenced("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert "lens" in names


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_every_test_that_shows_a_promise_is_there() -> None:
    named = re.findall(r"`((?:js/)?tests/[\w/.-]+)`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 8
    assert [name for name in named if not (ROOT / name).is_file()] == []
