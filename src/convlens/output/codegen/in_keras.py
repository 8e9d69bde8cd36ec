"""The layer as Keras source: made with its settings, given its weights, called."""

from __future__ import annotations

from convlens.layers.kinds import kind_of_geometry
from convlens.maths.geometry import Geometry
from convlens.output.codegen.activations import keras_activation
from convlens.output.codegen.program import Program, quoted
from convlens.output.colormaps import Stage


def add_keras(code: Program, geometry: Geometry, stage: Stage) -> None:
    """Add what makes ``activations`` of ``image``, ``kernels`` and ``bias`` by Keras."""
    code.imports.add("import keras")
    kind = kind_of_geometry(geometry)
    counts = kind.arguments(geometry.channels)
    arguments = [str(counts.pop("filters"))] if "filters" in counts else []
    arguments.append(f"kernel_size={kind.setting(geometry.kernel_size)}")
    arguments += [f"strides={kind.setting(geometry.strides)}", f"padding={quoted(geometry.padding)}"]
    arguments.append(f"dilation_rate={kind.setting(geometry.dilation_rate)}")
    arguments += [f"{name}={value}" for name, value in counts.items()]
    if geometry.output_padding is not None:
        arguments.append(f"output_padding={kind.setting(geometry.output_padding)}")
    arguments.append(f"use_bias={geometry.use_bias}")
    arguments.append(f"activation={keras_activation(geometry.activation, geometry.activation_params)}")
    call = [f"layer = keras.layers.{kind.class_name}(", *(f"    {argument}," for argument in arguments), ")"]
    if geometry.data_format == "channels_first":
        call.insert(0, "# channels_last: the same weights give the same maps as in the channels_first layer.")
    lines, shape = _keras_weights(geometry)
    code.add(
        f"# The layer takes (batch, {kind.sizes}, channels).",
        *call,
        f"layer.build({(1, *geometry.input_shape[2 - geometry.rank :])})",
        f"# Its kernel: {shape} is ({'k' if geometry.rank == 1 else 'kh, kw'}, {kind.kernel_axes}).",
        *lines,
    )
    sizes = ", ".join(map(str, geometry.output_shape[2 - geometry.rank :]))
    result = "np.moveaxis(keras.ops.convert_to_numpy(layer(batch))[0], -1, 0)"
    lines = [
        "batch = image[np.newaxis]",
        f"# It returns (1, {sizes}, {geometry.filters}): batch, {kind.sizes}, filters. Filters first:",
        f"activations = {result}",
    ]
    code.start_body()
    if stage == "pre_activation":
        lines += ["layer.activation = keras.activations.linear", f"pre_activations = {result}"]
    code.add(*lines)


def _keras_weights(geometry: Geometry) -> tuple[list[str], tuple[int, ...]]:
    shape = geometry.weight_shape
    stacking = kind_of_geometry(geometry).stacking
    if not stacking:
        kernel = f"np.stack(kernels, axis=-1).reshape{shape}"
    else:
        one_channel = "[..., np.newaxis]" if geometry.kernel_channels == 1 else ""
        kernel = stacking.replace("kernels", f"kernels{one_channel}")
    weights = ["kernel"]
    lines = [f"kernel = {kernel}"]
    if geometry.kind.pointwise:
        weights.append(f"pointwise_kernels[{', '.join(['np.newaxis'] * geometry.rank)}]")
    if geometry.use_bias:
        weights.append("bias")
    return [*lines, f"layer.set_weights([{', '.join(weights)}])"], shape
