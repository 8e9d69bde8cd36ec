"""An image in decorrelated coordinates, in which gradient ascent finds shapes rather than noise.

After C. Olah, A. Mordvintsev and L. Schubert, "Feature Visualization", Distill 2017, doi:10.23915/distill.00007: the
coordinates are amplitudes of spatial frequencies, each scaled by one over its frequency, and the colours are mixed as
they are correlated in photographs. A sigmoid keeps every value within the model's input range.

Amplitudes of a signal are scaled by one over the root of their frequency, as in music and speech, whose power falls as
one over it (R. F. Voss and J. Clarke, "1/f noise in music and speech", Nature 258, 1975, doi:10.1038/258317a0). Its
channels are not mixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

#: Square root of the covariance of the colours of ImageNet's photographs, as published with Olah et al. 2017 (Lucid).
_COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
#: Standard deviation of the noise that an ascent begins with, before the sigmoid. Lucid's is a hundredth of it, nearly
#: uniform grey, on which every filter of a layer with a rectifier may return 0, where its gradient is 0 as well.
_SPREAD = 0.5


class Parameters:
    """Coordinates of images of one size, and their conversion to images.

    Parameters
    ----------
    shape
        ``(rows, cols, channels)``.
    low, high
        Ends of the range of values, for each channel.
    signal
        Whether the one row of the shape are the steps of a signal.
    """

    def __init__(self, shape: tuple[int, int, int], low: Array, high: Array, *, signal: bool = False) -> None:
        rows, cols, channels = shape
        self.shape = shape
        self._low, self._high = (np.broadcast_to(np.asarray(one, np.float32), (channels,)) for one in (low, high))
        self._row_waves, self._col_waves = _waves(rows), _waves(cols)
        frequency = np.hypot(_frequencies(rows)[:, None], _frequencies(cols)[None, :])
        # The image's mean has frequency 0, and is treated as the lowest one.
        scale = 0.25 / np.maximum(frequency, 1 / max(rows, cols)) ** (0.5 if signal else 1)
        self._scale = scale.astype(np.float32)[:, :, None]
        mix = _COLOURS / np.linalg.norm(_COLOURS, axis=0).max() if channels == 3 and not signal else np.eye(channels)
        self._mix = mix.astype(np.float32)

    def random(self, count: int, seed: int) -> Array:
        """Return coordinates of noise around grey, ``(count, rows, cols, channels)``, each image its own."""
        random = np.random.default_rng(seed)
        spread = _SPREAD / np.sqrt(np.mean(self._scale**2))
        return random.normal(0, spread, (count, *self.shape)).astype(np.float32)

    def of_image(self, image: Array) -> Array:
        """Return the coordinates of an image ``(rows, cols, channels)`` within the range, its extremes softened."""
        span = np.where(self._high > self._low, self._high - self._low, 1)
        unit = np.clip((image - self._low) / span, 0.01, 0.99).astype(np.float64)
        mixed = np.log(unit / (1 - unit)) @ np.linalg.inv(self._mix).T
        waves = np.einsum("ri,ijc,js->rsc", self._row_waves, mixed, self._col_waves)
        return np.asarray(waves / self._scale, dtype=np.float32)

    def unit_images(self, coordinates: Any) -> Any:
        """Return images with values from 0 to 1, ``(count, rows, cols, channels)``; of tensors."""
        import keras

        ops = keras.ops
        waves = ops.multiply(coordinates, self._scale)
        mixed = ops.einsum("ri,nijc->nrjc", self._row_waves, waves)
        mixed = ops.einsum("js,nrjc->nrsc", self._col_waves, mixed)
        return ops.sigmoid(ops.einsum("nrsc,dc->nrsd", mixed, self._mix))

    def in_range(self, unit_images: Any) -> Any:
        """Return images with values from 0 to 1 in the model's range; of tensors."""
        import keras

        return keras.ops.add(keras.ops.multiply(unit_images, self._high - self._low), self._low)


def _waves(n: int) -> Array:
    """Return the Hartley transform's matrix, symmetric and its own inverse: ``cos + sin`` of every frequency."""
    angles = 2 * np.pi * np.outer(np.arange(n), np.arange(n)) / n
    return np.asarray((np.cos(angles) + np.sin(angles)) / np.sqrt(n), dtype=np.float32)


def _frequencies(n: int) -> Array:
    return np.asarray(np.abs(np.fft.fftfreq(n)), dtype=np.float32)
