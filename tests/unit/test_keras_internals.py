"""The names of Keras that are not public are there and mean what the project takes them to mean."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from convlens.layers import keras_internals
from convlens.maths.activations import ACTIVATIONS, operation_class
from convlens.models.reading_rules import class_names_known

GONE = "Keras {version} has no {name} any more: {function} of layers/keras_internals.py falls back to what it states."


def gone(name: str, function: str) -> str:
    return GONE.format(version=keras.__version__, name=name, function=function)


class Block(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.first, self.pool = keras.layers.Conv2D(1, 1), keras.layers.MaxPooling2D()

    def call(self, x: Any) -> Any:
        return self.pool(self.first(x))


@pytest.fixture
def model() -> keras.Model:
    return keras.Sequential([keras.Input((4, 4, 1)), Block(), keras.layers.Flatten()])


def test_the_layers_within_are_found(model: keras.Model) -> None:
    block = model.layers[0]
    assert hasattr(block, "_flatten_layers"), gone("Layer._flatten_layers", "layers_within")
    assert hasattr(block, "_layers"), gone("Layer._layers", "sublayers")
    assert keras_internals.sublayers(block) == [block.first, block.pool]
    found = keras_internals.layers_within(model)
    assert {block, block.first, block.pool, model.layers[1]} < set(found) and len(found) == len(set(found))


def test_without_flatten_layers_the_same_are_found(model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = set(keras_internals.layers_within(model))
    monkeypatch.delattr(keras.layers.Layer, "_flatten_layers")
    assert set(keras_internals.layers_within(model)) == expected


def test_without_layers_those_of_models_and_wrappers_are_found() -> None:
    inner = SimpleNamespace()
    outer = SimpleNamespace(layers=[SimpleNamespace(layer=inner)])
    assert keras_internals.layers_within(outer) == [outer, outer.layers[0], inner]


def test_what_a_call_notes_is_under_the_names_that_are_put_back() -> None:
    layer = keras.layers.Identity()
    layer.built = True
    before = dict(vars(layer))
    for name in keras_internals.CALL_NOTES:
        assert name in before, gone(f"Layer.{name}", "call_notes")
    notes = keras_internals.call_notes(layer)
    assert not any(notes.values())
    layer(np.ones((1, 2), np.float32))
    vars(layer).update(notes)
    changed = {name for name, value in vars(layer).items() if value is not before.get(name)}
    assert not changed, f"Keras {keras.__version__} notes {changed} when it calls a layer."


@pytest.mark.parametrize("name", [keras_internals.CLEAR_LOSSES, keras_internals.NAME_SCOPE])
def test_every_call_of_a_layer_goes_through(name: str) -> None:
    layer = keras.layers.Identity()
    calls: list[str] = []
    assert hasattr(layer, name), gone(f"Layer.{name}", "CLEAR_LOSSES and NAME_SCOPE")
    original = getattr(layer, name)

    def noting() -> Any:
        calls.append(name)
        return original()

    vars(layer)[name] = noting
    layer(np.ones((1, 2), np.float32))
    assert calls, f"Keras {keras.__version__} does not call Layer.{name} any more when it calls a layer."


def test_a_variable_whose_value_was_taken_out_is_known() -> None:
    variable = keras.Variable(np.ones(2, np.float32))
    assert hasattr(variable, "_value"), gone("Variable._value", "value_is_away")
    assert not keras_internals.value_is_away(variable)
    variable._value = None
    assert keras_internals.value_is_away(variable)


@pytest.mark.parametrize("name", ["call", "activation"])
def test_a_function_on_the_instance_is_called_in_the_place_of_its_own(name: str) -> None:
    layer = keras.layers.Conv2D(1, 1, activation="relu")
    x = np.ones((1, 2, 2, 1), np.float32)
    layer.build(x.shape)
    seen: list[Any] = []
    put_back = keras_internals.replaced(layer, name, lambda tensor: seen.append(tensor) or tensor)  # type: ignore[func-returns-value]
    layer(x)
    assert seen, f"Keras {keras.__version__} does not look up {name} on the instance: no call of a layer can be seen."
    put_back()
    layer(x)
    assert len(seen) == 1


def test_a_layer_that_has_nothing_to_build_stays_as_it_is() -> None:
    layer = keras.layers.ZeroPadding2D()
    assert not keras_internals.has_own_build(layer) and keras_internals.has_own_build(keras.layers.Conv2D(1, 1))
    names = set(vars(layer))
    with keras_internals.regarded_as_built([layer]):
        assert tuple(layer(np.ones((1, 2, 2, 1), np.float32)).shape) == (1, 4, 4, 1)
    assert not layer.built and set(vars(layer)) == names, gone("Layer.built on the instance", "regarded_as_built")


def test_a_graph_tells_its_calls(model: keras.Model) -> None:
    graph = keras_internals.graph_of(model)
    assert graph is not None, gone("Sequential._functional or Functional._nodes_by_depth", "graph_of")
    first, second = keras_internals.calls_in_order(graph)
    assert (first.operation, second.operation) == tuple(model.layers)
    assert first.input_tensors == list(graph.inputs) and second.outputs == list(graph.outputs)
    assert second.arguments.args[0] is first.outputs[0], gone("Node.arguments", "calls_in_order")
    known = {id(graph.inputs[0]): "tensor"}
    assert first.arguments.fill_in(known)[0] == ("tensor",), gone("Node.arguments.fill_in", "calls_in_order")
    assert keras_internals.graph_of(SimpleNamespace()) is None


def test_the_operations_whose_reading_is_known_are_keras_classes() -> None:
    def below(base: type) -> Iterator[type]:
        subclasses: list[type] = base.__subclasses__()
        for subclass in subclasses:
            yield subclass
            yield from below(subclass)

    names = {one.__name__ for one in below(keras.Operation) if one.__module__.startswith("keras.")}
    # Some functions are other names of one that has a class, swish of silu; some came after the lowest Keras.
    functions = {operation_class(name) for name in ACTIVATIONS}
    lost = set(class_names_known()) - names - functions
    assert not lost, f"Keras {keras.__version__} has no classes named {lost}: rows of models/reading_rules.py are dead."
