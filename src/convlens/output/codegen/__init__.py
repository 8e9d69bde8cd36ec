"""Source code that reproduces what a lens shows, without the lens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.inputs.images import Image
from convlens.maths.arrays import FloatArray, shortened
from convlens.maths.geometry import Geometry
from convlens.maths.one_row import kernel_shown
from convlens.output.codegen.drawing import add_drawing
from convlens.output.codegen.in_keras import add_keras
from convlens.output.codegen.in_numpy import add_numpy
from convlens.output.codegen.program import Program, packed, written
from convlens.output.colormaps import Stage, ValueRange

__all__ = ["to_code"]

#: An image that is longer than this as text is loaded from a file that the reader saves.
LONGEST_IMAGE = 2_000_000
#: Kernels of more numbers than this are packed, not written out.
MOST_NUMBERS = 5_000


def to_code(
    framework: str,
    *,
    image: Image,
    geometry: Geometry,
    kernels: Sequence[FloatArray],
    bias: NDArray[Any],
    names: Sequence[str],
    pointwise: FloatArray | None = None,
    cmap: str = "gray",
    value_range: ValueRange = "per_map",
    stage: Stage = "activation",
) -> str:
    """Write a Python program that computes and draws the activation maps.

    It leaves them in ``activations``, ``(filters, rows, cols)`` float32, or ``(filters, steps)`` for signals. An image
    that came from a path is read from there as the lens read it; any other is the last part of the program, unless it
    is too long (:data:`LONGEST_IMAGE`): then the program loads ``image.npy`` and says how to save that.

    Parameters
    ----------
    framework
        "keras" builds the layer and sets its weights; "numpy" does its arithmetic, in float64.
    image
        What the layer is fed.
    geometry
        The layer.
    kernels
        ``(kh, kw, channels)`` each.
    bias
        ``(filters,)``.
    names
        Titles, one per filter.
    pointwise
        ``(depthwise channels, filters)``, for a separable layer.
    cmap, value_range, stage
        How the maps are drawn.

    Raises
    ------
    ValueError
        If `framework` is neither, or if the layer does more than its settings say (a class or an activation
        function of the user's own).
    """
    if framework not in ("keras", "numpy"):
        raise ValueError(f"There is no framework {shortened(framework)}; expected 'keras' or 'numpy'.")
    if not geometry.exact:
        raise ValueError(
            f"Layer {geometry.name!r} ({geometry.class_name}, activation {geometry.activation!r}) cannot be written as "
            "source: its class or its activation function is not Keras's own, or it does not compute in float32. Use "
            "the layer itself, with layer.set_weights(lens.get_weights())."
        )
    code = Program()
    code.imports.add("import numpy as np")
    signal = geometry.rank == 1
    image_lines, within = _image_lines(code, replace(image, signal=True) if signal else image)
    if not within:
        code.add(*image_lines)
    _add_weights(code, geometry, kernels, np.asarray(bias), pointwise)
    if framework == "keras":
        add_keras(code, geometry, stage)
    else:
        add_numpy(code, geometry)
    shown = "activations" if stage == "activation" else "pre_activations"
    made = "activations" if framework == "keras" and stage == "activation" else "activations, pre_activations"
    if within:
        code.as_function("activation_maps(image)", made)
    else:
        code.start_body()
    add_drawing(code, geometry, names, cmap, value_range, stage)
    if within:
        # The picture's bytes are the longest line by far: what people read comes before it.
        code.as_function(f"draw({shown})", "names, axes")
        code.add(*image_lines, f"{made} = activation_maps(image)", f"names, axes = draw({shown})")
    code.blocks[-1].append("# plt.show()  # outside a notebook")
    program = {"keras": "Keras", "numpy": "NumPy"}[framework]
    return code.text(f"Activation maps of {geometry.filters} filters, computed by {program}.")


def _image_lines(code: Program, image: Image) -> tuple[list[str], bool]:
    """Return the lines that define ``image``, and whether they hold its numbers."""
    rows, cols, channels = image.shape
    comment = f"# The image: ({rows}, {cols}, {channels}) is rows, cols, channels."
    if image.signal:
        comment = f"# The signal: ({cols}, {channels}) is steps, channels."
        image = replace(image, values=image.values[0], bytes_=None if image.bytes_ is None else image.bytes_[0])
    if image.code is not None:
        code.imports |= {"import PIL.Image", "import PIL.ImageOps"}
        return [comment, *image.code], False
    exact = image.bytes_ is not None
    lines = packed("image", image.bytes_ if image.bytes_ is not None else image.values)
    if sum(map(len, lines)) > LONGEST_IMAGE:
        lines = ['# Save it beforehand: np.save("image.npy", lens.image)', 'image = np.load("image.npy")']
        return [comment, *lines, *(["image = image.reshape(len(image), -1)"] if image.signal else [])], False
    code.imports |= {"import base64", "import zlib"}
    if exact:
        scale = image.byte_scale or 1.0
        divided = f"image / {1 / scale:.0f}" if 1 / round(1 / scale) == scale else f"image * {scale!r}"
        lines.append('image = image.astype("float32")' if scale == 1 else f'image = ({divided}).astype("float32")')
    return [comment, "# Any other array of these axes may take its place.", *lines], True


def _add_weights(
    code: Program,
    geometry: Geometry,
    kernels: Sequence[FloatArray],
    bias: NDArray[Any],
    pointwise: FloatArray | None,
) -> None:
    flat = np.stack([kernel_shown(kernel, geometry.rank) for kernel in kernels])
    axes = "kernels, " + ("k" if geometry.rank == 1 else "kh, kw") + ", channels" * (geometry.kernel_channels > 1)
    over = "signal" if geometry.rank == 1 else "image"
    comment = (
        f"# The kernels: {flat.shape} is {axes}. Keras lays them over the {over} as they are, without turning them."
    )
    arrays = [("kernels", flat)] + ([("pointwise_kernels", pointwise)] if pointwise is not None else [])
    lines = [comment]
    for name, array in arrays:
        if array.size > MOST_NUMBERS:
            code.imports |= {"import base64", "import zlib"}
            lines += packed(name, array)
        else:
            lines += written(name, array)
    if geometry.use_bias:
        lines += written("bias", bias)
    code.add(*lines)
