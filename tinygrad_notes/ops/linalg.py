"""Matrix products of any rank: the last two axes multiply, the axes before them broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..kernels import gates, gemm
from ..optable import Case

__all__: list[str] = []

Shape = tuple[int, ...]


def _product(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    x, y = shapes
    return (*np.broadcast_shapes(x[:-2], y[:-2]), x[-2], y[-1]), dtypes[0]


def _matmul(x: Any, y: Any) -> Any:
    if x.ndim == 2 == y.ndim and x.size * y.shape[1] <= gates.PRODUCT:
        return x.dot(y)  # BLAS, with half of numpy.matmul's cost around it
    return gemm.matmul(x, y)


_PAIRS: tuple[tuple[Shape, Shape], ...] = (
    ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 1)), ((2, 1, 2, 3), (2, 3, 2)), ((2, 0), (0, 3)),
)  # fmt: skip

primitive(
    "matmul",
    _matmul,
    args="x y",
    vjp=("p.matmul(g, y.mT)", "p.matmul(x.mT, g)"),  # (N, M) @ (M, K): dX = G Yᵀ, dY = Xᵀ G
    kind="matmul",
    result=_product,
    promote=(0, 1),
    cases=tuple(Case(((x, -2.0, 2.0), (y, -2.0, 2.0))) for x, y in _PAIRS),
)
