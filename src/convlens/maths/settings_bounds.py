"""How far the settings of a layer may go, checked in exact integers before any array is made."""

from __future__ import annotations

from convlens.maths.geometry import Geometry

#: Largest stride, dilation or padded size. TensorFlow counts rows and columns in 32 bits; more ends the process.
LARGEST_STEP = 2**31 - 1
#: Values of a padded input, or of one map, above which settings are refused (256 MB of float32), unless the input
#: itself is of that order.
MOST_VALUES = 2**26
#: How many times larger than the input either may be where the input itself is large.
MOST_GROWTH = 4


def check_bounds(geometry: Geometry) -> None:
    """Raise a ``ValueError`` that names the bound where a layer's settings require more than can be computed.

    Parameters
    ----------
    geometry
        The layer's settings, for the input that it is fed.
    """
    for name, pair in (("strides", geometry.strides), ("dilation_rate", geometry.dilation_rate)):
        if max(pair) > LARGEST_STEP:
            raise ValueError(
                f"{name}={_short(pair)} was given; expected at most {LARGEST_STEP:,} for rows and columns, which is "
                "what the layer's back end can count. A step as large as the image already makes a map of one pixel."
            )
    rows, cols, channels = geometry.input_shape
    top, bottom, left, right = geometry.pads
    padded = (rows + top + bottom, cols + left + right)
    _check_size(
        padded,
        (rows, cols),
        channels,
        f"kernels of {geometry.kernel_size} with dilation_rate={_short(geometry.dilation_rate)} and "
        f"padding={geometry.padding!r} pad the input of {rows} × {cols} to {_product(padded)}",
        "Use a smaller dilation_rate, or padding='valid'.",
    )
    _check_size(
        geometry.output_shape,
        (rows, cols),
        1,
        f"strides={_short(geometry.strides)} and dilation_rate={_short(geometry.dilation_rate)} make maps of "
        f"{_product(geometry.output_shape)} from an input of {rows} × {cols}",
        "Use smaller strides or a smaller image.",
    )


def _check_size(size: tuple[int, int], before: tuple[int, int], channels: int, what: str, mend: str) -> None:
    values, own = size[0] * size[1] * channels, before[0] * before[1] * channels
    if min(size) < 1 or values <= max(MOST_VALUES, MOST_GROWTH * own):
        return
    raise ValueError(
        f"The layer's {what}, which is {values:,} values; expected at most {max(MOST_VALUES, MOST_GROWTH * own):,}. "
        f"{mend}"
    )


def _product(size: tuple[int, int]) -> str:
    return f"{size[0]:,} × {size[1]:,}"


def _short(pair: tuple[int, int]) -> str:
    return "(" + ", ".join(str(n) if n < 10**12 else f"about 1e{len(str(n)) - 1}" for n in pair) + ")"
