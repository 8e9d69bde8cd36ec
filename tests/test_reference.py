"""The reference names everything public, each parameter of it, and the errors of what can refuse its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from numpydoc.docscrape import FunctionDoc, NumpyDocString

import convlens
from convlens import ConvLens
from tests.checkout import ROOT

PAGES = "".join(page.read_text("utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))


def methods() -> Iterator[tuple[str, Any]]:
    """Yield the public methods of a lens, of results, and the package's functions."""
    for owner in (*ConvLens.__bases__, convlens.Survey):
        for name, method in vars(owner).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                yield f"{owner.__name__}.{name}", method
    for name in convlens.__all__:
        if inspect.isfunction(function := getattr(convlens, name)):
            yield name, function


def documented(doc: NumpyDocString, section: str) -> list[str]:
    return [name.strip() for one in doc[section] for name in one.name.split(",")]


@pytest.mark.parametrize("name", [name for name in convlens.__all__ if name != "__version__"])
def test_every_public_name_stands_in_the_reference(name: str) -> None:
    assert f":: {name}\n" in PAGES


@pytest.mark.parametrize(("name", "function"), [pytest.param(*one, id=one[0]) for one in methods()])
def test_every_parameter_is_explained_and_errors_are_named(name: str, function: Any) -> None:
    parameters = [
        ("**" if one.kind is one.VAR_KEYWORD else "") + one.name
        for one in inspect.signature(function).parameters.values()
        if one.name != "self"
    ]
    doc = FunctionDoc(function)
    assert sorted(documented(doc, "Parameters")) == sorted(parameters)
    # A method without parameters can refuse only the state that its summary mentions.
    assert not parameters or doc["Raises"], "Raises is missing"


def test_every_argument_of_a_lens_is_explained_with_its_type() -> None:
    doc = NumpyDocString(inspect.cleandoc(ConvLens.__doc__ or ""))
    given = [name for name in inspect.signature(ConvLens.__init__).parameters if name not in ("self", "widget")]
    assert sorted(documented(doc, "Parameters")) == sorted(given)
    assert [one.name for one in doc["Parameters"] if not one.type] == []
