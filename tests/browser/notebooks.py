"""What the browser tests run in their notebooks, and what must be true there whenever nothing is pending."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.browser.expected import assert_drawn
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView

ROOT = Path(__file__).resolve().parents[2]

#: A part of the photograph that is small enough to be seen pixel by pixel, through the tutorial's four filters.
SMALL = """
import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image
from convlens import ConvLens
with get_sample_data("grace_hopper.jpg") as file:
    photograph = Image.open(file).convert("L").resize((64, 76))
img = np.asarray(photograph, dtype="float32") / 255
f1 = np.array([[-1, -1, 1, 1]] * 4)
lens = ConvLens(img, [f1, -f1, f1.T, -f1.T])
lens
"""

#: Shape of its maps, and its kernels.
SMALL_MAP = (73, 61)
_ALONG = np.array([[-1, -1, 1, 1]] * 4, np.float32)
SMALL_KERNELS = (_ALONG, -_ALONG, _ALONG.T, -_ALONG.T)

#: Something to scroll to below the lens.
BELOW = "from IPython.display import HTML; HTML('<div style=\"height: 3000px\">the end</div>')"


def assert_in_step(notebook: Notebook, view: LensView, count: int = 4) -> None:
    """Fail unless cells and maps on screen are the kernels and the activations in Python."""
    view.settle()
    kernels, activations = notebook.python.value("lens.kernels"), notebook.python.value("lens.activations")
    assert len(kernels) == view.cards().count() == count
    for index, (kernel, activation) in enumerate(zip(kernels, activations, strict=True)):
        np.testing.assert_array_equal(view.kernel(index), kernel)
        assert_drawn(view.map_pixels(index, activation.shape), activation)
