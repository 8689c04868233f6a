"""``tn.linalg``: norms and products under the names of ``torch.linalg``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import ShapeError
from .functions import reduce
from .functions.arguments import axis, tensor
from .functions.linalg import cross as cross_product
from .functions.linalg import matmul
from .functions.moments import matrix_norm, vector_norm
from .functions.names import numpy_names
from .functions.shape import diagonal as diagonal_of
from .functions.shape import squeeze, unsqueeze
from .tensor import Tensor

__all__ = ["cross", "diagonal", "matmul", "matrix_norm", "multi_dot", "norm", "vecdot", "vector_norm"]


@numpy_names
def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Without ``ord`` the 2-norm of all elements or of ``dim``; else the vector norm along one axis, the matrix norm of two.

    Raises ShapeError where ``ord`` is given for more axes than two.
    """
    tensor("norm", A)
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if isinstance(ord, str) and dim is not None and not isinstance(dim, tuple | list):
        raise ShapeError(f"norm: ord={ord!r} is of matrices: dim must name two axes, got {dim!r}")
    if dim is None and A.ndim > 2:
        raise ShapeError(f"norm: of {A._type()} ord={ord!r} needs a dim: one axis for vectors, two for matrices")
    if (dim is None and A.ndim == 2) or (isinstance(dim, tuple | list) and len(dim) == 2):
        return matrix_norm(A, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


@numpy_names
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sums of products along ``dim``; the other axes broadcast."""
    return reduce.sum(x * y, dim)


@numpy_names
def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product along ``dim``, of length 3."""
    return cross_product(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices ``(*, N, M)``, as the last axis."""
    axis("diagonal", A, dim1)
    return diagonal_of(A, offset, dim1, dim2)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices in the cheapest order; the first and the last may be vectors."""
    parts = list(tensors)
    if len(parts) < 2:
        raise ShapeError(f"multi_dot: needs at least two Tensors, got {len(parts)}")
    for i, x in enumerate(parts):
        tensor("multi_dot", x)
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, len(parts) - 1)):
            raise ShapeError(f"multi_dot: needs matrices, and vectors at the ends only; part {i} is {x._type()}")
    row, column = parts[0].ndim == 1, parts[-1].ndim == 1
    if row:
        parts[0] = unsqueeze(parts[0], 0)
    if column:
        parts[-1] = unsqueeze(parts[-1], 1)
    out = _cheapest(parts)
    return squeeze(out, (*((-1,) if column else ()), *((-2,) if row else ())))


def _cheapest(parts: list[Tensor]) -> Tensor:
    """By the least number of multiplications, found for every stretch of the chain from the shorter ones."""
    lengths = [parts[0].shape[0], *(x.shape[1] for x in parts)]
    cost: dict[tuple[int, int], tuple[int, int]] = {(i, i): (0, i) for i in range(len(parts))}
    for reach in range(1, len(parts)):
        for i in range(len(parts) - reach):
            k = i + reach
            cost[i, k] = min(
                (cost[i, j][0] + cost[j + 1, k][0] + lengths[i] * lengths[j + 1] * lengths[k + 1], j) for j in range(i, k)
            )

    def product(i: int, k: int) -> Tensor:
        j = cost[i, k][1]
        return parts[i] if i == k else matmul(product(i, j), product(j + 1, k))

    return product(0, len(parts) - 1)
