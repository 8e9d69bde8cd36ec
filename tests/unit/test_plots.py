from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from matplotlib.axes import Axes
from numpy.typing import NDArray
from traitlets import TraitError

from convlens import ConvLens
from convlens.output.figures import MOST_FILTERS, plot, png

RNG = np.random.default_rng(5)
STEP = np.array([[-1, -1, 1, 1]] * 4, dtype=np.float32)
KERNELS = [STEP, -STEP, STEP.T, -STEP.T]
MAPS = RNG.random((4, 20, 30), dtype=np.float32) * np.arange(1, 5, dtype=np.float32)[:, None, None]
NAMES = ["Filter 1", "Filter 2", "Filter 3", "Filter 4"]


def drawn(ax: Axes) -> NDArray[Any]:
    """The numbers that an axes shows in colours."""
    return np.asarray(ax.images[0].get_array())


def split(figure: matplotlib.figure.Figure) -> tuple[list[Axes], list[Axes]]:
    """Axes with kernels and axes with maps, each in order."""
    axes = [ax for ax in figure.axes if ax.images]
    is_map = [drawn(ax).shape == MAPS.shape[1:] for ax in axes]
    return [ax for ax, m in zip(axes, is_map, strict=True) if not m], [
        ax for ax, m in zip(axes, is_map, strict=True) if m
    ]


@pytest.mark.parametrize("form", ["tutorial", "compact"])
def test_kernels_and_maps_are_drawn_with_their_own_numbers_in_order(form: str) -> None:
    above, below = split(plot(KERNELS, MAPS, NAMES, form=form))
    for ax, kernel in zip(above, KERNELS, strict=True):
        np.testing.assert_array_equal(drawn(ax), kernel)
    for ax, values in zip(below, MAPS, strict=True):
        np.testing.assert_array_equal(drawn(ax), values)


def test_the_tutorials_form_has_filters_above_maps_and_numbers_readable_in_the_cells() -> None:
    figure = plot(KERNELS, MAPS, NAMES)
    figure.draw_without_rendering()
    above, below = split(figure)
    assert [ax.get_title() for ax in above] == NAMES
    for kernel_ax, map_ax in zip(above, below, strict=True):
        assert kernel_ax.get_position().y0 >= map_ax.get_position().y1
        texts = {(t.get_position()[1], t.get_position()[0]): t for t in kernel_ax.texts}
        values = drawn(kernel_ax)
        assert len(texts) == 16
        for (row, col), text in texts.items():
            value = values[int(row), int(col)]
            assert float(text.get_text()) == value
            assert text.get_color() == ("white" if value < 0 else "black")  # on the map's black and white


def test_maps_are_grey_over_their_own_range_unless_told_otherwise() -> None:
    _, below = split(plot(KERNELS, MAPS, NAMES))
    for ax, values in zip(below, MAPS, strict=True):
        assert ax.images[0].get_cmap().name == "gray"
        assert ax.images[0].get_clim() == pytest.approx((values.min(), values.max()))
        assert "own range" in ax.get_xlabel()


@pytest.mark.parametrize(
    ("value_range", "label"),
    [("shared", "shared range"), ("symmetric", "symmetric range"), ((0.5, 2.0), "fixed range")],
)
def test_every_map_says_its_range(value_range: Any, label: str) -> None:
    _, below = split(plot(KERNELS, MAPS, NAMES, cmap="viridis", value_range=value_range))
    for ax, values in zip(below, MAPS, strict=True):
        expected = {
            "shared": (MAPS.min(), MAPS.max()),
            "symmetric": (-np.abs(values).max(), np.abs(values).max()),
        }.get(value_range if isinstance(value_range, str) else "", value_range)
        assert ax.images[0].get_clim() == pytest.approx(expected)
        assert ax.images[0].get_cmap().name == "viridis"
        assert label in ax.get_xlabel()


def test_nan_infinite_and_clipped_values_look_unlike_numbers_and_are_counted() -> None:
    maps = np.zeros((1, 2, 4), np.float32)
    maps[0] = [[np.nan, np.inf, -np.inf, 0.0], [9.0, -9.0, -9.0, 1.0]]
    figure = plot([STEP], maps, ["a"], value_range=(0, 1))
    ax = next(ax for ax in figure.axes if ax.get_xlabel())
    assert ax.get_xlabel().splitlines()[1] == "1 NaN, 1 −∞, 1 +∞, 2 below, 1 above"
    image = ax.images[0]
    colors = image.to_rgba(drawn(ax))
    greys = np.all(colors[..., :1] == colors[..., :3], axis=-1)
    np.testing.assert_array_equal(greys, [[False, False, False, True], [False, False, False, True]])


def test_colour_kernels_are_drawn_plane_by_plane_and_labelled() -> None:
    kernels = RNG.normal(size=(2, 3, 3, 3)).astype(np.float32)
    above, _ = split(plot(list(kernels), MAPS[:2], ["a", "b"]))
    planes = {ax.get_title(): drawn(ax) for ax in above}
    assert set(planes) == {f"{name}, {colour}" for name in "ab" for colour in ("red", "green", "blue")}
    np.testing.assert_array_equal(planes["b, green"], kernels[1, :, :, 1])


