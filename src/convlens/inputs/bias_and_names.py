"""Biases, pointwise kernels and names of filters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from convlens.inputs.kernel_errors import described
from convlens.maths.arrays import FloatArray, as_array, as_float32, frozen, shortened
from convlens.maths.limits import NAME


def read_bias(bias: Any, n: int) -> FloatArray:
    """Read a bias of ``(n,)`` numbers, one per filter; None is zeros. Returns a read-only float32 copy."""
    if bias is None:
        return frozen(np.zeros(n, np.float32))
    array = as_array(bias, "bias")
    if array.shape != (n,):
        mend = f" For the same bias everywhere: np.full({n}, {array.item()!r})." if array.ndim == 0 else ""
        raise ValueError(
            f"bias has shape {array.shape}; expected ({n},), one number for each of the {n} "
            f"filter{'s' * (n != 1)}.{mend}"
        )
    return frozen(as_float32(array, "bias"))


def read_pointwise(kernels: Any, shape: tuple[int, ...]) -> FloatArray:
    """Read a separable layer's pointwise kernels, one a filter, as Keras's ``(depthwise channels, filters)``.

    `shape` is the one that is expected.
    """
    array = as_array(kernels, "pointwise_kernels")
    channels, filters = shape
    if array.shape != (filters, channels):
        mend = " Give them with the filters first: list(kernel[0, 0].T)." if array.shape == (1, 1, *shape) else ""
        raise ValueError(
            f"pointwise_kernels has shape {array.shape}; expected ({filters}, {channels}): for each of the {filters} "
            f"filters one weight for each of the {channels} depthwise channels.{mend}"
        )
    return frozen(as_float32(array, "pointwise_kernels").T)


def read_names(names: Any, n: int) -> list[str]:
    """Read `n` names of filters; None is "Filter 1", "Filter 2", ..."""
    if names is None:
        return [f"Filter {i + 1}" for i in range(n)]
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise TypeError(f"names is {described(names)}; expected a list of {n} strings, one per filter.")
    result = list(names)
    for index, name in enumerate(result):
        if not isinstance(name, str):
            raise TypeError(f"names[{index}] is {described(name)}; expected a string.")
        _check_name(name, index)
    if len(result) != n:
        raise ValueError(f"{len(result)} names for {n} filter{'s' * (n != 1)}; expected one name for each.")
    return [str(name) for name in result]


def _check_name(name: str, index: int) -> None:
    if len(name) > NAME:
        raise ValueError(
            f"names[{index}], {shortened(name)}, has {len(name)} characters; expected {NAME} at most: "
            f"names[{index}][:{NAME}]."
        )
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"names[{index}], {shortened(name)}, cannot be written as UTF-8: {error.reason}. "
            f'names[{index}].encode(errors="replace").decode() can.'
        ) from None
