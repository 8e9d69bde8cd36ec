"""What history remembers of a lens, what a step changed, and whether the layer must be made again for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convlens.inputs.images import Image
from convlens.inputs.kernels import check_fits, check_shape
from convlens.maths.limits import check_filters, check_maps
from convlens.state.filters import Array, FilterList
from convlens.state.layer_source import LayerSource, Plan

#: Maps that the widget shows at once, however large they are.
FEWEST_SHOWN = 4


@dataclass(frozen=True, eq=False)
class Document:
    """What history remembers: the filters, and the source with its settings."""

    filters: FilterList
    source: LayerSource


@dataclass(frozen=True, eq=False)
class Change:
    """What a step changed.

    `stale` lists the filters whose map has changed; `notice` is a sentence for the user; `old_rank` is how
    many axes the previous layer convolves along, where another one was opened.
    """

    before: FilterList
    after: FilterList
    stale: tuple[int, ...]
    layout: bool
    old_image: Image | None = None
    notice: str = ""
    old_rank: int | None = None

    @property
    def kernels(self) -> bool:
        """Whether any kernel, or their number or order, changed."""
        return differ(self.before.kernels, self.after.kernels)

    @property
    def pointwise_kernels(self) -> bool:
        """Whether a separable layer's pointwise kernel changed, or another layer has one or none."""
        before, after = (
            tuple(one.kernel for one in filters.filters) if filters.pointwise is not None else ()
            for filters in (self.before, self.after)
        )
        return differ(before, after)


def same_maps(old: Document, new: Document) -> bool:
    """Whether filters that both have, with the same weights, have the same maps."""
    return new.source is old.source and new.filters.kernel_shape == old.filters.kernel_shape


def differ(before: Sequence[Array], after: Sequence[Array]) -> bool:
    """Whether any array differs between the two."""
    return len(before) != len(after) or any(a is not b for a, b in zip(before, after, strict=True))


def plan_of(image: Image, filters: FilterList, source: LayerSource) -> Plan:
    """Return how the layer for these filters is made, or refuse what is too large or does not fit the image."""
    check_filters(len(filters))
    plan = source.plan(image, filters)
    check_fits(plan.geometry)
    check_maps(min(len(filters), FEWEST_SHOWN), *plan.geometry.output_shape)
    check_shape(filters.kernels[0].shape, plan.geometry)
    return plan


def needs_plan(old: Document, new: Document) -> bool:
    """Whether the layer itself must change, not only its weights."""
    return (
        new.source is not old.source
        or new.filters.kernel_shape != old.filters.kernel_shape
        or len(new.filters) != len(old.filters)
    )
