"""Keeping edits when the weights under them have been changed from outside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convlens.state.filters import Array, Filter, FilterList, read_only
from convlens.state.separable_filters import SeparableFilters


def rebased(filters: FilterList, base: FilterList, fresh: FilterList) -> FilterList:
    """Return `filters` with every value that was not edited replaced by the layer's present one.

    Parameters
    ----------
    filters
        Filters of the lens, edited or not.
    base
        What the layer had: filters with the same identities.
    fresh
        What it has now, in the order of `base`.

    Returns
    -------
    FilterList
        Values that differ from `base` are edits and stay. So do filters that `base` does not have, and kernels of
        another size.
    """
    before = dict(zip(base.uids, base.filters, strict=True))
    now = dict(zip(base.uids, fresh.filters, strict=True))
    moved = tuple(_moved(one, before[one.uid], now[one.uid]) if one.uid in before else one for one in filters.filters)
    if isinstance(filters, SeparableFilters):
        depthwise = map(_values, filters.depthwise, base.kernels, fresh.kernels)
        return replace(filters, filters=moved, depthwise=tuple(depthwise))
    return replace(filters, filters=moved)


def _moved(one: Filter, before: Filter, now: Filter) -> Filter:
    bias = now.bias if one.bias == before.bias else one.bias
    return replace(one, kernel=_values(one.kernel, before.kernel, now.kernel), bias=bias)


def _values(one: Array, before: Array, now: Array) -> Array:
    if one is before:
        return now
    if one.shape != before.shape:
        return one
    own = (one == before) | (np.isnan(one) & np.isnan(before))
    return read_only(np.where(own, now, one))
