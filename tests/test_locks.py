"""The lock files name packages, versions and hashes, but no addresses to get them from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.environments import BACKENDS, COLAB, ENVIRONMENTS, KERAS_HUB, LOWEST, MAIN, Environment
from tools.front_end import NODE_LOCK
from tools.locks import tidy_node_lock
from tools.shell import ROOT

HOST_NAME = re.compile(r"\w+://|\b[\w-]+\.(?:com|dev|io|net|org)\b")

every_environment = pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: environment.name)


def locked(environment: Environment) -> list[str]:
    """Return the lock file's entries, each on one line."""
    text = re.sub(r"\\\n", " ", environment.lock.read_text())
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def versions(environment: Environment) -> dict[str, str]:
    """Return the locked version of each package that has one for all Pythons."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) +--hash", "\n".join(locked(environment)), re.MULTILINE))


@pytest.mark.parametrize("lock", [*(place.lock for place in ENVIRONMENTS), NODE_LOCK], ids=lambda file: file.name)
def test_a_lock_file_holds_no_host_name(lock: Path) -> None:
    assert HOST_NAME.findall(lock.read_text()) == []


@every_environment
def test_every_locked_python_package_has_hashes(environment: Environment) -> None:
    packages = locked(environment)
    assert len(packages) > {BACKENDS: 5, KERAS_HUB: 2}.get(environment, 50)
    assert [line for line in packages if "==" not in line or "--hash=sha256:" not in line] == []


@every_environment
def test_a_python_lock_holds_no_gpu_packages(environment: Environment) -> None:
    assert re.findall(r"^(?:nvidia|cuda|triton)\S*", environment.lock.read_text(), re.MULTILINE) == []


def test_the_environment_of_colab_has_the_versions_of_colab() -> None:
    # From Colab's published list of packages.
    colab = {
        "anywidget": "0.9.21",
        "ipywidgets": "7.7.1",
        "keras": "3.13.2",
        "tensorflow": "2.20.0",
        "traitlets": "5.7.1",
    }
    assert colab.items() <= versions(COLAB).items()
    assert COLAB.pythons[0] == (3, 13)


def test_the_environment_of_lowest_versions_has_the_floor_of_each_requirement() -> None:
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert listed
    requirements = [Requirement(line) for line in re.findall(r'^ +"([^"]+)"', listed[1], re.MULTILINE)]
    floors = {requirement.name: str(requirement.specifier).removeprefix(">=") for requirement in requirements}
    assert len(floors) >= 5
    held = versions(LOWEST)
    assert {name: re.sub(r"(\.0)+$", "", held[name]) for name in floors} == {
        name: re.sub(r"(\.0)+$", "", floor) for name, floor in floors.items()
    }
    assert f'requires-python = ">={".".join(map(str, LOWEST.pythons[0]))}"' in (ROOT / "pyproject.toml").read_text()


def test_the_main_lock_holds_every_package_that_the_project_names() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    text = text.split("[project]")[1].split("[tool.")[0]
    named = {Requirement(one).name for one in re.findall(r'"([A-Za-z][^">]*>=[^"]+)"', text)}
    assert {"keras", "dask", "pytest", "mypy"} <= named
    held = set(re.findall(r"^([a-z0-9-]+)==", MAIN.lock.read_text(), re.MULTILINE))
    assert {canonicalize_name(name) for name in named} - held == set()


def test_the_node_lock_is_as_the_lock_command_leaves_it() -> None:
    tree = json.loads(NODE_LOCK.read_text())
    assert tree["packages"] == tidy_node_lock(tree["packages"])


def test_tidying_names_the_builds_of_other_platforms() -> None:
    tree = {"": {}, "node_modules/tool": {"optionalDependencies": {"@tool/cli-linux-x64-musl": "1.2.0"}, "dev": True}}
    assert tidy_node_lock(tree)["node_modules/@tool/cli-linux-x64-musl"] == {
        "version": "1.2.0",
        "cpu": ["x64"],
        "dev": True,
        "libc": ["musl"],
        "optional": True,
        "os": ["linux"],
    }
