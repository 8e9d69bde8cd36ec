from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from matplotlib import colormaps
from traitlets import TraitError

from convlens.output.colormaps import CURATED, check_cmap, check_range, check_stage, cmap_table, limits


@pytest.mark.parametrize("name", [*CURATED, "grey", "jet", "hsv_r", "Spectral"])
def test_a_table_has_the_colours_that_matplotlib_draws_256_levels_in(name: str) -> None:
    expected = colormaps[name](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(np.frombuffer(cmap_table(name), np.uint8).reshape(256, 3), expected)


def test_maps_of_few_or_many_colours_become_tables_of_256() -> None:
    for name in ("tab10", "Set3", "twilight"):  # 10, 12 and 510 colours
        table = np.frombuffer(cmap_table(name), np.uint8).reshape(256, 3)
        expected = colormaps[name]((np.arange(256) + 0.5) / 256, bytes=True)[:, :3]
        np.testing.assert_array_equal(table, expected)


def test_grey_needs_no_matplotlib() -> None:
    script = (
        "import sys, convlens.output.colormaps as c; c.cmap_table(c.check_cmap('gray')); "
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_map_that_is_offered_exists() -> None:
    assert [check_cmap(name) for name in CURATED] == list(CURATED)
    assert set(CURATED) <= set(colormaps)


def test_a_misspelt_map_is_refused_with_the_nearest_name_and_all_that_exist() -> None:
    with pytest.raises(TraitError, match="Did you mean 'viridis'") as caught:
        check_cmap("Virids")
    assert "magma" in str(caught.value)


@pytest.mark.parametrize("value", [None, 3, b"gray", colormaps["gray"]])
def test_a_map_is_given_by_its_name(value: Any) -> None:
    with pytest.raises(TraitError, match="name"):
        check_cmap(value)


@pytest.mark.parametrize("value", ["per_map", "shared", "symmetric"])
def test_modes_of_the_range_are_taken_as_they_are(value: str) -> None:
    assert check_range(value) == value


@pytest.mark.parametrize("value", [(0, 1), [0, 1], (np.float32(0), np.int64(1))])
def test_a_fixed_range_is_a_pair_of_floats(value: Any) -> None:
    assert check_range(value) == (0.0, 1.0)
    assert all(type(number) is float for number in check_range(value))


@pytest.mark.parametrize(
    "value", ["permap", "", None, 5, (1,), (1, 2, 3), (1, 1), (2, 1), (0, np.inf), (np.nan, 1), (True, 2), ("0", "1")]
)
def test_a_range_that_does_not_exist_is_refused_with_those_that_do(value: Any) -> None:
    with pytest.raises(TraitError, match=r"'per_map', 'shared', 'symmetric' or \(low, high\)"):
        check_range(value)


def test_a_stage_is_one_of_two() -> None:
    assert check_stage("activation") == "activation"
    assert check_stage("pre_activation") == "pre_activation"
    for value in ("pre-activation", None, 1):
        with pytest.raises(TraitError, match="'activation' or 'pre_activation'"):
            check_stage(value)


MAPS = [np.array([[-1.0, 3.0]]), np.array([[np.nan, 2.0], [np.inf, -5.0]]), np.array([[np.nan, -np.inf]])]


def test_limits_are_those_of_the_finite_values() -> None:
    assert limits(MAPS, "per_map") == [(-1, 3), (-5, 2), (0, 0)]
    assert limits(MAPS, "shared") == [(-5, 3)] * 3
    assert limits(MAPS, "symmetric") == [(-3, 3), (-5, 5), (0, 0)]
    assert limits(MAPS, (0.0, 0.5)) == [(0, 0.5)] * 3


def test_a_map_without_numbers_does_not_widen_the_shared_range() -> None:
    assert limits([np.array([[5.0, 6.0]]), np.array([[np.nan, np.nan]])], "shared") == [(5, 6)] * 2


def test_a_stack_of_maps_has_one_range_a_map() -> None:
    stack = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    assert limits(stack, "per_map") == [(0, 3), (4, 7), (8, 11)]
