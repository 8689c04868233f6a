"""Along one axis, in its order: running sums and largest values, sorting, and places in what is sorted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..dtypes import int64
from ..optable import Case, p

__all__: list[str] = []

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


def _same(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    return shapes[0], dtypes[0]


def _positions(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    return shapes[0], int64


def _flipped(x: Any, dim: int) -> Any:
    return p.slice(x, index=(*(slice(None),) * dim, slice(None, None, -1)))


_PLACES: tuple[tuple[Shape, int], ...] = (((2, 3), 0), ((2, 4), 1), ((1,), 0), ((2, 5, 2), 1), ((3, 0), 1), ((0, 2), 1))

# ---- scans ----


def _cumsum(x: Array, *, dim: int) -> Array:
    wide = np.float64 if x.dtype == np.float32 else x.dtype  # a running sum cannot add in pairs
    return np.add.accumulate(x, axis=dim, dtype=wide).astype(x.dtype, copy=False)


primitive(
    "cumsum",
    _cumsum,
    args="x",
    params="dim",
    vjp=(lambda g, dim: _flipped(p.cumsum(_flipped(g, dim), dim=dim), dim),),  # x_i is in every later sum
    kind="reduce",
    result=_same,
    cases=tuple(Case(((shape, -2.0, 2.0),), {"dim": dim}) for shape, dim in _PLACES),
)


def _cumargmax(x: Array, *, dim: int) -> Array:
    """Of equal values the last; from the first NaN on, every NaN."""
    lines = np.moveaxis(x, dim, -1)
    highest = np.maximum.accumulate(lines, axis=-1)
    new = np.ones(lines.shape, bool)
    new[..., 1:] = (lines[..., 1:] >= highest[..., :-1]) | (lines[..., 1:] != lines[..., 1:])
    at = np.where(new, np.arange(lines.shape[-1]), 0)
    return np.moveaxis(np.maximum.accumulate(at, axis=-1), -1, dim)


def _argsort(x: Array, *, dim: int, descending: bool) -> Array:
    """Stable; NaN is the largest."""
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    order = np.argsort(np.flip(x, dim), axis=dim, kind="stable")
    stood: Array = x.shape[dim] - 1 - np.flip(order, dim)
    return stood


primitive(
    "cumargmax",
    _cumargmax,
    args="x",
    params="dim",
    vjp=(None,),
    kind="reduce",
    result=_positions,
    cases=tuple(Case(((shape, -2.0, 2.0),), {"dim": dim}) for shape, dim in _PLACES),
)

# ---- order ----

primitive(
    "argsort",
    _argsort,
    args="x",
    params="dim descending",
    vjp=(None,),
    kind="reduce",
    result=_positions,
    cases=tuple(
        Case(((shape, -2.0, 2.0),), {"dim": dim, "descending": down}) for shape, dim in _PLACES for down in (False, True)
    ),
)


def _argtopk(x: Array, *, dim: int, k: int, descending: bool) -> Array:
    """The first ``k`` of ``argsort``, but for which of equal values are among them."""
    n = x.shape[dim]
    if k == 0 or 4 * k >= n:
        order: Array = _argsort(x, dim=dim, descending=descending)
        return order[(*(slice(None),) * dim, slice(k))]
    some = np.argpartition(x, n - k if descending else k - 1, axis=dim)
    some = some[(*(slice(None),) * dim, slice(n - k, None) if descending else slice(k))]
    order = _argsort(np.take_along_axis(x, some, dim), dim=dim, descending=descending)
    return np.take_along_axis(some, order, dim)


primitive(
    "argtopk",
    _argtopk,
    args="x",
    params="dim k descending",
    vjp=(None,),
    kind="reduce",
    result=lambda shapes, dtypes, params: (
        (*shapes[0][: params["dim"]], params["k"], *shapes[0][params["dim"] + 1 :]),
        int64,
    ),
    cases=tuple(
        Case(((shape, -2.0, 2.0),), {"dim": dim, "k": k, "descending": down})
        for shape, dim, k in (((2, 5), 1, 2), ((4, 2), 0, 1), ((2, 3), 1, 3), ((1,), 0, 1), ((2, 3), 0, 0), ((0, 9), 1, 2))
        for down in (False, True)
    ),
)


def _searchsorted(rising: Array, values: Array, *, right: bool) -> Array:
    side = "right" if right else "left"
    if rising.ndim == 1:
        return np.searchsorted(rising, values, side)  # type: ignore[call-overload,no-any-return]
    found = np.empty(values.shape, np.int64)
    for at in np.ndindex(*rising.shape[:-1]):
        found[at] = np.searchsorted(rising[at], values[at], side)  # type: ignore[call-overload]
    return found


primitive(
    "searchsorted",
    _searchsorted,
    args="rising values",
    params="right",
    vjp=(None, None),
    kind="index",
    promote=(0, 1),
    result=lambda shapes, dtypes, params: (shapes[1], int64),
    cases=tuple(  # a constant is sorted
        Case(((rising, 0.5, 0.5), (values, -2.0, 2.0)), {"right": right})
        for rising, values in (((4,), (2, 3)), ((4,), ()), ((0,), (2,)), ((2, 3), (2, 2)))
        for right in (False, True)
    ),
)
