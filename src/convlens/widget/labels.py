"""What the classes of a model's outputs are called: one list, or one for each of several outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convlens.maths.arrays import shortened
from convlens.maths.limits import LABELS
from convlens.maths.nearest import nearest
from convlens.models.outputs import OutputForm, chosen
from convlens.state.filters import checked_text

Labels = list[str] | dict[str, list[str]]


def read_labels(value: Any, outputs: Mapping[str, OutputForm], output: str | int | None) -> Labels:
    """Return labels as a list, for the chosen output, or by the name of their output.

    Parameters
    ----------
    value
        A list of text; a dict of such lists by the name of an output, or a list of them by its position, where None
        leaves an output without labels.
    outputs
        The model's, by name.
    output
        Which of them is chosen.

    Raises
    ------
    ValueError
        Where an output does not exist, or has another number of classes or channels.
    """
    if isinstance(value, Mapping):
        return {_known(name, outputs): _checked(of, outputs[name], f" for {name!r}") for name, of in value.items()}
    if not isinstance(value, (str, bytes)) and any(isinstance(one, (list, tuple)) for one in value):
        names = list(outputs)
        if len(value) > len(names):
            raise ValueError(f"{len(value)} lists of labels were given, but the model has {_listed(outputs)}.")
        return {
            name: _checked(of, outputs[name], f" for {name!r}")
            for name, of in zip(names, value, strict=False)
            if of is not None
        }
    return _checked(value, chosen(dict(outputs), output))


def labels_of(labels: Labels, outputs: Mapping[str, OutputForm], output: str | int | None) -> list[str]:
    """Return the labels of the chosen output; none where a list was given for an output of another form."""
    form = chosen(dict(outputs), output)
    if isinstance(labels, dict):
        name = next((name for name, one in outputs.items() if one is form), "")
        return labels.get(name, [])
    return labels if form is None or form.count is None or len(labels) == form.count else []


def _known(name: Any, outputs: Mapping[str, OutputForm]) -> str:
    """Return the name of an output; a ``ValueError`` lists those that exist."""
    if name in outputs:
        return str(name)
    near = nearest(str(name), list(outputs))
    meant = f" Did you mean {near!r}?" if near else ""
    raise ValueError(f"labels were given for {shortened(name)}, but the model has {_listed(outputs)}.{meant}")


def _listed(outputs: Mapping[str, OutputForm]) -> str:
    return f"these outputs: {', '.join(map(repr, outputs)) or 'none'}"


def _checked(value: Any, form: OutputForm | None, where: str = "") -> list[str]:
    if isinstance(value, str) or not all(isinstance(label, str) for label in value):
        raise ValueError(f"labels={shortened(value)} was given{where}; expected a list of names, one for each class.")
    if len(value) > LABELS:
        raise ValueError(
            f"{len(value):,} labels were given{where}; a lens takes {LABELS:,} at most: labels[:{LABELS}]."
        )
    labels = [checked_text(label, "label") for label in value]
    if labels and form is not None and form.count not in (None, len(labels)):
        raise ValueError(
            f"{len(labels)} labels were given{where}, but the model's output has {form.count} "
            f"{'channels' if form.picture else 'numbers'}; expected one label for each, in their order."
        )
    return labels
