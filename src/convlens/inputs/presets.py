"""Named kernels, each with what it does and where it comes from.

Keras computes a correlation: the kernel is laid over the image as it is written, not turned by 180° first. A kernel
with its positive numbers at the right therefore responds positively where the image grows brighter to the right. All
are written for that; "x" kernels look along the columns, "y" kernels along the rows, downwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlens.maths.arrays import FloatArray, as_float32, frozen, shortened
from convlens.maths.nearest import nearest


@dataclass(frozen=True, eq=False)
class Preset:
    """A named kernel: ``(kh, kw)`` float32, read-only, what it does, and its source; a name and a group in words."""

    kernel: FloatArray
    title: str
    group: str
    description: str
    source: str


class Presets(Mapping[str, FloatArray]):
    """Read-only mapping from a name to a ``(kh, kw)`` float32 kernel, itself read-only."""

    def __init__(self, entries: Mapping[str, Preset]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> FloatArray:
        """Return the kernel called `name`."""
        return self._entry(name).kernel

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, simplest kernels first."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a kernel called `name`."""
        return name in self._entries

    def __repr__(self) -> str:
        """List names and shapes."""
        kernels = ", ".join(f"{name} {kh}×{kw}" for name, (kh, kw) in ((n, k.shape) for n, k in self.items()))
        return f"<convlens.presets: {kernels}>"

    def describe(self, name: str) -> str:
        """Return what the kernel called `name` does, and its source."""
        entry = self._entry(name)
        return f"{entry.description} Source: {entry.source}."

    def titled(self) -> list[tuple[str, Preset]]:
        """Return the names with their entries, group by group."""
        order = list(_GROUPS)
        return sorted(self._entries.items(), key=lambda item: order.index(item[1].group))

    def _entry(self, name: str) -> Preset:
        try:
            return self._entries[name]
        except (KeyError, TypeError):
            close = nearest(str(name).lower(), self._entries)
            hint = f" Did you mean {close!r}?" if close else ""
            raise KeyError(
                f"There is no preset {shortened(name)}.{hint} Those that exist: {', '.join(self._entries)}."
            ) from None


def gabor(
    size: int = 7, *, degrees: float = 0.0, wavelength: float = 4.0, sigma: float = 2.0, aspect: float = 0.5
) -> FloatArray:
    """Return the even Gabor kernel of J. G. Daugman (J. Opt. Soc. Am. A 2, 1985), less its mean.

    ``exp(-(x'² + aspect² y'²) / (2 sigma²)) cos(2π x' / wavelength)`` with ``x' = x cos θ + y sin θ`` and
    ``y' = -x sin θ + y cos θ``; x counts columns to the right and y rows downwards from the centre.

    Parameters
    ----------
    size
        Rows and columns, odd.
    degrees
        θ, the direction across the stripes: 0 for vertical stripes, 90 for horizontal ones.
    wavelength, sigma
        Width of a pair of stripes and of the envelope, in pixels.
    aspect
        Width of the envelope across the stripes over that along them.
    """
    half = size // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    theta = np.deg2rad(degrees)
    across = x * np.cos(theta) + y * np.sin(theta)
    along = -x * np.sin(theta) + y * np.cos(theta)
    kernel = np.exp(-(across**2 + (aspect * along) ** 2) / (2 * sigma**2)) * np.cos(2 * np.pi * across / wavelength)
    return _kernel(kernel - kernel.mean())


def _kernel(values: Any) -> FloatArray:
    return frozen(as_float32(np.asarray(values, np.float64), "preset"))


_SMOOTH_3 = np.array([1, 2, 1]) / 4
_SMOOTH_5 = np.array([1, 4, 6, 4, 1]) / 16
_DELTA_3 = np.outer([0, 1, 0], [0, 1, 0])
_DELTA_5 = np.outer([0, 0, 1, 0, 0], [0, 0, 1, 0, 0])
_STEP_4 = np.array([[-1, -1, 1, 1]] * 4)

_GONZALEZ = "R. C. Gonzalez, R. E. Woods, Digital Image Processing"
_GABOR = "J. G. Daugman, J. Opt. Soc. Am. A 2, 1985; 7×7, wavelength 4, sigma 2, aspect 0.5, mean removed"
_TUTORIAL = "the four edge filters of the custom-filter tutorial, [[-1, -1, 1, 1]] * 4 and what is made of it"

