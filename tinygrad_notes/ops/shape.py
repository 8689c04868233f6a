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
    try:  # what numpy.broadcast_to does, without what is around it: a third of its time
        views: Any = np.nditer((x,), ["multi_index", "zerosize_ok"], ["readonly"], itershape=shape, order="C").itviews
    except ValueError:
        return np.broadcast_to(x, shape)
    view: Array = views[0]
    return view


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


# ---- diagonals and windows: views, each with its transpose ----


def _diagonal(x: Array, *, offset: int, dim1: int, dim2: int) -> Array:
    out = x.diagonal(offset, dim1, dim2)
    if x.flags.writeable:
        out.flags.writeable = True  # numpy's caution; ours is a view like any other
    return out


def _undiagonal(x: Array, *, offset: int, dim1: int, dim2: int, shape: Shape) -> Array:
    out = np.zeros(shape, np.asarray(x).dtype)
    _add_diagonal(out, x, offset, dim1, dim2)
    return out


def _add_diagonal(buffer: Array, g: Array, offset: int, dim1: int, dim2: int) -> None:
    region = _diagonal(buffer, offset=offset, dim1=dim1, dim2=dim2)
    np.add(region, g, out=region)


def _diagonal_result(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    return np.broadcast_to(np.empty(()), shapes[0]).diagonal(params["offset"], params["dim1"], params["dim2"]).shape, dtypes[0]


_DIAGONALS: tuple[tuple[Shape, Shape, tuple[int, int, int]], ...] = (
    ((3, 4), (3,), (1, 0, 1)), ((3, 4), (2,), (-1, 0, 1)), ((2, 3, 4), (3, 2), (-1, 2, 0)), ((2, 2), (0,), (2, 0, 1)),
)  # fmt: skip

primitive(
    "diagonal",
    _diagonal,
    args="x",
    params="offset dim1 dim2",
    vjp=("p.undiagonal(g, offset=offset, dim1=dim1, dim2=dim2, shape=x_shape)",),
    kind="view",
    result=_diagonal_result,
    into=_add_diagonal,
    cases=_cases(*((s, dict(zip(("offset", "dim1", "dim2"), at, strict=True))) for s, _, at in _DIAGONALS)),
)
primitive(
    "undiagonal",
    _undiagonal,
    args="x",
    params="offset dim1 dim2 shape",
    vjp=("p.diagonal(g, offset=offset, dim1=dim1, dim2=dim2)",),
    kind="move",
    result=_given,
    cases=_cases(*((d, dict(zip(("offset", "dim1", "dim2", "shape"), (*at, s), strict=True))) for s, d, at in _DIAGONALS)),
)


def _windows(x: Array, *, dim: int, size: int, step: int) -> Array:
    """Windows of ``size`` elements along ``dim``, every ``step``: their number in place of the axis, their length at the end."""
    count = (x.shape[dim] - size) // step + 1
    strides = (*x.strides[:dim], x.strides[dim] * step, *x.strides[dim + 1 :], x.strides[dim])
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
    out: Array = np.lib.stride_tricks.as_strided(x, shape, strides, writeable=x.flags.writeable and size <= step)
    return out


def _unwindows(x: Array, *, dim: int, size: int, step: int, shape: Shape) -> Array:
    """The sum of overlapping windows. One strided addition per place in the window, or per window: whichever are fewer."""
    out = np.zeros(shape, np.asarray(x).dtype)
    _add_windows(out, x, dim, size, step)
    return out


def _add_windows(buffer: Array, g: Array, dim: int, size: int, step: int) -> None:
    line, windows = np.moveaxis(buffer, dim, -1), np.moveaxis(g, dim, -2)
    count = windows.shape[-2]
    if size <= count:
        for place in range(size):
            line[..., place : place + (count - 1) * step + 1 : step] += windows[..., place]
        return
    for window in range(count):
        line[..., window * step : window * step + size] += windows[..., window, :]


def _windows_result(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    x, dim, size = shapes[0], params["dim"], params["size"]
    return (*x[:dim], (x[dim] - size) // params["step"] + 1, *x[dim + 1 :], size), dtypes[0]


_WINDOWS: tuple[tuple[Shape, Shape, tuple[int, int, int]], ...] = (
    ((5,), (4, 2), (0, 2, 1)), ((7, 2), (3, 2, 2), (0, 2, 2)), ((2, 5), (2, 2, 4), (1, 4, 1)), ((5,), (2, 2), (0, 2, 3)),
    ((3,), (4, 0), (0, 0, 1)),
)  # fmt: skip

primitive(
    "windows",
    _windows,
    args="x",
    params="dim size step",
    vjp=("p.unwindows(g, dim=dim, size=size, step=step, shape=x_shape)",),
    kind="view",
    result=_windows_result,
    into=_add_windows,
    cases=_cases(*((s, dict(zip(("dim", "size", "step"), at, strict=True))) for s, _, at in _WINDOWS)),
)
primitive(
    "unwindows",
    _unwindows,
    args="x",
    params="dim size step shape",
    vjp=("p.windows(g, dim=dim, size=size, step=step)",),
    kind="move",
    result=_given,
    cases=_cases(*((w, dict(zip(("dim", "size", "step", "shape"), (*at, s), strict=True))) for s, w, at in _WINDOWS)),
)
