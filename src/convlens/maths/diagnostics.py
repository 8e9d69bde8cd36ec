"""What a kernel does, in numbers: gain, norm, symmetry, separability, frequency response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from convlens.maths.arrays import as_array, as_float32

Array = npt.NDArray[np.float32]
Symmetry = Literal["symmetric", "antisymmetric", "neither"]

#: Values that differ by at most this share of the kernel's greatest magnitude count as equal: some float32 roundings.
TOLERANCE = 1e-6
#: Sides of the frequency response's grid.
SAMPLES = 32


@dataclass(frozen=True, eq=False)
class PlaneDiagnostics:
    """What one (kh, kw) plane of a kernel does.

    Where the plane holds NaN or infinity, `rank` and everything after it is None.

    Parameters
    ----------
    sum
        Of the plane's taps: the gain for an even area of this channel.
    norm
        Euclidean (l2) norm.
    rank
        Number of singular values above ``max(kh, kw) * eps * greatest``, with the eps of float32, as in
        `numpy.linalg.matrix_rank`.
    vertical, horizontal
        ``(kh,)`` and ``(kw,)``, from the greatest singular value and its vectors: ``np.outer(vertical, horizontal)``
        is the product of two 1-D filters that is nearest to the plane. Both are 0 for a plane of zeros.

        Scale: the greatest magnitude in `horizontal` is 1, and `vertical` carries the gain. Sign: of the two, the one
        that is nearer to an average, ``|sum| / sum of magnitudes``, has a positive sum (`vertical`, where they tie);
        where both sum to 0, the first value of `horizontal` that is not 0 is positive.
    remaining
        Share of the squared norm that this product misses, 0 to 1.
    response
        ``(32, 32)``: magnitude of the frequency response at ``frequencies()``, rows ``fy``, columns ``fx``; zero
        frequency is at ``[16, 16]``. Not scaled; the widget draws it relative to its greatest value.
    """

    sum: float
    norm: float
    rank: int | None
    vertical: Array | None
    horizontal: Array | None
    remaining: float | None
    response: Array | None

    @property
    def separable(self) -> bool | None:
        """Whether the plane is a product of two 1-D filters, to rounding: its rank is 1, or 0."""
        return None if self.rank is None else self.rank <= 1


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """What a kernel does.

    Where it holds NaN or infinity, symmetries are None, and `note` says so.

    Parameters
    ----------
    sum
        Of all taps: the gain at zero frequency, by which an even area of the image is multiplied.
    norm
        Euclidean (l2) norm of all taps.
    symmetry
        Under a turn by 180° within the planes. "symmetric" filters give the same map as correlation and as convolution,
        "antisymmetric" ones its negative. A kernel of zeros, which is both, counts as symmetric.
    left_right, up_down
        Whether the kernel is its own mirror image.
    planes
        One for each input channel.
    note
        A sentence on what could not be determined and why, or "".
    """

    sum: float
    norm: float
    symmetry: Symmetry | None
    left_right: bool | None
    up_down: bool | None
    planes: tuple[PlaneDiagnostics, ...]
    note: str

    @property
    def ranks(self) -> tuple[int | None, ...]:
        """Rank of each plane."""
        return tuple(plane.rank for plane in self.planes)

    def __repr__(self) -> str:
        """Describe the kernel in one line."""
        ranks = ", ".join("?" if rank is None else str(rank) for rank in self.ranks[:8])
        more = ", …" if len(self.ranks) > 8 else ""
        note = f"\n  {self.note}" if self.note else ""
        return f"Diagnostics: sum {self.sum:.7g}, norm {self.norm:.7g}, {self.symmetry}, rank {ranks}{more}{note}"


def diagnose(kernel: npt.ArrayLike) -> Diagnostics:
    """Find out what a kernel does.

    Parameters
    ----------
    kernel
        ``(kh, kw)``, or ``(kh, kw, channels)``.

    Returns
    -------
    Diagnostics

    Raises
    ------
    ValueError
        For another number of axes, or an axis of length 0.

    Notes
    -----
    Two values are equal here when they differ by at most `TOLERANCE` times the kernel's greatest magnitude.
    """
    values = as_float32(as_array(kernel, "kernel"), "kernel")
    if values.ndim not in (2, 3) or values.size == 0:
        raise ValueError(f"kernel has shape {values.shape}; expected (kh, kw) or (kh, kw, channels), none of them 0.")
    values = values.reshape(*values.shape[:2], -1)
    stack = np.moveaxis(values, -1, 0).astype(np.float64)
    finite = bool(np.isfinite(stack).all())
    return Diagnostics(
        sum=_sum(stack),
        norm=_norm(stack),
        symmetry=_symmetry(stack) if finite else None,
        left_right=_equal(stack, stack[:, :, ::-1]) if finite else None,
        up_down=_equal(stack, stack[:, ::-1]) if finite else None,
        planes=tuple(_plane(plane) for plane in stack),
        note="" if finite else _note(stack),
    )


def frequencies() -> npt.NDArray[np.float64]:
    """Return the 32 frequencies of `PlaneDiagnostics.response`, in cycles per pixel: −1/2 to 15/32, 0 at index 16."""
    return (np.arange(SAMPLES) - SAMPLES // 2) / SAMPLES


def frequency_response(plane: npt.ArrayLike) -> Array:
    r"""Return the magnitude of a plane's frequency response.

    Parameters
    ----------
    plane
        ``(kh, kw)``, finite.

    Returns
    -------
    numpy.ndarray
        ``(32, 32)`` float32, not scaled: the factor by which the layer multiplies the amplitude of a wave of ``fy``
        cycles per pixel down and ``fx`` across.

    Notes
    -----
    The discrete-space Fourier transform of the kernel (Oppenheim and Schafer, *Discrete-Time Signal Processing*,
    ch. 2), at the frequencies of `frequencies`:

    .. math:: |H(f_y, f_x)| = \left| \sum_{r, c} k[r, c] \, e^{2 \pi i (f_y r + f_x c)} \right|

    Keras correlates, so that the exponent is positive; the magnitude is that of the convolution, too.
    """
    taps = np.asarray(plane, dtype=np.float64)
    waves = [np.exp(2j * np.pi * np.outer(frequencies(), np.arange(n))) for n in taps.shape]
    response: Array = np.abs(waves[0] @ taps @ waves[1].T).astype(np.float32)
    return response


def _plane(plane: npt.NDArray[np.float64]) -> PlaneDiagnostics:
    if not np.isfinite(plane).all():
        return PlaneDiagnostics(_sum(plane), _norm(plane), None, None, None, None, None)
    left, singular, right = np.linalg.svd(plane)
    rank = int(np.sum(singular > max(plane.shape) * np.finfo(np.float32).eps * singular[0]))
    vertical, horizontal = _factors(left[:, 0] * singular[0], right[0])
    shares = (singular / singular[0]) ** 2 if singular[0] else np.zeros(1)
    return PlaneDiagnostics(
        sum=_sum(plane),
        norm=_norm(plane),
        rank=rank,
        vertical=_frozen(vertical),
        horizontal=_frozen(horizontal),
        remaining=float(shares[1:].sum() / shares.sum()) if rank > 1 else 0.0,
        response=_frozen(frequency_response(plane)),
    )


def _factors(
    vertical: npt.NDArray[np.float64], horizontal: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Bring two factors to the scale and the sign that `PlaneDiagnostics` promises."""
    if not vertical.any():
        return np.zeros_like(vertical), np.zeros_like(horizontal)
    scale = np.abs(horizontal).max()
    vertical, horizontal = _clean(vertical * scale), _clean(horizontal / scale)
    averaging = [abs(f.sum()) / np.abs(f).sum() for f in (vertical, horizontal)]
    if max(averaging) <= TOLERANCE:
        sign = horizontal[np.flatnonzero(horizontal)[0]]
    else:
        sign = vertical.sum() if averaging[0] >= averaging[1] - TOLERANCE else horizontal.sum()
    return (vertical, horizontal) if sign > 0 else (-vertical + 0.0, -horizontal + 0.0)


def _clean(factor: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # The SVD's 1e-17 where the factor is 0 would be read as a number.
    return np.where(np.abs(factor) <= 1e-12 * np.abs(factor).max(), 0.0, factor)


def _symmetry(stack: npt.NDArray[np.float64]) -> Symmetry:
    turned = stack[:, ::-1, ::-1]
    return "symmetric" if _equal(stack, turned) else "antisymmetric" if _equal(stack, -turned) else "neither"


def _equal(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> bool:
    return bool(np.abs(a - b).max() <= TOLERANCE * np.abs(a).max())


def _sum(values: npt.NDArray[np.float64]) -> float:
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is NaN, and that is the answer
        return float(values.sum())


def _norm(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.sum(values**2)))


def _note(stack: npt.NDArray[np.float64]) -> str:
    number = int(np.count_nonzero(~np.isfinite(stack)))
    values = "1 value that is" if number == 1 else f"{number} values that are"
    return (
        f"The kernel holds {values} NaN or infinite. Symmetry, and the rank, factors and frequency response of such a "
        "plane, need finite numbers."
    )


def _frozen(values: npt.NDArray[np.floating]) -> Array:
    array = np.array(values, dtype=np.float32)
    array.flags.writeable = False
    return array
