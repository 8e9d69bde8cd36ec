"""Build hook: a wheel, an sdist or an editable install made from a checkout holds the front-end bundle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("src", "convlens", "static")
BUNDLE = ("widget.js", "loader.js", "widget.css")


class FrontEndBuildHook(BuildHookInterface[Any]):
    """Run the front-end build before hatchling collects the files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the files of ``static``, unless this is an sdist that came with them."""
        root = Path(self.root)
        bundle = [root / STATIC / name for name in BUNDLE]
        from_sdist = (root / "PKG-INFO").exists()
        if from_sdist and all(file.exists() for file in bundle):
            return
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("Building convlens from a checkout needs Node.js 20 or newer, with npm on PATH.")
        if not (root / "node_modules").exists():
            subprocess.run([npm, "ci"], cwd=root, check=True)
        subprocess.run([npm, "run", "build"], cwd=root, check=True)
        missing = [str(file) for file in bundle if not file.exists()]
        if missing:
            raise RuntimeError(f"The front-end build ended without writing {', '.join(missing)}.")
