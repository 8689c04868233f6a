"""Matrix products of any rank: the last two axes multiply, the axes before them broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..kernels import gates, gemm
from ..optable import Case, Op, p

__all__: list[str] = []

Shape = tuple[int, ...]


def _product(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    x, y = shapes
    return (*np.broadcast_shapes(x[:-2], y[:-2]), x[-2], y[-1]), dtypes[0]


def _matmul(x: Any, y: Any) -> Any:
    if x.ndim == 2 == y.ndim and x.size * y.shape[1] <= gates.PRODUCT:
        return x.dot(y)  # BLAS, with half of numpy.matmul's cost around it
    return gemm.matmul(x, y)


def _of_x(g: Any, y: Any, x_op: Op, x_params: dict[str, Any]) -> Any:
    return p.matmul(y, g.mT).mT if _turned(x_op, x_params) else p.matmul(g, y.mT)


def _of_y(g: Any, x: Any, y_op: Op, y_params: dict[str, Any]) -> Any:
    return p.matmul(g.mT, x).mT if _turned(y_op, y_params) else p.matmul(x.mT, g)


def _turned(op: Op, params: dict[str, Any]) -> bool:
    """Whether a factor is the transpose of something. Then so is its gradient: what it is made from gets one in its own order."""
    return op.name == "permute" and params["dims"][-2:] == (len(params["dims"]) - 1, len(params["dims"]) - 2)


_PAIRS: tuple[tuple[Shape, Shape], ...] = (
    ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 1)), ((2, 1, 2, 3), (2, 3, 2)), ((2, 0), (0, 3)),
)  # fmt: skip

primitive(
    "matmul",
    _matmul,
    args="x y",
    vjp=(_of_x, _of_y),  # (N, M) @ (M, K): dX = G Yᵀ, dY = Xᵀ G
    kind="matmul",
    result=_product,
    promote=(0, 1),
    cases=tuple(Case(((x, -2.0, 2.0), (y, -2.0, 2.0))) for x, y in _PAIRS),
)
