"""Switching the bias of the built-in layer off and on again."""

from __future__ import annotations

import numpy as np

from convlens import ConvLens
from tests.unit.test_requests import IMAGE, KERNELS, Browser


def test_a_layer_whose_bias_is_switched_off_has_zeros_and_undo_brings_the_bias_back() -> None:
    lens = ConvLens(IMAGE, KERNELS, bias=[0.5, -1, 2], activation="linear")
    with_bias = lens.activations
    browser = Browser(lens)
    assert browser.ask("configure", settings={"use_bias": False})["ok"]
    np.testing.assert_array_equal(lens.bias, [0, 0, 0])
    np.testing.assert_allclose(lens.activations, with_bias - np.reshape([0.5, -1, 2], (3, 1, 1)), atol=1e-5)
    browser.ask("undo")
    np.testing.assert_array_equal(lens.bias, [0.5, -1, 2])
    np.testing.assert_array_equal(lens.activations, with_bias)
