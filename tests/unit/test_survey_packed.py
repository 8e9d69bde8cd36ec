"""What crosses to a Dask worker arrives as it was, its arrays in one piece."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from convlens.surveys.packed import Packed
from convlens.surveys.sources import Item


def test_images_of_any_form_cross_to_a_worker_as_they_are_and_their_arrays_in_one() -> None:
    colours = np.random.default_rng(0).integers(0, 255, (6, 5, 3), dtype=np.uint8)
    turned = np.asfortranarray(np.random.default_rng(1).random((4, 7), dtype=np.float32))
    values = [colours, turned, colours[::2], np.zeros((0, 3)), Path("folder/image.png"), "name.png", np.float64(2)]
    packed = Packed([Item(i, value) for i, value in enumerate(values)])
    buffers: list[Any] = []
    crossed = pickle.loads(pickle.dumps(packed, protocol=5, buffer_callback=buffers.append), buffers=buffers)
    assert len(buffers) == 1
    items = crossed.items()
    assert [item.image for item in items] == list(range(len(values)))
    for item, value in zip(items, values, strict=True):
        assert type(item.value) is type(value)
        np.testing.assert_array_equal(item.value, value)
    names = Packed([Item("a", "a.png"), Item("b", "b.png")])
    assert [(item.image, item.value) for item in names.items()] == [("a", "a.png"), ("b", "b.png")]
