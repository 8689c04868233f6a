"""Writing and drawing: the two primitives that touch state. ``tinygrad_notes.inplace`` and ``random`` wrap them."""

from __future__ import annotations

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
