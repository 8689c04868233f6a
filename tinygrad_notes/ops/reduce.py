"""Reductions. ``dim`` is always a tuple of non-negative axes here; ``functions.reduce`` makes it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..dtypes import int64
from ..kernels import gates, loops, reduce
from ..optable import Case, p

__all__: list[str] = []

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

_add: Any = np.add.reduce
_maximum: Any = np.maximum.reduce


def _reduced(shape: Shape, dim: tuple[int, ...], keepdim: bool) -> Shape:
    return tuple(1 if i in dim else n for i, n in enumerate(shape) if keepdim or i not in dim)


def _result(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    return _reduced(shapes[0], params["dim"], params["keepdim"]), dtypes[0]


def _result_index(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    return _reduced(shapes[0], (params["dim"],), params["keepdim"]), int64


def _kept(value: Any, x_shape: Shape, dim: tuple[int, ...], keepdim: bool) -> Any:
    """``value`` with its reduced axes back as 1, so that it broadcasts against the argument."""
    return value if keepdim else p.reshape(value, shape=_reduced(x_shape, dim, True))


_PLACES: tuple[tuple[Shape, tuple[int, ...], bool], ...] = (
    ((2, 3), (0,), False), ((2, 3), (1,), True), ((2, 3), (0, 1), False), ((2, 1, 3), (1, 2), True), ((), (), False),
    ((1,), (0,), False), ((2, 3), (), False), ((4, 0), (0,), False),
)  # fmt: skip


def _sum(x: Array, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    if x.size >= gates.REDUCE["sum"] and x.dtype.kind == "f":
        return reduce.sum(x, dim, keepdim)
    return _add(x, axis=dim, dtype=x.dtype, keepdims=keepdim)  # numpy alone would widen integers


def _sum_rule(g: Any, x_shape: Shape, dim: tuple[int, ...], keepdim: bool) -> Any:
    return p.broadcast(_kept(g, x_shape, dim, keepdim), shape=x_shape)


primitive(
    "sum",
    _sum,
    args="x",
    params="dim keepdim",
    vjp=(_sum_rule,),
    kind="reduce",
    result=_result,
    cases=(*(Case(((s, -2.0, 2.0),), {"dim": d, "keepdim": k}) for s, d, k in _PLACES),
           Case((((0, 3), -2.0, 2.0),), {"dim": (0,), "keepdim": True})),
)  # fmt: skip


def _amax(x: Array, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    if x.size >= gates.REDUCE["max"] and x.dtype.kind == "f":
        return reduce.max(x, dim, keepdim)
    return _maximum(x, axis=dim, keepdims=keepdim)


def _amax_rule(g: Any, x: Any, out: Any, x_shape: Shape, dim: tuple[int, ...], keepdim: bool) -> Any:
    """Ties share the gradient evenly."""
    at_top = p.eq(x, _kept(out, x_shape, dim, keepdim))
    ties = p.sum(p.cast(at_top, dtype=g.dtype), dim=dim, keepdim=True)
    return p.where(at_top, _kept(g, x_shape, dim, keepdim) / ties, 0.0)


primitive(
    "amax",
    _amax,
    args="x",
    params="dim keepdim",
    vjp=(_amax_rule,),
    kind="reduce",
    result=_result,
    cases=tuple(Case(((s, -2.0, 2.0),), {"dim": d, "keepdim": k}) for s, d, k in _PLACES),
)


def _argmax(x: Array, *, dim: int, keepdim: bool) -> Any:
    return loops.argmax(x, dim, keepdim)


primitive(
    "argmax",
    _argmax,
    args="x",
    params="dim keepdim",
    vjp=(None,),
    kind="reduce",
    result=_result_index,
    cases=tuple(
        Case(((s, -2.0, 2.0),), {"dim": d, "keepdim": k})
        for s, d, k in (((2, 3), 0, False), ((2, 3), 1, True), ((1,), 0, False), ((2, 1, 3), 2, False))
    ),
)
