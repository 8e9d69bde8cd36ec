"""A Python program as blocks of lines, and arrays written into it."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Program:
    """What a program imports, and its blocks, which blank lines set apart."""

    imports: set[str] = field(default_factory=set)
    blocks: list[list[str]] = field(default_factory=list)
    #: Where the blocks begin that work on the image.
    body: int = 0

    def add(self, *lines: str) -> None:
        """Add a block."""
        self.blocks.append(list(lines))

    def start_body(self) -> None:
        """Begin with what works on the image: it can be made a function by `as_function`."""
        self.body = len(self.blocks)

    def as_function(self, head: str, returned: str) -> None:
        """Make the blocks since `start_body` the body of a function."""
        lines = [line for block in self.blocks[self.body :] for line in block]
        self.blocks[self.body :] = [[f"def {head}:", *(f"    {line}" for line in lines), f"    return {returned}"]]
        self.start_body()

    def text(self, title: str) -> str:
        """Return the source, with `title` as its docstring."""
        standard = sorted(line for line in self.imports if line.split()[1] in ("base64", "math", "zlib"))
        others = sorted(self.imports - set(standard), key=lambda line: line.split()[1].lower())
        blocks = [[f'"""{title}"""'], standard, others, *self.blocks]
        return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def quoted(text: str) -> str:
    """Return `text` as a literal, in double quotes as formatters have it."""
    literal = repr(text)
    return literal if '"' in literal else f'"{literal[1:-1]}"'


def packed(name: str, array: NDArray[Any]) -> list[str]:
    """Return lines that define `array` as `name`, as compressed bytes; they need base64 and zlib."""
    dtype = array.dtype.newbyteorder("<").str if array.dtype.itemsize > 1 else array.dtype.name
    text = base64.b64encode(zlib.compress(array.astype(dtype, copy=False).tobytes(), 9)).decode()
    return [
        f'{name} = zlib.decompress(base64.b64decode("{text}"))',
        f"{name} = np.frombuffer({name}, dtype={quoted(dtype)}).reshape({', '.join(map(str, array.shape))})",
    ]


def written(name: str, array: NDArray[Any]) -> list[str]:
    """Return lines that define a float32 `array` as `name`, its numbers written out, one line per row of a kernel."""
    if array.ndim < 2:
        return [f'{name} = np.array({_numbers(array)}, dtype="float32")']
    # One line per row of a kernel; kernels set apart.
    lines = [f"{name} = np.array("]
    indent = "    "
    if array.ndim == 2:
        lines.append(f"{indent}[")
        lines += [f"{indent * 2}{_numbers(row)}," for row in array]
    else:
        lines.append(f"{indent}[")
        for kernel in array:
            lines.append(f"{indent * 2}[")
            lines += [f"{indent * 3}{_numbers(row)}," for row in kernel]
            lines.append(f"{indent * 2}],")
    return [*lines, f"{indent}],", f'{indent}dtype="float32",', ")"]


def _numbers(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return _number(np.float32(array))
    return f"[{', '.join(_numbers(item) for item in array)}]"


def _number(value: np.float32) -> str:
    """Return the shortest text that Python, by way of float64, reads back as the same float32."""
    if not np.isfinite(value):
        return "np.nan" if np.isnan(value) else ("np.inf" if value > 0 else "-np.inf")
    if float(value).is_integer() and abs(value) < 1e7:
        return "-0.0" if value == 0 and np.signbit(value) else str(int(value))
    text = str(value)
    return text if np.float32(float(text)) == value else repr(float(value))
