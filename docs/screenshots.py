"""Makes the documentation's pictures: `python3 dev.py screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.browser.hosts.jupyterlab import JupyterLab
from tests.browser.lens import LensView
from tests.browser.running import chromium, watched
from tests.browser.server import serve

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Open the tutorial in JupyterLab and photograph its lens."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        chromium() as browser,
        watched(browser, width=1400, height=1600, device_scale_factor=1.5) as context,
        JupyterLab.of(server, context) as lab,
    ):
        notebook = lab.open_file(ROOT / "examples" / "tutorial.ipynb")
        notebook.run_all()
        view = LensView(notebook.page).settle()
        view.map(0).locator("canvas").first.hover(position={"x": 90, "y": 90})
        IMAGES.mkdir(exist_ok=True)
        view.root.screenshot(path=IMAGES / "tutorial.png")


if __name__ == "__main__":
    main()
