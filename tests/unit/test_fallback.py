"""What a lens's output holds besides the widget: a picture of Keras's maps, and a line of text."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import textwrap
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import numpy.typing as npt
import pytest
from nbclient import NotebookClient
from PIL import Image

from convlens import ConvLens
from tests.deadlines import SECONDS

WIDGET = "application/vnd.jupyter.widget-view+json"
IMAGE = np.random.default_rng(0).random((20, 24)).astype(np.float32)


def pixels(png: str | bytes) -> npt.NDArray[np.uint8]:
    data = base64.b64decode(png) if isinstance(png, str) else png
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def plotted(lens: ConvLens, **kw: Any) -> npt.NDArray[np.uint8]:
    file = io.BytesIO()
    lens.plot(form="compact", dpi=72, **kw).savefig(file, format="png")
    return pixels(file.getvalue())


def test_an_output_holds_the_widget_a_picture_and_a_line_of_text() -> None:
    lens = ConvLens(IMAGE, [np.eye(3), np.ones((3, 3))])
    _ = lens.activations
    data, _ = lens._repr_mimebundle_()
    assert set(data) == {WIDGET, "image/png", "text/plain"}
    assert data[WIDGET]["model_id"] == lens.model_id
    assert data["text/plain"] == "ConvLens: Conv2D, 2 filters of 3 × 3 on 20 × 24 × 1 → maps of 18 × 22 (relu)"
    np.testing.assert_array_equal(pixels(data["image/png"]), plotted(lens))


@pytest.mark.parametrize(
    "change",
    [
        lambda lens: lens.set_kernel(1, np.full((3, 3), 2.0)),
        lambda lens: lens.add_kernel(np.eye(3)),
        lambda lens: setattr(lens, "cmap", "viridis"),
        lambda lens: setattr(lens, "value_range", (0, 1)),
        lambda lens: setattr(lens, "stage", "pre_activation"),
        lambda lens: setattr(lens, "names", ["one", "two"]),
        lambda lens: setattr(lens, "image", IMAGE[::-1]),
        lambda lens: setattr(lens, "bias", [1, 2]),
    ],
    ids=["kernel", "filter", "colours", "range", "stage", "names", "image", "bias"],
)
def test_the_picture_follows_every_change(change: Any) -> None:
    lens = ConvLens(IMAGE, [np.eye(3), -np.ones((3, 3))])
    _ = lens.activations
    before = pixels(lens._repr_mimebundle_()[0]["image/png"])
    change(lens)
    after = pixels(lens._repr_mimebundle_()[0]["image/png"])
    assert before.shape != after.shape or (before != after).any()
    np.testing.assert_array_equal(after, plotted(lens))


@pytest.mark.slow
def test_of_many_filters_the_picture_shows_eight_and_says_so() -> None:
    lens = ConvLens(IMAGE, [np.full((3, 3), i) for i in range(20)])
    _ = lens.activations
    shown = pixels(lens._repr_mimebundle_()[0]["image/png"])
    np.testing.assert_array_equal(shown, plotted(lens, most=8))
    assert lens.plot(form="compact", most=8).get_suptitle() == "The first 8 of 20 filters"


def test_a_layer_that_fails_leaves_no_old_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    lens = ConvLens(IMAGE, [np.eye(3)])
    _ = lens.activations
    assert "image/png" in lens._repr_mimebundle_()[0]
    monkeypatch.setattr(lens._session.engine.layer, "run", lambda *_: 1 / 0)
    lens.set_kernel(0, np.ones((3, 3)))
    assert "image/png" not in lens._repr_mimebundle_()[0]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], str]]:
    """Return what is displayed, with the ids by which it can be replaced."""
    outputs: list[tuple[dict[str, Any], str]] = []
    monkeypatch.setattr(
        "convlens.widget.notebook_picture.publish", lambda data, _, display_id, **__: outputs.append((data, display_id))
    )
    return outputs


def test_nothing_is_drawn_before_a_lens_is_on_the_screen(published: list[tuple[dict[str, Any], str]]) -> None:
    lens = ConvLens(IMAGE, [np.eye(3)])
    _ = lens.activations
    lens._ipython_display_()
    lens._ipython_display_()
    assert [set(data) for data, _ in published] == [{WIDGET, "text/plain"}] * 2
    # JupyterLab draws every output of an id anew when one more is displayed.
    assert published[0][1] != published[1][1]


def test_in_colab_the_picture_is_in_the_output_from_the_start(
    published: list[tuple[dict[str, Any], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lens = ConvLens(IMAGE, [np.eye(3)])
    _ = lens.activations
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    lens._ipython_display_()
    np.testing.assert_array_equal(pixels(published[0][0]["image/png"]), plotted(lens))


@pytest.mark.slow
def test_before_keras_is_there_nothing_claims_to_be_its_map_and_nothing_is_drawn() -> None:
    program = """
        import sys
        import numpy as np
        from convlens import ConvLens
        data, _ = ConvLens(np.eye(9, dtype="float32"), [np.eye(3)])._repr_mimebundle_()
        assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/plain"}, set(data)
        assert "matplotlib.figure" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, capture_output=True)


@pytest.mark.slow
def test_a_notebook_run_with_nobody_at_it_holds_the_picture_of_its_last_cell() -> None:
    cells = [
        "import io, numpy as np\nfrom convlens import ConvLens\n"
        "lens = ConvLens(np.arange(400, dtype='float32').reshape(20, 20) % 7, [np.eye(3)])\nlens",
        "lens.set_kernel(0, np.ones((3, 3)))\nlens.cmap = 'magma'",
        "import base64\nprint(base64.b64encode(lens.plot(form='compact', dpi=72)._repr_png_()).decode())",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=SECONDS).execute()
    (output,) = [one for one in notebook.cells[0].outputs if one.output_type != "stream"]
    printed = "".join(one.text for one in notebook.cells[2].outputs if one.get("name") == "stdout")
    np.testing.assert_array_equal(pixels(output.data["image/png"]), pixels(printed.strip()))
