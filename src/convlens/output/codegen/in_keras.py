"""The layer as Keras source: made with its settings, given its weights, called."""

from __future__ import annotations

from convlens.codegen.activations import keras_activation
from convlens.codegen.program import Program, quoted
from convlens.colors import Stage
from convlens.geometry import Geometry

_STACKING = {
    "conv": ("np.stack(kernels, axis=-1)", "(kh, kw, input channels, filters)"),
    "transpose": ("np.stack(kernels, axis=-2)", "(kh, kw, filters, input channels)"),
    "depthwise": ("", "(kh, kw, input channels, kernels per channel)"),
    "separable": ("", "(kh, kw, input channels, kernels per channel)"),
}
_CLASSES = {
    "conv": "Conv2D",
    "depthwise": "DepthwiseConv2D",
    "separable": "SeparableConv2D",
    "transpose": "Conv2DTranspose",
}


def add_keras(code: Program, geometry: Geometry, stage: Stage) -> None:
    """Add what makes ``activations`` of ``image``, ``kernels`` and ``bias`` by Keras."""
    code.imports.add("import keras")
    class_name = _CLASSES[geometry.kind]
    arguments = ([] if geometry.kind == "depthwise" else [str(geometry.filters)]) + [
        f"kernel_size={geometry.kernel_size}"
    ]
    arguments += [f"strides={geometry.strides}", f"padding={quoted(geometry.padding)}"]
    arguments.append(f"dilation_rate={geometry.dilation_rate}")
    if geometry.groups > 1:
        arguments.append(f"groups={geometry.groups}")
    if geometry.kind in ("depthwise", "separable"):
        arguments.append(f"depth_multiplier={geometry.depth_multiplier}")
    if geometry.output_padding is not None:
        arguments.append(f"output_padding={geometry.output_padding}")
    arguments.append(f"use_bias={geometry.use_bias}")
    arguments.append(f"activation={keras_activation(geometry.activation, geometry.activation_params)}")
    call = [f"layer = keras.layers.{class_name}(", *(f"    {argument}," for argument in arguments), ")"]
    if geometry.data_format == "channels_first":
        call.insert(0, "# channels_last: the same weights give the same maps as in the channels_first layer.")
    lines, shape = _keras_weights(geometry)
    code.add(
        "# The layer takes (batch, rows, cols, channels).",
        *call,
        "batch = image[np.newaxis]",
        "layer.build(batch.shape)",
        f"# Its kernel: {shape} is {_STACKING[geometry.kind][1]}.",
        *lines,
    )
    rows, cols = geometry.output_shape
    result = "np.moveaxis(keras.ops.convert_to_numpy(layer(batch))[0], -1, 0)"
    lines = [
        f"# It returns (1, {rows}, {cols}, {geometry.filters}): batch, rows, cols, filters. Filters first:",
        f"activations = {result}",
    ]
    if stage == "pre_activation":
        lines += ["layer.activation = keras.activations.linear", f"pre_activations = {result}"]
    code.add(*lines)


def _keras_weights(geometry: Geometry) -> tuple[list[str], tuple[int, ...]]:
    shape = geometry.weight_shape
    if geometry.kind in ("depthwise", "separable"):
        kernel = f"np.stack(kernels, axis=-1).reshape{shape}"
    else:
        one_channel = "[..., np.newaxis]" if geometry.kernel_channels == 1 else ""
        kernel = _STACKING[geometry.kind][0].replace("kernels", f"kernels{one_channel}")
    weights = ["kernel"]
    lines = [f"kernel = {kernel}"]
    if geometry.kind == "separable":
        weights.append("pointwise_kernels[np.newaxis, np.newaxis]")
    if geometry.use_bias:
        weights.append("bias")
    return [*lines, f"layer.set_weights([{', '.join(weights)}])"], shape
