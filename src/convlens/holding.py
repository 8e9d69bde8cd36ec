"""What a lens holds, read and written through its traits: the holding half of `ConvLens`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from convlens.filters import Array, FilterList
from convlens.kernels import read_bias, read_kernels, read_names, read_pointwise
from convlens.separable import SeparableFilters
from convlens.session import Session
from convlens.traits import LiveList

if TYPE_CHECKING:
    from convlens.models import Predictions


class Holding:
    """What the `Owned` traits read and write, and what can only be read."""

    _session: Session

    if TYPE_CHECKING:

        def _tell(self, name: str, old: Any, new: Any) -> None: ...

    def _read_image(self) -> Array:
        return self._session.image.values

    def _write_image(self, value: Any) -> None:
        session = self._session
        session.set_image(session.source.read_image(value, session.geometry.input_shape[2]))

    def _read_kernels(self) -> list[Array]:
        return self._live("kernels", map(shown, self._session.filters.kernels))

    def _write_kernels(self, value: Any) -> None:
        filters = self._session.filters
        new = read_kernels(value, filters.kernels[0].shape[2])
        if len(new) != len(filters.kernels):
            self._session.source.require_own_list("number of filters")
        self._session.commit(filters.resized(new))

    def _read_pointwise_kernels(self) -> list[Array] | None:
        return self._columns(self._session.filters)

    def _write_pointwise_kernels(self, value: Any) -> None:
        filters = self._session.filters
        if not isinstance(filters, SeparableFilters):
            raise ValueError("Only a separable layer has pointwise kernels. Assign `kernels` instead.")
        self._session.commit(filters.with_pointwise(read_pointwise(value, filters.pointwise.shape)))

    def _read_bias(self) -> Array:
        return self._session.filters.bias

    def _write_bias(self, value: Any) -> None:
        self._session.source.require_bias()
        filters = self._session.filters
        self._session.commit(filters.with_bias(dict(enumerate(read_bias(value, len(filters))))))

    def _read_names(self) -> list[str]:
        return self._live("names", self._session.filters.names)

    def _write_names(self, value: Any) -> None:
        filters = self._session.filters
        self._session.commit(filters.with_names(read_names(value, len(filters))))

    def _read_activations(self) -> Array:
        return self._session.engine.stack("activation")

    def _read_pre_activations(self) -> Array:
        return self._session.engine.stack("pre_activation")

    @property
    def layer(self) -> Any:
        """The user's Keras layer, or the built-in one with the weights as they are now."""
        conv, filters = self._session.engine.layer, self._session.filters
        if self._session.source.builtin:
            conv.write(filters.kernels, filters.bias)
        return conv.layer

    @property
    def layers(self) -> list[str]:
        """Paths of the model's convolution layers, in the order in which it calls them; empty without a model."""
        return list(self._session.source.layers)

    def _read_layer_path(self) -> str:
        return self._session.source.path

    def _write_layer_path(self, value: Any) -> None:
        old = self._read_layer_path()
        if value != old:
            self._session.open(value)
            self._tell("layer_path", old, self._read_layer_path())

    @property
    def predictions(self) -> Predictions:
        """The model's output with its original and with the edited kernels, ``(classes,)`` each; None without one."""
        present = self._session.history.present
        return present.source.predict(present.filters)

    def _live(self, name: str, values: Iterable[Any]) -> LiveList[Any]:
        return LiveList(values, lambda: getattr(self, name), lambda value: setattr(self, name, value))

    def _columns(self, filters: FilterList) -> list[Array] | None:
        if filters.pointwise is None:
            return None
        return self._live("pointwise_kernels", (one.kernel[0, 0] for one in filters.filters))


def shown(kernel: Array) -> Array:
    """Return a view, so that nobody can make the lens's own array writeable."""
    return kernel[:, :, 0] if kernel.shape[2] == 1 else kernel[...]
