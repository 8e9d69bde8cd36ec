"""Tables that Python and the browser each have: activation functions, kinds of layer, and shared traits."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import keras
import pytest

from convlens import ConvLens
from convlens.layers.kinds import all_kinds
from convlens.maths.activations import ACTIVATIONS, PREVIEWABLE
from convlens.models.reading_rules import class_names_known

ROOT = pathlib.Path(__file__).parents[2]

#: Prints the names that the browser's tables have.
NAMES = """
import { build } from "esbuild";
const names = {};
for (const file of ["maths/activations", "maths/kinds", "protocol/records"]) {
  const options = { entryPoints: [`js/${file}.ts`], bundle: true, format: "esm", write: false };
  const source = Buffer.from((await build(options)).outputFiles[0].contents).toString("base64");
  const { KNOWN, SHARED_TRAITS } = await import(`data:text/javascript;base64,${source}`);
  names[file] = KNOWN ?? Object.keys(SHARED_TRAITS);
}
process.stdout.write(JSON.stringify(names));
"""


@pytest.fixture(scope="module")
def browsers() -> Any:
    command = ["node", "--input-type=module", "--eval", NAMES]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)


def test_the_browser_has_a_row_for_each_function_that_python_leaves_to_it_and_for_no_other(browsers: Any) -> None:
    assert set(browsers["maths/activations"]) == PREVIEWABLE


def test_the_browser_has_a_row_for_each_kind_of_layer_that_can_be_opened_and_for_no_other(browsers: Any) -> None:
    assert set(browsers["maths/kinds"]) == {kind.arithmetic.name for kind in all_kinds() if kind.rank == 2}


def test_both_sides_share_the_same_traits(browsers: Any) -> None:
    # The names of filters and of classes are lists, which the browser keeps beside the small traits.
    assert {*browsers["protocol/records"], "names", "labels"} == set(ConvLens.shared_names())


@pytest.mark.parametrize("name", sorted(name for name in ACTIVATIONS if hasattr(keras.ops, name)))
def test_keras_operation_of_an_activation_is_one_whose_reading_is_known(name: str) -> None:
    x = keras.KerasTensor((1, 4, 4, 3))
    output = keras.ops.threshold(x, 0.5, 0.0) if name == "threshold" else getattr(keras.ops, name)(x)
    assert type(output._keras_history.operation).__name__ in class_names_known()
