"""Selecting by integer arrays. Two pairs of transposes: ``take`` / ``put_add`` along one axis with an index of any shape,
``gather`` / ``scatter_add`` element by element. Repeated indices add up, in the order of the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..kernels import scatter
from ..optable import Case

__all__: list[str] = []

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


def _check(index: Array, size: int, what: str) -> None:
    if index.dtype.kind not in "iu":
        raise IndexError(f"the index is {index.dtype}, not integers")
    if index.size and (index.min() < 0 or index.max() >= size):
        wrong = index[(index < 0) | (index >= size)].flat[0]
        raise IndexError(f"index {wrong} is out of range for {what} of size {size}")


def _take(x: Array, index: Array, *, dim: int) -> Array:
    _check(index, x.shape[dim], f"axis {dim}")
    return np.take(x, index, axis=dim)


def _add_taken(buffer: Array, g: Array, index: Array, dim: int) -> None:
    _add(buffer, g, index, dim, direct=False)


def _add(buffer: Array, g: Array, index: Array, dim: int, direct: bool) -> None:
    rows = np.moveaxis(g, range(dim, dim + index.ndim), range(index.ndim))
    rows = rows.reshape(index.size, *rows.shape[index.ndim :])
    scatter.add_rows(np.moveaxis(buffer, dim, 0), index.reshape(-1), rows, direct=direct)


def _put_add(x: Array, index: Array, *, dim: int, size: int) -> Array:
    _check(index, size, "an axis")
    out = np.zeros((*x.shape[:dim], size, *x.shape[dim + index.ndim :]), x.dtype)
    _add(out, x, index, dim, direct=True)  # into zeros it is all the same
    return out


def _taken(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    (x, index), dim = shapes, params["dim"]
    return (*x[:dim], *index, *x[dim + 1 :]), dtypes[0]


def _put(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    (x, index), dim = shapes, params["dim"]
    return (*x[:dim], params["size"], *x[dim + len(index) :]), dtypes[0]


_TAKES: tuple[tuple[Shape, Shape, int], ...] = (
    ((4, 3), (5,), 0), ((2, 4), (2, 2), 1), ((4,), (), 0), ((3, 2), (0,), 0), ((2, 3, 2), (2,), 1),
)  # fmt: skip

primitive(
    "take",
    _take,
    args="x index",
    params="dim",
    vjp=("p.put_add(g, index, dim=dim, size=x_shape[dim])", None),
    kind="index",
    result=_taken,
    into=_add_taken,
    cases=tuple(Case(((x, -2.0, 2.0), (i, 0, x[d])), {"dim": d}) for x, i, d in _TAKES),
)
primitive(
    "put_add",
    _put_add,
    args="x index",
    params="dim size",
    vjp=("p.take(g, index, dim=dim)", None),
    kind="index",
    result=_put,
    cases=tuple(Case((((*x[:d], *i, *x[d + 1 :]), -2.0, 2.0), (i, 0, x[d])), {"dim": d, "size": x[d]}) for x, i, d in _TAKES),
)


def _gather(x: Array, index: Array, *, dim: int) -> Array:
    _check(index, x.shape[dim], f"axis {dim}")
    picked: Array = scatter.gather(x, index, dim)
    return picked


def _scatter_add(x: Array, index: Array, *, dim: int, shape: Shape) -> Array:
    _check(index, shape[dim], f"axis {dim}")
    out = np.zeros(shape, x.dtype)
    scatter.scatter_add(out, index, x, dim)
    return out


_GATHERS: tuple[tuple[Shape, Shape, int], ...] = (
    ((4, 3), (2, 3), 0),
    ((2, 4), (2, 5), 1),
    ((4,), (3,), 0),
    ((3, 2), (0, 2), 0),
)

primitive(
    "gather",
    _gather,
    args="x index",
    params="dim",
    vjp=("p.scatter_add(g, index, dim=dim, shape=x_shape)", None),
    kind="index",
    result=lambda shapes, dtypes, params: (shapes[1], dtypes[0]),
    cases=tuple(Case(((x, -2.0, 2.0), (i, 0, x[d])), {"dim": d}) for x, i, d in _GATHERS),
)
primitive(
    "scatter_add",
    _scatter_add,
    args="x index",
    params="dim shape",
    vjp=("p.gather(g, index, dim=dim)", None),
    kind="index",
    result=lambda shapes, dtypes, params: (params["shape"], dtypes[0]),
    cases=tuple(Case(((i, -2.0, 2.0), (i, 0, x[d])), {"dim": d, "shape": x}) for x, i, d in _GATHERS),
)
