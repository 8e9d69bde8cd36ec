"""The lock files: versions and hashes of every package, but no addresses to get them from."""

from __future__ import annotations

import json
import re
from typing import Any

from tools.environments import BACKENDS, COLAB, KERAS_HUB, LOWEST, MAIN, Environment, uv
from tools.front_end import NODE_LOCK, npm
from tools.pythons import text
from tools.shell import ROOT, run, say

#: What each environment's lock file is resolved from, and how.
SOURCES: dict[Environment, tuple[str, ...]] = {
    MAIN: ("pyproject.toml", "--extra", "survey", "--group", "dev"),
    COLAB: ("pyproject.toml", "environments/colab.in", "--extra", "survey", "--group", "suite"),
    LOWEST: ("pyproject.toml", "--extra", "survey", "--group", "suite", "--resolution", "lowest-direct"),
    BACKENDS: ("environments/backends.in", "--constraint", "requirements.lock"),
    # What keras-hub asks for besides would bring TensorFlow a second time.
    KERAS_HUB: ("environments/keras_hub.in", "--no-deps", "--constraint", "requirements.lock"),
}


def lock_python(upgrade: bool) -> None:
    """Resolve the Python dependencies within pyproject.toml.

    Parameters
    ----------
    upgrade
        Whether to take the newest versions. Otherwise a version that is locked and still fits stays as it is.
    """
    for environment, sources in SOURCES.items():
        say(f"Python lock of {environment.name}")
        lowest = text(min(environment.pythons, default=(3, 10)))
        uv(
            *("pip", "compile", *sources, *(["--upgrade"] if upgrade else [])),
            *("--universal", "--python-version", lowest, "--generate-hashes"),
            *("--no-header", "--no-emit-index-url", "--no-emit-find-links"),
            *("--output-file", str(environment.lock.relative_to(ROOT))),
        )


def lock_node(upgrade: bool) -> None:
    """Resolve the front end's dependencies within package.json; `upgrade` is as in `lock_python`."""
    say("Node lock")
    run(npm(), "update" if upgrade else "install", "--package-lock-only")
    tree = json.loads(NODE_LOCK.read_text())
    tree["packages"] = tidy_node_lock(tree["packages"])
    NODE_LOCK.write_text(json.dumps(tree, indent=2) + "\n")


def tidy_node_lock(packages: dict[str, Any]) -> dict[str, Any]:
    """Leave out every address, and name each platform's build of a package even where the registry lacks it.

    A registry mirror may hold the builds of its own platforms only. ``npm ci`` refuses a lock file that does not name
    them all, and does not fetch those of other platforms.
    """
    packages = {path: dict(entry) for path, entry in packages.items()}
    for path, entry in list(packages.items()):
        entry.pop("resolved", None)
        entry.pop("funding", None)
        for name, version in entry.get("optionalDependencies", {}).items():
            platform_build = re.search(r"-(android|darwin|freebsd|linux|win32)-([a-z0-9]+)(?:-(musl|gnu))?$", name)
            if path and platform_build and f"node_modules/{name}" not in packages:
                system, cpu, libc = platform_build.groups()
                packages[f"node_modules/{name}"] = {
                    "version": version,
                    "cpu": [cpu],
                    **({"dev": True} if entry.get("dev") else {}),
                    **({"libc": ["glibc" if libc == "gnu" else libc]} if libc else {}),
                    "optional": True,
                    "os": [system],
                }
    return dict(sorted(packages.items()))
