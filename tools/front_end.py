"""Node's side: its packages, the bundle, and what tests and benchmark load in the browser."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tools.shell import ROOT, SetupError, run, say, stamped

NODE_LOCK = ROOT / "package-lock.json"
HOST_BUNDLES = ROOT / "tests/browser/hosts/bundles.json"
BENCHMARK_BUNDLES = ROOT / "benchmarks/bundles.json"


def npm() -> str:
    """Return the path of npm, after checking Node's version."""
    node, found = shutil.which("node"), shutil.which("npm")
    if node is None or found is None:
        raise SetupError("Node.js 20 or newer with npm is needed on PATH; it builds the browser's side.")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < 20:
        raise SetupError(f"Node.js 20 or newer is needed; {node} is {version}.")
    return found


def install_node_packages() -> None:
    """Install what package-lock.json names, unless it is already installed."""
    if record := stamped(ROOT / "node_modules/.locked", NODE_LOCK.read_bytes()):
        say("Node packages")
        run(npm(), "ci")
        record()


def build() -> None:
    """Build the front-end bundle into the package."""
    install_node_packages()
    say("Front-end bundle")
    run(npm(), "run", "build")


def install_host_bundles() -> None:
    """Unpack the front ends of hosts that the browser tests load."""
    unpack_bundles("Front ends of hosts", HOST_BUNDLES, ROOT / "node_modules/.hosts")


def install_benchmark_bundles() -> None:
    """Unpack what the benchmark compares the lens with in the browser."""
    unpack_bundles("TensorFlow.js, to compare with", BENCHMARK_BUNDLES, ROOT / "node_modules/.benchmarks")


def unpack_bundles(title: str, bundles: Path, folder: Path) -> None:
    """Unpack packages into a folder as they were published, without the packages that they depend on."""
    record = stamped(folder / ".locked", bundles.read_bytes())
    if record is None:
        return
    say(title)
    shutil.rmtree(folder, ignore_errors=True)
    for name, bundle in json.loads(bundles.read_text()).items():
        with tempfile.TemporaryDirectory() as packed:
            run(npm(), "pack", "--silent", f"{name}@{bundle['version']}", "--pack-destination", packed)
            (archive,) = Path(packed).iterdir()
            digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if bundle["integrity"] != f"sha512-{digest}":
                raise SetupError(f"{name} {bundle['version']} is not what {bundles.name} says: sha512-{digest}.")
            with tarfile.open(archive) as contents:
                contents.extractall(packed, filter="data")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(packed, "package"), folder / name)
    record()
