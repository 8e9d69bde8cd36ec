"""Kernels to and from JSON; docs/architecture.md has the format, which the browser writes and reads, too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from convlens.inputs.kernel_items import list_depth
from convlens.inputs.kernels import read_bias, read_kernels, read_names
from convlens.maths.arrays import shortened
from convlens.maths.nearest import nearest

Array = npt.NDArray[np.float32]

VERSION = 1
_KEYS = ("convlens", "kernels", "bias", "names")
_WORDS = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
_EXAMPLE = '{"convlens": 1, "kernels": [[[1, 0], [0, -1]]], "bias": [0], "names": ["diagonal"]}'


class Kernels(NamedTuple):
    """What a text of kernels holds.

    Parameters
    ----------
    kernels
        ``(kh, kw)`` each where it reads one channel, else ``(kh, kw, channels)``; float32, as `ConvLens.kernels` are.
    bias
        ``(filters,)`` float32.
    names
        One string per kernel; None where the text has none.
    """

    kernels: list[Array]
    bias: Array
    names: list[str] | None


def dump(
    kernels: Sequence[npt.ArrayLike], bias: npt.ArrayLike | None = None, names: Sequence[str] | None = None
) -> str:
    """Write kernels as JSON.

    Parameters
    ----------
    kernels
        ``(kh, kw)``, or ``(kh, kw, channels)`` each, such as ``lens.kernels``.
    bias
        ``(filters,)``; zeros if None.
    names
        One string per kernel.

    Returns
    -------
    str
        One line per kernel. `load` reads the very same float32 values back.

    Raises
    ------
    ValueError, TypeError
        As `ConvLens` does for what it cannot use as kernels, biases or names.
    """
    read = read_kernels(kernels, list_depth(kernels))
    depth = read[0].shape[2]
    lines = ",\n".join("    " + _line(kernel[:, :, 0] if depth == 1 else kernel) for kernel in read)
    titles = "null" if names is None else json.dumps(read_names(names, len(read)), ensure_ascii=False)
    return (
        f'{{\n  "convlens": {VERSION},\n  "kernels": [\n{lines}\n  ],\n'
        f'  "bias": {_line(read_bias(bias, len(read)))},\n  "names": {titles}\n}}\n'
    )


def load(text: str | bytes) -> Kernels:
    """Read kernels from JSON that `dump` or the widget wrote.

    Parameters
    ----------
    text
        The JSON text.

    Raises
    ------
    ValueError
        For a text that is not such JSON, is of a later version, or does not hold a list of kernels; it says where.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError(f"This is not JSON: {error}. Expected a text like {_EXAMPLE}") from None
    if not isinstance(data, dict) or "convlens" not in data:
        raise ValueError(f'This JSON does not hold kernels: it has no "convlens". Expected a text like {_EXAMPLE}')
    version = data["convlens"]
    if isinstance(version, bool) or version != VERSION:
        raise ValueError(
            f'"convlens" is {json.dumps(version)}, but this version of convlens reads format {VERSION}. '
            "A newer one may read it."
        )
    _refuse_unknown(data)
    if not isinstance(data.get("kernels"), list):
        raise ValueError(f'"kernels" is missing or is not a list. Expected a text like {_EXAMPLE}')
    numbers = [_numbers(kernel, f"kernels[{i}]") for i, kernel in enumerate(data["kernels"])]
    try:
        kernels = read_kernels(numbers, list_depth(numbers))
        bias = read_bias(_numbers(data.get("bias"), "bias") if data.get("bias") is not None else None, len(kernels))
        names = None if data.get("names") is None else read_names(data["names"], len(kernels))
    except TypeError as error:  # for a reader of a file, its content is a wrong value
        raise ValueError(str(error)) from None
    return Kernels([k[:, :, 0] if k.shape[2] == 1 else k for k in kernels], bias, names)


def _refuse_unknown(data: dict[str, Any]) -> None:
    for key in data:
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            hint = f"Did you mean {near!r}?" if near else f"The keys are {', '.join(_KEYS)}."
            raise ValueError(f"The key {shortened(key)} is not part of the format. {hint}")


def _line(array: Array) -> str:
    return json.dumps(_plain(array))


def _plain(value: Any) -> Any:
    if value.ndim:
        return [_plain(item) for item in value]
    number = np.float32(value)
    if not np.isfinite(number):
        return "NaN" if np.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if number == np.trunc(number) and abs(number) < 1e7:
        return -0.0 if number == 0 and np.signbit(number) else int(number)
    shortest = float(str(number))
    return shortest if np.float32(shortest) == number else float(number)


def _numbers(value: Any, what: str) -> Any:
    if isinstance(value, list):
        return [_numbers(item, what) for item in value]
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(
            f'{what} holds {json.dumps(value)}; expected numbers, or the words "NaN", "Infinity" and "-Infinity".'
        )
    return value
