"""What a user installs: a wheel and an sdist, made from a clean clone."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import convlens
from tests.checkout import ROOT, clean_copy, files
from tests.deadlines import SECONDS
from tools.environments import COLAB, LOWEST, MAIN, Environment

BUNDLE = {f"convlens/static/{name}" for name in ("widget.js", "loader.js", "widget.css")}

WIDGET = "application/vnd.jupyter.widget-view+json"

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
        "Provides-Extra: survey",
    ):
        assert line in metadata.splitlines()
    assert f"{about}/licenses/LICENSE" in held


def test_the_pages_that_say_a_version_say_the_one_of_the_package() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"version: {convlens.__version__}" in citation.splitlines()
    wheels = re.findall(r"convlens-[\d.]+\w*-py3", (ROOT / "docs" / "howto" / "install.md").read_text("utf-8"))
    assert set(wheels) == {f"convlens-{convlens.__version__}-py3"}


def test_the_bundle_in_the_wheel_keeps_the_budget_that_the_build_prints(wheel: Path) -> None:
    budget = json.loads((ROOT / "js" / "budget.json").read_text())
    held = contents(wheel)
    parts = [held[name] for name in sorted(BUNDLE)]
    assert all(parts)
    assert sum(len(part) for part in parts) <= budget["minified"]
    assert sum(len(gzip.compress(part)) for part in parts) <= budget["gzipped"]


def test_the_sdist_builds_the_same_wheel_without_node(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    again = build("wheel", source, tmp_path / "built", PATH=str(tmp_path / "no-programs-here"))
    assert contents(again) == contents(wheel)


def test_the_colab_notebook_installs_the_wheel_and_runs_from_top_to_bottom(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in Colab: everything is there but the package, whose wheel lies beside the notebook. No network is needed.
    hidden, site = tmp_path / "hidden", tmp_path / "site"
    for folder in (hidden, site):
        folder.mkdir()
    (hidden / "sitecustomize.py").write_text(f"import sys; sys.path.remove({str(ROOT / 'src')!r})")
    environment = {
        "PYTHONPATH": f"{hidden}{os.pathsep}{site}",
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_TARGET": str(site),
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    shutil.copy(wheel, tmp_path)
    notebook = nbformat.read(ROOT / "examples" / "colab.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("import convlens\nprint(convlens.__file__)"))
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=SECONDS, resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    printed = [one.text.strip() for one in notebook.cells[-1].outputs if one.get("name") == "stdout"]
    assert printed == [str(site / "convlens" / "__init__.py")]
    shown = [one.data for cell in notebook.cells for one in cell.get("outputs", []) if "data" in one]
    lenses = [data for data in shown if WIDGET in data]
    assert len(lenses) == 2
    # One lens, seen twice: both outputs hold its picture as of the last cell.
    assert lenses[0]["image/png"] == lenses[1]["image/png"]
    assert (tmp_path / "lens.html").stat().st_size < 500_000


#: Whether what the wheel asks for is there, in versions that it takes.
NEEDS_MET = """
import importlib.metadata as metadata
from packaging.requirements import Requirement
asked = [Requirement(one) for one in metadata.distribution("convlens").requires if "extra ==" not in one]
assert len(asked) > 5
unmet = [str(one) for one in asked if not one.specifier.contains(metadata.version(one.name))]
assert not unmet, unmet
"""


@pytest.mark.parametrize("environment", [MAIN, LOWEST, COLAB], ids=lambda environment: environment.name)
def test_the_wheel_works_where_it_is_installed_without_node(
    environment: Environment, wheel: Path, tmp_path: Path
) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(environment.python),
        "install",
        "-qq",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", str(tmp_path), str(wheel)], check=True)
    code = (
        "import convlens, pathlib, sys; "
        "from convlens import ConvLens; "
        "assert not {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules); "
        "lens = ConvLens([[0.25, 0.5], [0.75, 1.0]], [[[2.0]]]); "
        "front_end = len(lens._bundle) > 1000 > len(lens._esm) > 0; "
        "print(pathlib.Path(convlens.__file__).parent, front_end, lens.activations.ravel().tolist())"
    )
    command = [str(environment.python), "-c", f"{NEEDS_MET}\n{code}"]
    printed = subprocess.run(
        command,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PATH": str(tmp_path / "no-programs-here")},
        capture_output=True,
        text=True,
    ).stdout
    assert printed.strip() == f"{tmp_path / 'convlens'} True [0.5, 1.0, 1.5, 2.0]"