#: name: (values, what it does, source)
_TABLE: dict[str, tuple[ArrayLike, str, str]] = {
    "identity": (_DELTA_3, "Leaves the image as it is.", "definition"),
    "box_3": (np.full((3, 3), 1 / 9), "Mean of 3×3 pixels: a blur.", "definition"),
    "box_5": (np.full((5, 5), 1 / 25), "Mean of 5×5 pixels: a stronger blur.", "definition"),
    "gaussian_3": (
        np.outer(_SMOOTH_3, _SMOOTH_3),
        "Blur by the binomial [1, 2, 1] / 4 along both axes; variance 1/2, so close to a Gaussian of sigma 0.71.",
        "P. J. Burt, Computer Graphics and Image Processing 16, 1981 (binomial weights)",
    ),
    "gaussian_5": (
        np.outer(_SMOOTH_5, _SMOOTH_5),
        "Blur by the binomial [1, 4, 6, 4, 1] / 16 along both axes; variance 1, so close to a Gaussian of sigma 1.",
        "P. J. Burt, Computer Graphics and Image Processing 16, 1981 (binomial weights)",
    ),
    "motion_blur_x": (
        np.outer([0, 0, 1, 0, 0], np.full(5, 1 / 5)),
        "Mean of five pixels in a row, as if the camera had moved sideways.",
        "definition",
    ),
    "motion_blur_diagonal": (
        np.eye(5) / 5,
        "Mean of five pixels from upper left to lower right, as if the camera had moved that way.",
        "definition",
    ),
    "sharpen": (
        [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        "The image less its Laplacian: edges grow steeper.",
        f"{_GONZALEZ}, sharpening with the Laplacian",
    ),
    "unsharp_5": (
        2 * _DELTA_5 - np.outer(_SMOOTH_5, _SMOOTH_5),
        "Unsharp mask: the image plus what gaussian_5 takes away from it.",
        f"{_GONZALEZ}, unsharp masking",
    ),
    "high_pass": (
        _DELTA_3 - np.full((3, 3), 1 / 9),
        "The image less its 3×3 mean: only fine detail stays; 0 on flat ground.",
        f"{_GONZALEZ}, high-pass filtering",
    ),
    "emboss": (
        [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
        "A relief: bright where the image grows brighter towards the lower right.",
        "GIMP manual, Convolution Matrix, Emboss",
    ),
    "laplacian_4": (
        [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        "Second derivative from four neighbours: positive on the dark side of an edge, negative on the bright one.",
        f"{_GONZALEZ}, the Laplacian",
    ),
    "laplacian_8": (
        [[1, 1, 1], [1, -8, 1], [1, 1, 1]],
        "Second derivative from eight neighbours: as laplacian_4, diagonals included.",
        f"{_GONZALEZ}, the Laplacian with diagonal terms",
    ),
    "log_5": (
        [[0, 0, -1, 0, 0], [0, -1, -2, -1, 0], [-1, -2, 16, -2, -1], [0, -1, -2, -1, 0], [0, 0, -1, 0, 0]],
        "Laplacian of Gaussian with its sign turned: positive on small bright spots and the bright side of edges.",
        f"{_GONZALEZ}, Marr-Hildreth edge detector, 5×5 approximation",
    ),
    "sobel_x": (
        [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        "Vertical edges: positive where the image grows brighter to the right.",
        "I. Sobel, G. Feldman, 1968, in R. O. Duda, P. E. Hart, Pattern Classification and Scene Analysis, 1973",
    ),
    "sobel_y": (
        [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
        "Horizontal edges: positive where the image grows brighter downwards.",
        "I. Sobel, G. Feldman, 1968, in R. O. Duda, P. E. Hart, Pattern Classification and Scene Analysis, 1973",
    ),
    "prewitt_x": (
        [[-1, 0, 1]] * 3,
        "Vertical edges, all rows alike: positive where the image grows brighter to the right.",
        "J. M. S. Prewitt, Object Enhancement and Extraction, 1970",
    ),
    "prewitt_y": (
        [[-1] * 3, [0] * 3, [1] * 3],
        "Horizontal edges, all columns alike: positive where the image grows brighter downwards.",
        "J. M. S. Prewitt, Object Enhancement and Extraction, 1970",
    ),
    "scharr_x": (
        [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]],
        "Vertical edges with the least error in direction: positive where the image grows brighter to the right.",
        "H. Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung, Heidelberg, 2000",
    ),
    "scharr_y": (
        [[-3, -10, -3], [0, 0, 0], [3, 10, 3]],
        "Horizontal edges with the least error in direction: positive where the image grows brighter downwards.",
        "H. Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung, Heidelberg, 2000",
    ),
    "roberts_1": (
        [[1, 0], [0, -1]],
        "Diagonal edges: positive where the image grows brighter towards the upper left.",
        "L. G. Roberts, Machine Perception of Three-Dimensional Solids, MIT, 1963",
    ),
    "roberts_2": (
        [[0, 1], [-1, 0]],
        "Diagonal edges: positive where the image grows brighter towards the upper right.",
        "L. G. Roberts, Machine Perception of Three-Dimensional Solids, MIT, 1963",
    ),
    "gabor_0": (gabor(degrees=0), "Bright vertical stripes, four pixels from one to the next.", _GABOR),
    "gabor_45": (gabor(degrees=45), "Bright stripes rising to the right, four pixels apart.", _GABOR),
    "gabor_90": (gabor(degrees=90), "Bright horizontal stripes, four pixels apart.", _GABOR),
    "gabor_135": (gabor(degrees=135), "Bright stripes falling to the right, four pixels apart.", _GABOR),
    "tutorial_1": (_STEP_4, "Vertical edges, dark at the left and bright at the right.", _TUTORIAL),
    "tutorial_2": (-_STEP_4, "Vertical edges, bright at the left and dark at the right.", _TUTORIAL),
    "tutorial_3": (_STEP_4.T, "Horizontal edges, dark above and bright below.", _TUTORIAL),
    "tutorial_4": (-_STEP_4.T, "Horizontal edges, bright above and dark below.", _TUTORIAL),
}

#: The groups that people look for, and what each preset is called in words.
_GROUPS: dict[str, dict[str, str]] = {
    "blur": {
        "box_3": "mean of 3 × 3",
        "box_5": "mean of 5 × 5",
        "gaussian_3": "Gaussian blur",
        "gaussian_5": "stronger Gaussian blur",
        "motion_blur_x": "motion blur, sideways",
        "motion_blur_diagonal": "motion blur, diagonal",
    },
    "sharpen": {
        "sharpen": "sharpen",
        "unsharp_5": "unsharp mask",
        "high_pass": "fine detail only",
        "emboss": "emboss",
        "identity": "identity (no change)",
    },
    "edges": {
        "sobel_x": "Sobel, vertical edges",
        "sobel_y": "Sobel, horizontal edges",
        "prewitt_x": "Prewitt, vertical edges",
        "prewitt_y": "Prewitt, horizontal edges",
        "scharr_x": "Scharr, vertical edges",
        "scharr_y": "Scharr, horizontal edges",
        "laplacian_4": "Laplacian, 4 neighbours",
        "laplacian_8": "Laplacian, 8 neighbours",
        "log_5": "Laplacian of Gaussian",
    },
    "diagonals": {
        "roberts_1": "Roberts, brighter to the upper left",
        "roberts_2": "Roberts, brighter to the upper right",
        "gabor_45": "Gabor, stripes rising to the right",
        "gabor_135": "Gabor, stripes falling to the right",
    },
    "stripes": {"gabor_0": "Gabor, vertical stripes", "gabor_90": "Gabor, horizontal stripes"},
    "tutorial": {
        "tutorial_1": "tutorial 1: brighter to the right",
        "tutorial_2": "tutorial 2: brighter to the left",
        "tutorial_3": "tutorial 3: brighter downwards",
        "tutorial_4": "tutorial 4: brighter upwards",
    },
}
_WORDS = {name: (title, group) for group, titles in _GROUPS.items() for name, title in titles.items()}

#: The named kernels. ``presets["sobel_x"]`` is an array, ``presets.describe("sobel_x")`` says what it does.
presets = Presets(
    {name: Preset(_kernel(values), *_WORDS[name], text, source) for name, (values, text, source) in _TABLE.items()}
)

#: Names of the tutorial's four filters, in its order.
TUTORIAL = ("tutorial_1", "tutorial_2", "tutorial_3", "tutorial_4")
