"""A lens whose cell runs again releases what it can make again, and works as before when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.widget import rerun_cells
from tests.browser.memory import RESIDENT, kernel_size
from tests.browser.python import Python

IMAGE = np.random.default_rng(0).random((24, 20)).astype(np.float32)
KERNELS = [np.eye(3), -np.eye(3)]


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Say which cell runs from now on, and which of its runs this is."""

    def run(name: str, number: str) -> None:
        monkeypatch.setattr(rerun_cells, "running_cell", lambda: (name, number))

    return run


def keras_maps(image: np.ndarray, kernels: list[np.ndarray], activation: str = "linear") -> np.ndarray:
    layer = keras.layers.Conv2D(len(kernels), 3, activation=activation)
    layer.build((None, *image.shape, 1))
    layer.set_weights([np.stack(kernels, -1)[:, :, None].astype(np.float32), np.zeros(len(kernels))])
    return np.moveaxis(np.asarray(layer(image[None, :, :, None]))[0], -1, 0)


def is_suspended(lens: ConvLens) -> bool:
    return lens._session.engine.suspended


def built_in(image: np.ndarray) -> ConvLens:
    return ConvLens(image, KERNELS, activation="linear")


def stand_alone(image: np.ndarray) -> ConvLens:
    return ConvLens(image, KERNELS, layer=keras.layers.Conv2D(2, 3))


def in_model(image: np.ndarray) -> ConvLens:
    layer = keras.layers.Conv2D(2, 3)
    model = keras.Sequential([keras.Input((*image.shape, 1)), layer, keras.layers.Flatten(), keras.layers.Dense(3)])
    return ConvLens(image, KERNELS, model=model)


MAKES = [built_in, stand_alone, in_model]


@pytest.mark.parametrize("make", MAKES)
def test_a_lens_of_an_earlier_run_is_suspended_and_computes_what_keras_does_when_it_is_used(
    cell: Any, make: Callable[[np.ndarray], ConvLens]
) -> None:
    cell("a", "1")
    first = make(IMAGE)
    expected = first.activations
    cell("a", "2")
    second = make(IMAGE.copy())
    engine = first._session.engine
    assert is_suspended(first) and not engine._maps and engine._layer is None
    assert not is_suspended(second)
    assert first.image is second.image  # one array for both
    assert first._image["data"] is second._image["data"]
    np.testing.assert_array_equal(first.activations, expected)
    np.testing.assert_allclose(first.activations, keras_maps(IMAGE, KERNELS), atol=1e-6)
    first.set_kernel(0, np.ones((3, 3)))
    np.testing.assert_allclose(first.activations, keras_maps(IMAGE, [np.ones((3, 3)), -np.eye(3)]), atol=1e-5)
    np.testing.assert_array_equal(second.activations, expected)
    first.undo()
    np.testing.assert_allclose(first.activations, expected, rtol=1e-6, atol=1e-6)


USES: dict[str, Callable[[ConvLens], Any]] = {
    "edit": lambda lens: lens.set_kernel(1, np.zeros((3, 3))),
    "image": lambda lens: setattr(lens, "image", IMAGE[:10]),
    "add": lambda lens: lens.add_kernel(np.ones((3, 3))),
    "size": lambda lens: setattr(lens, "kernels", [np.eye(2)]),
    "plot": lambda lens: lens.plot(),
    "explain": lambda lens: lens.explain(0, 2, 3),
    "layer": lambda lens: lens.layer,
    "weights": lambda lens: lens.set_weights([np.zeros((3, 3, 1, 2)), np.ones(2)]),
    "picture": lambda lens: lens._repr_mimebundle_(),
    "page": lambda lens: lens.save_html("lens.html"),
}


