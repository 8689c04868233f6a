"""Moving and viewing: rows of kind ``view`` share memory with their argument where numpy can, rows of kind ``move`` copy.

``slice`` and ``unslice`` are each other's transpose, as are ``concatenate`` and ``slice``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..optable import Case, p

__all__: list[str] = []

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Index = tuple[Any, ...]
"""Per axis a slice or an int, and None for a new axis: basic indexing, which numpy answers with a view."""


def _same(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    return shapes[0], dtypes[0]


def _given(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    return params["shape"], dtypes[0]


def _cases(*entries: tuple[Shape, dict[str, Any]]) -> tuple[Case, ...]:
    return tuple(Case(((shape, -2.0, 2.0),), params) for shape, params in entries)


def _reshape(x: Array, *, shape: Shape) -> Array:
    return x.reshape(shape)


primitive(
    "reshape",
    _reshape,
    args="x",
    params="shape",
    vjp=("p.reshape(g, shape=x_shape)",),
    kind="view",
    result=_given,
    cases=_cases(((2, 3), {"shape": (3, 2)}), ((2, 3), {"shape": (6,)}), ((), {"shape": (1, 1)}), ((1,), {"shape": ()}),
                 ((0, 3), {"shape": (3, 0)})),
)  # fmt: skip


def _permute(x: Array, *, dims: tuple[int, ...]) -> Array:
    return x.transpose(dims)


def _permute_rule(g: Any, dims: tuple[int, ...]) -> Any:
    return p.permute(g, dims=tuple(sorted(range(len(dims)), key=dims.__getitem__)))


primitive(
    "permute",
    _permute,
    args="x",
    params="dims",
    vjp=(_permute_rule,),
    kind="view",
    result=lambda shapes, dtypes, params: (tuple(shapes[0][d] for d in params["dims"]), dtypes[0]),
    cases=_cases(((2, 3), {"dims": (1, 0)}), ((2, 3, 4), {"dims": (2, 0, 1)}), ((), {"dims": ()}), ((0, 3), {"dims": (1, 0)})),
)


def _broadcast(x: Any, *, shape: Shape) -> Array:
    return np.broadcast_to(x, shape)


primitive(
    "broadcast",
    _broadcast,
    args="x",
    params="shape",
    vjp=("g",),  # the engine sums over the stretched axes, as for every broadcast
    kind="view",
    result=_given,
    cases=_cases(((3,), {"shape": (2, 3)}), ((2, 1), {"shape": (2, 3)}), ((), {"shape": (2, 2)}), ((1,), {"shape": (0,)})),
)


def _slice(x: Array, *, index: Index) -> Array:
    return x[(*index, ...)]  # the ellipsis keeps a single element an array, and a view


def _unslice(x: Array, *, index: Index, shape: Shape) -> Array:
    out = np.zeros(shape, np.asarray(x).dtype)
    out[(*index, ...)] += x  # added, not assigned: -0 becomes +0, as it does where a buffer is added to
    return out


def _add_slice(buffer: Array, g: Array, index: Index) -> None:
    region = buffer[(*index, ...)]
    np.add(region, g, out=region)


def _slice_result(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    return np.broadcast_to(np.empty(()), shapes[0])[(*params["index"], ...)].shape, dtypes[0]


_INDICES: tuple[tuple[Shape, Index], ...] = (
    ((4, 3), (slice(1, 3, None),)),
    ((4, 3), (slice(None), slice(None, None, -1))),
    ((5, 3), (slice(None, None, 2), 1)),
    ((3,), (None, slice(0, 2, None))),
    ((), ()),
    ((2, 3), (1, 2)),
    ((0, 3), (slice(None), slice(1, None, None))),
)

primitive(
    "slice",
    _slice,
    args="x",
    params="index",
    vjp=("p.unslice(g, index=index, shape=x_shape)",),
    kind="view",
    result=_slice_result,
    into=_add_slice,
    cases=_cases(*((shape, {"index": index}) for shape, index in _INDICES)),
)
primitive(
    "unslice",
    _unslice,
    args="x",
    params="index shape",
    vjp=("p.slice(g, index=index)",),
    kind="move",
    result=_given,
    cases=_cases(
        *((np.empty(shape)[(*index, ...)].shape, {"index": index, "shape": shape}) for shape, index in _INDICES if shape != ())
    ),
)


def _concatenate(*parts: Array, dim: int, offsets: tuple[int, ...]) -> Array:
    return np.concatenate(parts, axis=dim)


def _concatenate_rule(g: Any, position: int, x_shape: Shape, dim: int, offsets: tuple[int, ...]) -> Any:
    start = offsets[position]
    return p.slice(g, index=(*(slice(None),) * dim, slice(start, start + x_shape[dim], None)))


def _concatenate_result(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    dim = params["dim"]
    return (*shapes[0][:dim], sum(s[dim] for s in shapes), *shapes[0][dim + 1 :]), dtypes[0]


primitive(
    "concatenate",
    _concatenate,
    args="parts...",
    params="dim offsets",
    vjp=(_concatenate_rule,),
    kind="move",
    result=_concatenate_result,
    promote=(0,),
    cases=(
        Case((((2, 3), -2.0, 2.0), ((1, 3), -2.0, 2.0)), {"dim": 0, "offsets": (0, 2)}),
        Case((((2, 1), -2.0, 2.0), ((2, 0), -2.0, 2.0), ((2, 2), -2.0, 2.0)), {"dim": 1, "offsets": (0, 1, 1)}),
        Case((((1,), -2.0, 2.0),), {"dim": 0, "offsets": (0,)}),
    ),
)


def _clone(x: Any) -> Array:
    return np.array(x, order="C", copy=True)


def _detach(x: Array) -> Array:
    return x.view()


primitive("clone", _clone, args="x", vjp=("g",), kind="move", result=_same, cases=_cases(((2, 3), {}), ((), {}), ((0, 1), {})))
primitive(
    "detach", _detach, args="x", vjp=(None,), kind="view", result=_same, cases=_cases(((2, 3), {}), ((), {}), ((0, 1), {}))
)
