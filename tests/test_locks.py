"""The lock files name packages, versions and hashes, and no place to get them from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import dev

HOST_NAME = re.compile(r"\w+://|\b[\w-]+\.(?:com|dev|io|net|org)\b")


@pytest.mark.parametrize("lock", [dev.PYTHON_LOCK, dev.NODE_LOCK], ids=lambda file: file.name)
def test_a_lock_file_holds_no_host_name(lock: Path) -> None:
    assert HOST_NAME.findall(lock.read_text()) == []


def test_every_locked_python_package_has_hashes() -> None:
    text = re.sub(r"\\\n", " ", dev.PYTHON_LOCK.read_text())
    packages = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(packages) > 50
    assert [line for line in packages if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_python_lock_holds_no_gpu_packages() -> None:
    assert re.findall(r"^(?:nvidia|cuda|triton)\S*", dev.PYTHON_LOCK.read_text(), re.MULTILINE) == []


def test_the_node_lock_is_as_the_lock_command_leaves_it() -> None:
    tree = json.loads(dev.NODE_LOCK.read_text())
    assert tree["packages"] == dev.tidy_node_lock(tree["packages"])


def test_tidying_names_the_builds_of_other_platforms() -> None:
    locked = {"": {}, "node_modules/tool": {"optionalDependencies": {"@tool/cli-linux-x64-musl": "1.2.0"}, "dev": True}}
    assert dev.tidy_node_lock(locked)["node_modules/@tool/cli-linux-x64-musl"] == {
        "version": "1.2.0",
        "cpu": ["x64"],
        "dev": True,
        "libc": ["musl"],
        "optional": True,
        "os": ["linux"],
    }
