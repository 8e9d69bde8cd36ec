"""What a user installs: a wheel and an sdist, made from a clean clone."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import convlens
from tests.checkout import ROOT, clean_copy, files

BUNDLE = {"convlens/static/widget.js", "convlens/static/widget.css"}

pytestmark = pytest.mark.slow


def build(kind: str, source: Path, target: Path, **environment: str) -> Path:
    """Build a wheel or an sdist of `source` with the hatchling of the lock file."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(target), str(source)]
    subprocess.run(command, check=True, env=os.environ | environment)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clean_copy(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", clone, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", clone, tmp_path_factory.mktemp("sdist"))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def test_a_clean_clone_holds_no_bundle() -> None:
    tracked = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "src/convlens/static"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    assert tracked == b""


def test_the_wheel_holds_the_package_the_bundle_and_nothing_else(wheel: Path) -> None:
    found = {name for name in contents(wheel) if ".dist-info/" not in name}
    sources = {name.removeprefix("src/") for name in files() if name.startswith("src/")}
    assert found == sources | BUNDLE


def test_the_wheel_is_any_platforms_and_says_its_version_licence_and_needs(wheel: Path) -> None:
    assert wheel.name == f"convlens-{convlens.__version__}-py3-none-any.whl"
    about = f"convlens-{convlens.__version__}.dist-info"
    held = contents(wheel)
    metadata = held[f"{about}/METADATA"].decode()
    for line in (
        f"Version: {convlens.__version__}",
        "License-Expression: BSD-3-Clause",
        "Requires-Python: >=3.10",
        "Requires-Dist: anywidget>=0.9.21",
        "Requires-Dist: keras>=3.9",
    ):
        assert line in metadata.splitlines()
    assert f"{about}/licenses/LICENSE" in held


def test_the_bundle_grows_no_further(wheel: Path) -> None:
    # The budget that the build prints, 90 kB and 30 kB compressed, is exceeded; this line is held until it is met.
    held = contents(wheel)
    parts = [held[name] for name in sorted(BUNDLE)]
    assert all(parts)
    assert sum(len(part) for part in parts) <= 222_000
    assert sum(len(gzip.compress(part)) for part in parts) <= 78_000


def test_the_sdist_builds_the_same_wheel_without_node(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    again = build("wheel", source, tmp_path / "built", PATH=str(tmp_path / "no-programs-here"))
    assert contents(again) == contents(wheel)


def test_the_wheel_works_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(tmp_path), str(wheel)], check=True)
    code = (
        "import convlens, pathlib, sys; "
        "from convlens import ConvLens; "
        "assert not {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules); "
        "print(pathlib.Path(convlens.__file__).parent, len(str(ConvLens._esm)) > 1000)"
    )
    command = [sys.executable, "-c", code]
    printed = subprocess.run(
        command,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    ).stdout
    assert printed.split() == [str(tmp_path / "convlens"), "True"]