@pytest.mark.parametrize("use", USES)
def test_every_use_gives_what_it_gives_of_a_lens_that_was_not_suspended(
    cell: Any, use: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cell("a", "1")
    suspended = built_in(IMAGE)
    cell("b", "1")
    other = built_in(IMAGE)
    cell("a", "2")
    built_in(IMAGE)
    assert is_suspended(suspended) and not is_suspended(other)
    for lens in (suspended, other):
        USES[use](lens)
    # One computes all maps at once, the other those that changed: Keras rounds the sums differently in their last bit.
    np.testing.assert_allclose(suspended.activations, other.activations, rtol=1e-6, atol=1e-6)
    assert [k.tolist() for k in suspended.kernels] == [k.tolist() for k in other.kernels]


def test_lenses_of_one_run_and_of_other_cells_are_left_alone(cell: Any) -> None:
    cell("a", "1")
    both = [built_in(IMAGE), built_in(IMAGE)]
    cell("b", "2")
    built_in(IMAGE)
    assert not any(is_suspended(lens) for lens in both)
    cell("a", "3")
    built_in(IMAGE)
    assert all(is_suspended(lens) for lens in both)


def test_another_picture_stays_the_lenss_own(cell: Any) -> None:
    cell("a", "1")
    first = built_in(IMAGE)
    cell("a", "2")
    built_in(IMAGE + 1)
    np.testing.assert_array_equal(first.image[..., 0], IMAGE)
    np.testing.assert_allclose(first.activations, keras_maps(IMAGE, KERNELS), atol=1e-6)


def test_a_layer_trained_while_the_lens_is_suspended_is_looked_at_again(cell: Any) -> None:
    cell("a", "1")
    layer = keras.layers.Conv2D(2, 3, use_bias=False)
    layer.build((None, None, None, 1))
    lens = ConvLens(IMAGE, layer=layer)
    cell("a", "2")
    built_in(IMAGE)
    assert is_suspended(lens)
    layer.set_weights([np.ones((3, 3, 1, 2))])
    np.testing.assert_allclose(lens.activations, keras_maps(IMAGE, [np.ones((3, 3))] * 2), atol=1e-5)


def test_a_suspended_lens_greets_a_page_with_kernels_alone_and_computes_the_maps_that_the_page_shows(
    cell: Any,
) -> None:
    cell("a", "1")
    lens = built_in(IMAGE)
    sent: list[dict[str, Any]] = []
    lens._outgoing._send = lambda message, _: sent.append(message.get("content") or {})
    cell("a", "2")
    built_in(IMAGE)
    head = {"client": "page", "generation": 1, "revs": [], "image": 1}
    lens._handle_custom_msg({"type": "hello", "seq": 1, **head}, [])
    assert is_suspended(lens)
    assert [record["map"] for record in sent[-1]["filters"]] == [None, None]
    uids = lens._session.filters.uids
    lens._handle_custom_msg({"type": "need", "seq": 2, "client": "page", "uids": uids}, [])
    assert not is_suspended(lens)
    assert all(record["map"] for record in sent[-1]["filters"])


PREPARE = RESIDENT + "import numpy as np, keras\nfrom convlens import ConvLens\n"
#: Levels are the least of this many runs, since after some an image is given back only in the next run.
RUNS, WINDOW = 30, 10
CELL = """
image = np.random.default_rng(0).random((1024, 1024)).astype("float32")
lens = ConvLens(image)
lens
"""
HELLO = {"type": "hello", "client": "page", "seq": 1, "generation": 1, "revs": [], "image": 1, "again": False}


@pytest.mark.slow
def test_a_cell_that_runs_again_and_again_takes_no_more_memory(python: Python) -> None:
    """Of 1024 × 1024 pixels, whose four maps take 34 MB, with every result kept by IPython, as a notebook does."""
    python.run(PREPARE)
    levels = []
    for _ in range(RUNS):
        python.finish(str(python._client.execute(CELL, store_history=True)))
        content = {"comm_id": python.value("lens.comm.comm_id"), "data": {"method": "custom", "content": HELLO}}
        python._client.shell_channel.send(python._client.session.msg("comm_msg", content))
        python.run("")
        python.drain()
        levels.append(kernel_size(python))
    assert python.value("[len(Out), len(lens._session.engine._maps)]") == [RUNS, 4]
    # An image takes 4.2 MB: if ten runs kept one between them, nearly all of the bound would be used.
    assert min(levels[-WINDOW:]) - min(levels[-2 * WINDOW : -WINDOW]) <= 5, levels
    # What the first lens holds is still what it was.
    assert python.value("list(Out.values())[0].activations.shape") == (4, 1021, 1021)
