"""`Survey`: what was found, to be read, tabulated and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.maths.nearest import nearest
from convlens.maths.one_row import signal_shown
from convlens.surveys.best import Entry, ImageId
from convlens.surveys.requirements import needed
from convlens.surveys.tally import Tallies, Tally

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float32]

#: Shares of the images whose value lies below a quantile, and what its column is called.
QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


@dataclass(frozen=True, eq=False)
class Excitation:
    """An image, or a signal, that excites a filter.

    Parameters
    ----------
    image
        Its id: the path in the folder, the path or id as given, or the place in the data set.
    value
        The statistic of the filter's map.
    pixel
        ``(row, col)``: where the map is greatest; of a signal the step.
    window
        First and last row, and first and last column, of the image that the pixel reads; for a model that resizes or
        crops in `preprocess`, or whose layers cannot be followed, all of the image or its scaled part. Of a signal the
        first and the last step.
    patch
        ``(rows, cols, channels)`` float32: that part of the image in 8-bit steps, at most 64 pixels a side. Of a signal
        ``(steps,)``, or ``(steps, channels)`` of several channels, its numbers as they are; averaged over steps where
        they are more than 4,096.
    """

    image: ImageId
    value: float
    pixel: tuple[int, int] | int
    window: Any
    patch: Array

    @classmethod
    def of(cls, entry: Entry) -> Excitation:
        """Return what a tally holds."""
        patch = entry.patch.values()
        if entry.patch.signal:
            return cls(entry.image, entry.value, entry.pixel[1], entry.window[1], signal_shown(patch))
        return cls(entry.image, entry.value, entry.pixel, entry.window, patch)


class Survey:
    """The images of a data set, ranked by the filters of a model. Made by `convlens.survey`."""

    def __init__(self, tallies: Tallies, weights: str, find: Callable[[ImageId], Any] | None = None) -> None:
        self._tallies = tallies
        self._weights = weights
        self._find = find

    def __getstate__(self) -> dict[str, Any]:
        """Leave the data set out when a survey is pickled."""
        return {"_tallies": self._tallies, "_weights": self._weights, "_find": None}

    def __repr__(self) -> str:
        """Describe the survey."""
        return f"<Survey of {self.images} images, {len(self.layers)} layers, {len(self.skipped)} skipped>"

    @property
    def layers(self) -> list[str]:
        """Paths of the layers, in the model's order."""
        return list(self._tallies.layers)

    @property
    def images(self) -> int:
        """How many images were surveyed."""
        return self._tallies.images

    @property
    def skipped(self) -> Mapping[ImageId, str]:
        """Images that could not be read, and why."""
        return MappingProxyType(self._tallies.skipped)

    def filters(self, layer: str) -> int:
        """Return how many filters a layer has.

        Parameters
        ----------
        layer
            Path of a surveyed layer, one of `layers`.

        Raises
        ------
        ValueError
            For a layer that was not surveyed.
        """
        return self._tally(layer).filters

    def top(self, layer: str, filter_index: int) -> list[Excitation]:
        """Return the images that excite a filter most, best first; those of one value by their id.

        Parameters
        ----------
        layer
            Path of a surveyed layer, one of `layers`.
        filter_index
            Index of the filter; negative ones count from the end.

        Raises
        ------
        ValueError, IndexError
            For a layer that was not surveyed and a filter that it does not have.
        """
        return [Excitation.of(entry) for entry in self._best(layer, filter_index)]

    def statistics(self, layer: str) -> npt.NDArray[Any]:
        """Return numbers of the statistic over all images.

        Parameters
        ----------
        layer
            Path of a surveyed layer, one of `layers`.

        Returns
        -------
        numpy.ndarray
            ``(filters,)`` records: ``images``; ``no_response``, the share of images whose value is not above 0;
            ``mean`` and ``std``; the quantiles ``q05``, ``q25``, ``median``, ``q75`` and ``q95``, each off by at most
            1 % of its value. Values that are not finite count as images, but not as numbers.

        Raises
        ------
        ValueError
            For a layer that was not surveyed.
        """
        tally = self._tally(layer)
        names = ["no_response", "mean", "std", *QUANTILES]
        records = np.zeros(tally.filters, [("images", np.int64), *((name, np.float64) for name in names)])
        count = np.maximum(tally.finite, 1)
        records["images"] = tally.images
        records["no_response"] = 1 - tally.active / max(tally.images, 1)
        records["mean"] = np.where(tally.finite, tally.mean, np.nan)
        records["std"] = np.where(tally.finite, np.sqrt(tally.squares / count), np.nan)
        for name, column in zip(QUANTILES, tally.sketch.quantiles(list(QUANTILES.values())).T, strict=True):
            records[name] = column
        return records

    def to_pandas(self) -> pd.DataFrame:
        """Return a table of the best images: layer, filter, rank from 1, image, value, pixel and window.

        Of signals the pixel is a step, and the window its first and last one.
        """
        pandas = needed("pandas", "to_pandas()")
        signals = any(entry.patch.signal for _, _, entry in self._tallies.entries())
        places = ["step", "first", "last"] if signals else ["row", "col", "top", "bottom", "left", "right"]
        rows = []
        for path, tally in self._tallies.layers.items():
            for one in range(tally.filters):
                for rank, entry in enumerate(tally.best.entries(one), 1):
                    at = (entry.pixel[1], *entry.window[1]) if signals else (*entry.pixel, *sum(entry.window, ()))
                    rows.append((path, one, rank, entry.image, entry.value, *at))
        return pandas.DataFrame(rows, columns=["layer", "filter", "rank", "image", "value", *places])

    def plot(self, layer: str, filter_index: int) -> Figure:
        """Draw the patches of the images that excite a filter most, best first; those of signals as curves.

        Parameters
        ----------
        layer
            Path of a surveyed layer, one of `layers`.
        filter_index
            Index of the filter; negative ones count from the end.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError, IndexError
            For a layer that was not surveyed and a filter that it does not have.
        """
        from matplotlib.figure import Figure

        best = self._best(layer, filter_index)
        cols = max(1, int(np.ceil(np.sqrt(len(best)))))
        rows = max(1, -(-len(best) // cols))
        figure = Figure(figsize=(1.6 * cols, 1.9 * rows), layout="compressed")
        figure.suptitle(f"{layer}, filter {filter_index}")
        axes = figure.subplots(rows, cols, squeeze=False).ravel()
        for ax in axes:
            ax.set_axis_off()
        for ax, entry in zip(axes, best, strict=False):
            ax.set_title(f"{entry.value:.3g}\n{_short(entry.image)}", fontsize=7)
            if entry.patch.signal:
                _draw_steps(ax, entry)
                continue
            low, high = entry.patch.low, entry.patch.high
            values = (entry.patch.values() - low) / (high - low)
            ax.imshow(values if values.shape[2] == 3 else values[:, :, 0], cmap="gray", vmin=0, vmax=1)
        return figure

    def png(self, layer: str, filter_index: int, rank: int) -> bytes:
        """Return the patch of one of the best images as the bytes of a PNG file; that of a signal is drawn as curves.

        Parameters
        ----------
        layer
            Path of a surveyed layer, one of `layers`.
        filter_index
            Index of the filter; negative ones count from the end.
        rank
            Place in `top`, from 0.

        Raises
        ------
        ValueError, IndexError
            For a layer that was not surveyed and a filter or a rank that it does not have.
        """
        return self._best(layer, filter_index)[rank].patch.png()

    def image(self, image: ImageId) -> Any:
        """Return an image of the data set by its id, as it was given; None where it cannot be found again.

        A survey that was made of a stream, or opened from its store, knows images by their paths alone.

        Parameters
        ----------
        image
            Its id: `Excitation.image`, a string or a number.

        Raises
        ------
        TypeError
            For anything that is not an id.
        """
        if isinstance(image, bool) or not isinstance(image, (str, int)):
            raise TypeError(
                f"image is of type {type(image).__name__}; expected the id of an image, such as top(…)[0].image."
            )
        found = None if self._find is None else self._find(image)
        if found is None and isinstance(image, str):
            found = image
        return None if isinstance(found, str) and not Path(found).is_file() else found

    def _best(self, layer: str, filter_index: int) -> list[Entry]:
        tally = self._tally(layer)
        if not -tally.filters <= filter_index < tally.filters:
            raise IndexError(
                f"Layer {layer!r} has {tally.filters} filters, 0 to {tally.filters - 1}; {filter_index} was given."
            )
        return tally.best.entries(filter_index % tally.filters)

    def _tally(self, layer: str) -> Tally:
        if layer not in self._tallies.layers:
            near = nearest(layer, self.layers, 0.5)
            hint = f" Did you mean {near!r}?" if near else ""
            raise ValueError(f"Layer {layer!r} was not surveyed.{hint} There are {', '.join(map(repr, self.layers))}.")
        return self._tallies.layers[layer]


def weights_of(survey: Survey) -> str:
    """Return the fingerprint of the weights that ranked a survey's images."""
    return survey._weights


def entries_of(survey: Survey, layer: str, filter_index: int) -> list[Entry]:
    """Return what `Survey.top` does as it is stored: a signal with its one row, and patches not decoded."""
    return survey._best(layer, filter_index)


def _draw_steps(ax: Axes, entry: Entry) -> None:
    """Draw the part of a signal over its steps."""
    (first, last), values = entry.window[1], entry.patch.values()[0]
    ax.set_axis_on()
    ax.tick_params(labelsize=6)
    ax.plot(np.linspace(first, last, len(values)), values, linewidth=1)


def _short(image: ImageId) -> str:
    text = str(image)
    return text if len(text) <= 22 else "…" + text[-21:]
