"""Writing and drawing: the two primitives that touch state. ``tinygrad_notes.inplace`` and ``random`` wrap them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..dtypes import uint32, uint64
from ..kernels.random import philox_bits
from ..optable import TABLE, Case, p

__all__: list[str] = []

Array = np.ndarray[Any, Any]


def _assign(base: Array, value: Any, *, path: Any, visible: bool) -> Array:
    region = base
    for op, params in path:
        region = op.forward(region, **params)
    region[...] = value
    return base


def _assign_base_rule(g: Any, path: Any, visible: bool) -> Any:
    """What was overwritten has no influence any more."""
    return p.assign(p.clone(g), 0.0, path=path, visible=True) if visible else g


def _assign_value_rule(g: Any, path: Any, visible: bool) -> Any:
    for op, params in path:
        g = getattr(p, op.name)(g, **params)
    return g


_ROW = {"index": (1,)}
primitive(
    "assign",
    _assign,
    args="base value",
    params="path visible",
    vjp=(_assign_base_rule, _assign_value_rule),
    kind="state",
    result=lambda shapes, dtypes, params: (shapes[0], dtypes[0]),
    writes=True,
    cases=(
        Case((((2, 3), -2.0, 2.0), ((2, 3), -2.0, 2.0)), {"path": (), "visible": True}),
        Case((((2, 3), -2.0, 2.0), ((), -2.0, 2.0)), {"path": (), "visible": True}),
        Case((((2, 3), -2.0, 2.0), ((3,), -2.0, 2.0)), {"path": (), "visible": True}),
        Case((((2, 3), -2.0, 2.0), ((3,), -2.0, 2.0)), {"path": ((TABLE["slice"], _ROW),), "visible": True}),
        Case(
            (((2, 3), -2.0, 2.0), ((2,), -2.0, 2.0)),
            {"path": ((TABLE["permute"], {"dims": (1, 0)}), (TABLE["slice"], _ROW)), "visible": True},
        ),
        Case((((), -2.0, 2.0), ((), -2.0, 2.0)), {"path": (), "visible": True}),
    ),
)


# ---- the places that an index names ----


def _assign_at(base: Array, value: Any, index: Array, *, path: Any, axes: int, visible: bool) -> Array:
    """``index`` counts through the first ``axes`` axes of the region joined; where it names a place twice, the last counts."""
    region = base
    for op, params in path:
        region = op.forward(region, **params)
    count, rest = prod(region.shape[:axes]), region.shape[axes:]
    if index.size and (index.min() < 0 or index.max() >= count):
        raise IndexError(f"index {index[(index < 0) | (index >= count)].flat[0]} is out of range for {count} places")
    if index.size:  # one flat index: numpy writes in its order
        flat = np.broadcast_to(value, (*index.shape, *rest)).reshape(index.size, *rest)
        flat = flat.copy() if np.may_share_memory(flat, base) else flat
        region[np.unravel_index(index.reshape(-1), region.shape[:axes])] = flat
    return base


def _assign_at_base_rule(g: Any, index: Any, path: Any, axes: int, visible: bool) -> Any:
    return p.assign_at(p.clone(g), 0.0, index, path=path, axes=axes, visible=True) if visible else g


def _assign_at_value_rule(g: Any, index: Any, path: Any, axes: int, visible: bool) -> Any:
    """A value that a later one at the same place has overwritten has no influence."""
    for op, params in path:
        g = getattr(p, op.name)(g, **params)
    count, rest = prod(g.shape[:axes]), g.shape[axes:]
    order = np.arange(prod(index.shape)).reshape(index.shape)
    last = p.assign_at(np.zeros(count, np.int64), order, index, path=(), axes=1, visible=True)
    stays = p.eq(p.take(last, index, dim=0), order)
    taken = p.take(p.reshape(g, shape=(count, *rest)), index, dim=0)
    return p.where(p.reshape(stays, shape=(*index.shape, *(1,) * len(rest))), taken, 0.0)


primitive(
    "assign_at",
    _assign_at,
    args="base value index",
    params="path axes visible",
    vjp=(_assign_at_base_rule, _assign_at_value_rule, None),
    kind="state",
    result=lambda shapes, dtypes, params: (shapes[0], dtypes[0]),
    writes=True,
    cases=(
        Case((((4, 2), -2.0, 2.0), ((5, 2), -2.0, 2.0), ((5,), 0, 4)), {"path": (), "axes": 1, "visible": True}),
        Case((((2, 3), -2.0, 2.0), ((2, 1), -2.0, 2.0), ((2, 2), 0, 6)), {"path": (), "axes": 2, "visible": True}),
        Case(
            (((3, 4), -2.0, 2.0), ((2, 1), -2.0, 2.0), ((2,), 0, 4)),
            {"path": ((TABLE["permute"], {"dims": (1, 0)}),), "axes": 1, "visible": True},
        ),
        Case((((2, 2), -2.0, 2.0), ((0, 2), -2.0, 2.0), ((0,), 0, 2)), {"path": (), "axes": 1, "visible": True}),
    ),
)


# ---- drawing ----

primitive(
    "random_bits",
    philox_bits,
    args="seed offset",
    params="shape width",
    vjp=(None, None),
    kind="random",
    result=lambda shapes, dtypes, params: (params["shape"], uint32 if params["width"] <= 32 else uint64),
    cases=tuple(
        Case((((), 0, 9), ((), 0, 9)), {"shape": s, "width": w}) for s in ((2, 3), (), (0,), (7,)) for w in (32, 24, 53)
    ),
)
