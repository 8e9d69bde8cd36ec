"""What a session is exported as: explanations, figures, pictures and programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from convlens.inputs.images import Image
from convlens.maths.alignment import Alignment, of_fields, of_layer
from convlens.maths.arrays import shortened
from convlens.maths.one_row import kernel_shown, maps_shown
from convlens.output.colormaps import Stage, ValueRange, check_stage, limits
from convlens.output.map_png import Target
from convlens.state.filters import Array
from convlens.state.interpreted import gradients
from convlens.state.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convlens.maths.explanation import Explanation


#: The stage of `plot` at which the derivatives of a score are drawn, and the colour map whose middle is 0.
GRADIENTS, DIVERGING = "gradients", "RdBu_r"
#: What a caller of `figure` chooses; the rest of what `convlens.output.figures.plot` takes comes from the session.
CHOSEN = ("form", "figsize", "dpi", "most", "cmap", "value_range", "kernel_range", "stage", "overlay")
OF_GRADIENTS = ("target", "output")


class Look(NamedTuple):
    """How maps are drawn."""

    cmap: str
    value_range: ValueRange
    stage: Stage


def explain(session: Session, i: int, row: int, col: int | None) -> Explanation:
    """Explain one output pixel of filter `i`; for a signal, the output step `row`, with `col` None."""
    from convlens.maths.explanation import explain

    rank = session.geometry.rank
    if rank == 1 and col is not None:
        raise TypeError(f"A layer over signals has maps of steps: explain(i, step), but {row} and {col} were given.")
    if rank == 2 and col is None:
        raise TypeError("A pixel has a row and a column: explain(i, row, col), but one number was given.")
    at_row, at_col = (0, row) if col is None else (row, col)
    _ = session.engine.layer  # waited for before the lock is taken
    with session.editing():  # so that the kernel, the maps and the layer belong together
        filters = session.current()
        index = filters.check_index(i)
        pre_activation, activation = session.maps(index)
        conv = session.engine.layer
    kernel, bias = filters.kernel_at(index), filters[index].bias
    one = explain(conv.geometry, conv.input, kernel, bias, index, at_row, at_col, pre_activation, activation)
    assert isinstance(one.pixel, tuple)
    field = session.receptive_field(*one.pixel)
    one = replace(one, receptive_field=field.along_steps() if session.image.signal else field)
    return one if rank == 2 else one.along_steps()


def figure(session: Session, look: Look, **options: Any) -> Figure:
    """Draw filters and activation maps; `options` are those of `convlens.output.figures.plot`, `stage` and its own."""
    from convlens.output.figures import plot

    if unknown := sorted(options.keys() - {*CHOSEN, *OF_GRADIENTS}):
        listed = f"{', '.join(CHOSEN)}, and with stage='gradients' {' and '.join(OF_GRADIENTS)}"
        raise TypeError(f"plot() does not know {', '.join(unknown)}; it takes {listed}.")
    stage = options.pop("stage", look.stage)
    if stage == GRADIENTS:
        return _figure_of_gradients(session, **options)
    stage = check_stage(stage, more=[GRADIENTS])
    if chosen := [name for name in OF_GRADIENTS if name in options]:
        raise TypeError(f"plot() takes {' and '.join(chosen)} only together with stage='gradients'.")
    _ = session.engine.layer  # waited for before the lock is taken
    with session.editing():  # so that filters and maps belong together
        filters = session.current(thorough=True)
        maps = session.engine.stack(stage)
    drawn: dict[str, Any] = {"cmap": look.cmap, "value_range": look.value_range}
    rank = session.geometry.rank
    if rank == 1 or session.image.latent:
        options["overlay"] = 0  # a curve is not laid over another, nor a map over a vector
    if options.get("overlay"):
        drawn |= {"image": session.image.values, "alignment": alignment(session)}
    kernels = [kernel_shown(filters.kernel_at(i), rank) for i in range(len(filters))]
    return plot(kernels, maps_shown(maps, rank), filters.names, **(drawn | options))


def _figure_of_gradients(
    session: Session, *, target: int | None = None, output: int | str | None = None, **options: Any
) -> Figure:
    """Draw the derivatives of a score with respect to the kernels and the maps, in colours whose middle is 0."""
    from convlens.output.figures import plot

    names = session.filters.names
    found = gradients(session, target, output)
    titles = [f"d score {found.target} / d {name}" for name in names]
    drawn: dict[str, Any] = {"cmap": DIVERGING, "value_range": "symmetric", "kernel_range": "symmetric"}
    if session.image.latent or session.geometry.rank == 1:
        options["overlay"] = 0  # a curve is not laid over another, nor a map over a vector
    if options.get("overlay"):
        drawn |= {"image": session.image.values, "alignment": alignment(session)}
    return plot(found.kernels, found.maps, titles, **(drawn | options))


def alignment(session: Session) -> Alignment:
    """Return where the layer's maps lie over the image, through all layers of a model before this one."""
    if session.plan.feeds_image:
        return of_layer(session.geometry)
    rows, cols = shape = session.geometry.output_shape
    return of_fields(session.receptive_field(0, 0), session.receptive_field(rows - 1, cols - 1), shape)


def save_map(session: Session, look: Look, i: int, path: Target, bits: int) -> None:
    """Write the map of filter `i` as a PNG file of 8 or 16 bits."""
    from convlens.output.map_png import save_drawn, save_values

    if bits not in (8, 16):
        raise ValueError(f"bits={shortened(bits)} was given; expected 16 for the values, or 8 for the map as drawn.")
    index = session.filters.check_index(i)
    if bits == 16:
        save_values(_map(session, index, look.stage), path, session.filters.names[index])
    elif look.value_range == "shared":
        session.current(thorough=True)
        maps = session.engine.stack(look.stage)
        save_drawn(maps[index], path, look.cmap, limits(maps, "shared")[index])
    else:
        values = _map(session, index, look.stage)
        save_drawn(values, path, look.cmap, limits([values], look.value_range)[0])


def program(session: Session, look: Look, framework: str) -> str:
    """Write a Python program that computes and draws what the lens shows."""
    from convlens.output.codegen import to_code

    _ = session.engine.layer  # waited for before the lock is taken
    with session.editing():  # so that filters and layer belong together
        filters = session.current(thorough=True)
        conv = session.engine.layer
    return to_code(
        framework,
        image=session.image if session.plan.feeds_image else Image(conv.input),
        geometry=conv.geometry,
        kernels=filters.kernels,
        bias=filters.bias,
        names=filters.names,
        pointwise=filters.pointwise,
        cmap=look.cmap,
        value_range=look.value_range,
        stage=look.stage,
    )


def _map(session: Session, index: int, stage: Stage) -> Array:
    pre_activation, activation = session.maps(index)
    return activation if stage == "activation" else pre_activation
