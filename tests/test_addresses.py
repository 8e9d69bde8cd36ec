"""No page sends a reader to an address that the project does not own: whoever registers it could run code there."""

from __future__ import annotations

import re

import pytest

from tests.checkout import ROOT, files

#: What leads a reader to the project's source or package, under whatever owner.
ADDRESSES = re.compile(
    r"github\.com/[\w.-]+/convlens"
    r"|colab\.research\.google\.com/github"
    r"|git\+(?:https|ssh)://"
    r"|pypi\.org/project/convlens"
    r"|convlens\.(?:readthedocs|org|io|dev|com)\b"
    r"|pip install +(?:-\S+ +)*[\"']?convlens(?![-\w.]*\.whl)"
)


def repository() -> str:
    """Return the setting that names the published source, "owner/name" or nothing."""
    (name,) = re.findall(r'^repository = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    return str(name)


def expected(name: str) -> dict[str, str]:
    """Return what each file must hold once the source is published under that name."""
    badge = f"https://colab.research.google.com/github/{name}/blob/main/examples/colab.ipynb"
    return {
        "README.md": badge,
        "examples/colab.ipynb": badge,
        "pyproject.toml": f'Source = "https://github.com/{name}"',
    }


def found_addresses() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in files():
        path = ROOT / name
        if path.suffix in (".md", ".py", ".toml", ".ipynb", ".json", ".ts", ".tsx", ".html", ".cff", ".rst"):
            if path.name == "test_addresses.py":
                continue
            found[name] = [match[0] for match in ADDRESSES.finditer(path.read_text("utf-8"))]
    return {name: addresses for name, addresses in found.items() if addresses}


def test_pages_name_the_repository_that_is_set_and_none_while_none_is_set() -> None:
    name = repository()
    if not name:
        assert found_addresses() == {}
        return
    for page, address in expected(name).items():
        assert address in (ROOT / page).read_text("utf-8")
    owned = re.compile(rf"(?:github\.com|colab\.research\.google\.com/github)/{re.escape(name)}\b|pip install")
    assert all(owned.search(address + f"/{name}") for addresses in found_addresses().values() for address in addresses)


@pytest.mark.parametrize(
    "text",
    [
        "[![Open In Colab](badge.svg)](https://colab.research.google.com/github/someone/convlens/blob/main/a.ipynb)",
        'Source = "https://github.com/convlens/convlens"',
        "pip install convlens",
        'pip install --quiet "convlens[survey]"',
        "git+https://github.com/someone/else",
    ],
)
def test_a_made_up_address_is_recognised(text: str) -> None:
    assert ADDRESSES.search(text)


@pytest.mark.parametrize("text", ["pip install convlens-0.2.0-py3-none-any.whl", "github.com/keras-team/keras"])
def test_what_leads_elsewhere_is_not(text: str) -> None:
    assert not ADDRESSES.search(text)
