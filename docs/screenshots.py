"""Makes the documentation's pictures: `python3 dev.py screenshots`."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from docs import questions
from tests.browser.hosts.jupyterlab import JupyterLab
from tests.browser.lens import LensView
from tests.browser.running import chromium, watched
from tests.browser.server import serve

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Open the tutorial in JupyterLab and photograph its lens; then the answers to a newcomer's questions."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server, chromium() as browser:
        with (
            watched(browser, width=1400, height=1600, device_scale_factor=1.5) as context,
            JupyterLab.of(server, context) as lab,
        ):
            notebook = lab.open_file(ROOT / "examples" / "tutorial.ipynb")
            notebook.run_all()
            view = LensView(notebook.page).settle()
            view.map(0).locator("canvas").first.hover(position={"x": 90, "y": 90})
            save(view.root.screenshot(), IMAGES / "tutorial.png")
        with watched(browser, width=1200, height=1600) as context, JupyterLab.of(server, context) as lab:
            questions.photograph(lab, IMAGES)


def save(picture: bytes, file: Path) -> None:
    """Write a PNG of 128 colours, which is enough for greys and a few accents and a third of the size."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main()