def test_deep_kernels_are_drawn_as_their_mean_and_say_so() -> None:
    kernel = RNG.normal(size=(3, 3, 64)).astype(np.float32)
    above, _ = split(plot([kernel], MAPS[:1], ["a"]))
    assert above[0].get_title() == "a, mean of 64 channels"
    np.testing.assert_allclose(drawn(above[0]), kernel.mean(axis=2))


def test_more_filters_than_a_page_holds_are_left_out_and_the_figure_says_so() -> None:
    n = MOST_FILTERS + 6
    figure = plot([STEP] * n, np.zeros((n, 4, 4)), ["a"] * n, form="compact")
    assert figure.get_suptitle() == f"The first {MOST_FILTERS} of {n} filters"
    assert sum(bool(ax.get_xlabel()) for ax in figure.axes) == MOST_FILTERS


def test_pyplot_keeps_no_figure_and_no_setting() -> None:
    before = (plt.get_fignums(), dict(plt.rcParams))
    plot(KERNELS, MAPS, NAMES)
    png(KERNELS, MAPS, NAMES)
    assert (plt.get_fignums(), dict(plt.rcParams)) == before


def test_size_and_resolution_are_forwarded() -> None:
    figure = plot(KERNELS, MAPS, NAMES, figsize=(6, 4), dpi=50)
    assert isinstance(figure, matplotlib.figure.Figure)
    assert tuple(figure.get_size_inches()) == (6, 4)
    picture = PIL.Image.open(io.BytesIO(png(KERNELS, MAPS, NAMES, form="compact", figsize=(6, 4), dpi=50)))
    assert (picture.format, picture.size) == ("PNG", (300, 200))


def test_a_notebook_shows_the_figure_even_if_pyplot_was_never_imported() -> None:
    script = """
import sys
import numpy as np
from IPython.core.formatters import DisplayFormatter
from convlens.output.figures import plot
figure = plot([np.eye(3)], np.zeros((1, 4, 4)), ["a"])
data, _ = DisplayFormatter().format(figure)
assert data["image/png"].startswith(b"\\x89PNG"), data
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_unknown_options_and_forms_are_refused_with_those_that_exist() -> None:
    with pytest.raises(TypeError, match="does not know figsise; it takes form, figsize, dpi"):
        plot(KERNELS, MAPS, NAMES, figsise=(3, 3))
    with pytest.raises(ValueError, match="'tutorial' or 'compact'"):
        plot(KERNELS, MAPS, NAMES, form="large")
    with pytest.raises(ValueError, match="4 kernels, 3 maps and 4 names"):
        plot(KERNELS, MAPS[:3], NAMES)
    with pytest.raises(TraitError, match="no colour map"):
        plot(KERNELS, MAPS, NAMES, cmap="greyish")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"stage": "gradient"},
            TraitError,
            r"'activation', 'pre_activation' or 'gradients'\. Did you mean 'gradients'",
        ),
        ({"kernel_range": "own"}, TraitError, "no kernel_range 'own'"),
        ({"dpi": "large"}, ValueError, "dpi='large' was given; expected a number"),
        ({"figsize": 3}, ValueError, r"figsize=3 was given; expected \(width, height\)"),
        ({"figsize": ("a", 2)}, ValueError, "figsize="),
        ({"target": 1}, TypeError, "takes target only together with stage='gradients'"),
        # What the lens itself gives to the drawing is no option of its method.
        ({"total": 9}, TypeError, "does not know total; it takes form, .*, stage, overlay"),
        ({"image": np.zeros((2, 2, 1))}, TypeError, "does not know image"),
    ],
)
def test_a_lens_refuses_a_plots_option_by_its_own_name(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    lens = ConvLens(np.eye(6, dtype=np.float32), [STEP])
    with pytest.raises(error, match=message):
        lens.plot(**options)


def _place(ax: Axes) -> float:
    place = ax.get_subplotspec()
    assert place is not None and ax.figure is not None
    return float(place.get_position(ax.figure).x0)  # type: ignore[arg-type,unused-ignore]


@pytest.mark.slow
@pytest.mark.parametrize(("count", "columns"), [(1, 1), (3, 3), (4, 4), (5, 4), (16, 5), (64, 9), (100, 11)])
def test_many_filters_make_a_page_and_not_a_strip(count: int, columns: int) -> None:
    # A page has the proportions of 24 × 30 inches. A pair is 3.2 wide and 2.9 + 2 + 0.3 high, since the map is two
    # thirds as high as wide: sqrt(count × 5.2 / 3.2 × 24 / 30) columns, but at least four.
    figure = plot([STEP] * count, [MAPS[0]] * count, ["f"] * count, most=count)
    first_row = {round(_place(ax), 4) for ax in figure.axes if ax.images}
    width, height = figure.get_size_inches()
    assert len(first_row) == columns
    assert width <= 24.001 and height <= 30.001
    if count >= 16:
        assert 0.5 <= width / height <= 1.6


@pytest.mark.parametrize("options", [{"dpi": 6000}, {"figsize": (1000, 2), "dpi": 100}, {"figsize": (0, 2)}])
def test_what_matplotlib_cannot_draw_is_refused_with_its_bound(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="65535"):
        plot(KERNELS, MAPS, NAMES, **options)


@pytest.mark.parametrize("most", [0, -1, True, 2.5])
def test_a_number_of_filters_that_is_none_is_refused(most: Any) -> None:
    with pytest.raises(ValueError, match="most="):
        plot(KERNELS, MAPS, NAMES, most=most)
