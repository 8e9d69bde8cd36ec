"""Every name of Keras that is not public and that the project relies on, behind functions that say what is wanted.

Each docstring states what happens where a version of Keras no longer has the name. `tests/unit/test_keras_internals.py`
fails with a sentence when that happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

#: Instance attributes that Keras writes when a layer is called: that it was, and from where.
CALL_NOTES = ("_called", "_parent_path")
#: What a call from outside calls on a layer, to forget the losses of the call before. Without it they are forgotten.
CLEAR_LOSSES = "_clear_losses"
#: What every call of a layer calls on it. Without it a call by another thread, at the same time, is not noticed.
NAME_SCOPE = "_open_name_scope"


def layers_within(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return a layer or model and all layers that it contains, at any depth, each once.

    Relies on ``Layer._flatten_layers``. Without it the layers are found one level at a time, by `sublayers`.
    """
    flatten = getattr(layer, "_flatten_layers", None)
    if flatten is not None:
        return list(flatten())
    found: dict[int, keras.layers.Layer] = {}
    waiting = [layer]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += sublayers(one)
    return list(found.values())


def sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers that a layer or model contains directly, in the order in which it got them.

    Relies on ``Layer._layers``. Without it those of a model's public ``layers`` and of a wrapper's ``layer`` are
    returned, so that the convolutions of a user's own block are not found.
    """
    own = getattr(layer, "_layers", None)
    if own is not None:
        return list(own)
    wrapped = getattr(layer, "layer", None)
    return [*getattr(layer, "layers", ()), *([] if wrapped is None else [wrapped])]


def call_notes(layer: keras.layers.Layer) -> dict[str, Any]:
    """Return copies of what Keras noted on a layer when it was called, by attribute.

    Relies on `CALL_NOTES`. What a version notes under other names is not among them, and stays after a call.
    """
    attributes = instance_attributes(layer)
    return {name: copy(attributes[name]) for name in CALL_NOTES if name in attributes}


def value_is_away(variable: Any) -> bool:
    """Whether JAX's trainer holds the value of a variable; Keras would return newly initialised numbers in its place.

    Relies on ``Variable._value``. Without it a variable is taken to have its value.
    """
    return getattr(variable, "_value", variable) is None


def instance_attributes(layer: keras.layers.Layer) -> dict[str, Any]:
    """Return the attributes of a layer to write to, past the tracking that ``Layer.__setattr__`` does.

    Relies on Keras looking up ``call``, ``build``, ``activation`` and ``built`` on the instance. Without that a
    function put there is not called: a model is reported to have run without calling its convolutions.
    """
    attributes: dict[str, Any] = vars(layer)
    return attributes


@contextmanager
def regarded_as_built(layers: Sequence[keras.layers.Layer]) -> Iterator[None]:
    """Keep Keras from building layers that have nothing to build, as `has_own_build` tells.

    Relies on ``Layer.__call__`` reading ``built`` on the instance. Without that such a layer is built by the call,
    which gives it no weights.
    """
    unbuilt = [layer for layer in layers if not layer.built and not has_own_build(layer)]
    for layer in unbuilt:
        instance_attributes(layer)["built"] = True
    try:
        yield
    finally:
        for layer in unbuilt:
            instance_attributes(layer)["built"] = False


def has_own_build(layer: keras.layers.Layer) -> bool:
    """Whether a layer's class has a ``build`` other than the one that every layer inherits, and may make weights."""
    import keras

    return type(layer).build is not keras.layers.Layer.build and not merges(layer)


def merges(layer: keras.layers.Layer) -> bool:
    """Whether a layer puts several tensors together as Keras's own do, whose ``build`` looks at shapes alone."""
    import keras

    names = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
    return any(type(layer).build is getattr(keras.layers, name).build for name in names)


def graph_of(model: keras.Model) -> Any:
    """Return what holds the ``inputs`` and ``outputs`` of a functional or sequential model, None for any other.

    Relies on ``Sequential._functional`` and ``Functional._nodes_by_depth``. Without them there is no graph, and
    receptive fields are reported as unknown.
    """
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def calls_in_order(graph: Any) -> list[Any]:
    """Return the calls of which a graph is made, in the order in which it runs them.

    Each has ``operation``, ``input_tensors``, ``outputs`` and ``arguments`` (``keras.src.ops.node.Node``). Relies on
    ``_nodes_by_depth``, as `graph_of` does.
    """
    by_depth: Mapping[int, Sequence[Any]] = graph._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth] if not node.is_input]


def replaced(layer: keras.layers.Layer, name: str, function: Callable[..., Any]) -> Callable[[], None]:
    """Replace a layer's own `name` by `function`; the function that is returned restores it."""
    attributes = instance_attributes(layer)
    present, before = name in attributes, attributes.get(name)
    attributes[name] = function

    def put_back() -> None:
        if present:
            attributes[name] = before
        else:
            del attributes[name]

    return put_back
