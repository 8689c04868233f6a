"""Products under PyTorch's names."""

from __future__ import annotations

from math import prod

from ..errors import DtypeError, ShapeError, typename
from ..optable import TABLE
from ..tensor import Tensor
from .shape import squeeze, unsqueeze

__all__ = ["matmul"]

METHODS = "matmul"


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product of any rank: ``(*, N, M) @ (*, M, K) -> (*, N, K)``; a vector counts as one row or column.

    A stack times one matrix is computed as one product of ``(* N, M)``, which is what makes it fast.
    Raises ShapeError where the inner lengths differ, DtypeError where the dtypes do (as PyTorch).
    """
    if isinstance(input, Tensor) and isinstance(other, Tensor):
        a, b = input._array, other._array
        if a.ndim == 2 == b.ndim and a.dtype is b.dtype and a.shape[1] == b.shape[0]:  # nearly every call
            result: Tensor = TABLE["matmul"].bind(input, other)
            return result
    else:
        wrong = other if isinstance(input, Tensor) else input
        raise TypeError(f"matmul: needs two Tensors, one is a {type(wrong).__name__}; make one with tn.tensor(...)")
    if input.ndim == 0 or other.ndim == 0:
        raise ShapeError(f"matmul: a 0-d Tensor has no axis to multiply along ({input._type()} @ {other._type()}); use *")
    if input.dtype != other.dtype:
        raise DtypeError(f"matmul: {input._type()} @ {other._type()}: both need one dtype; cast one with .to(dtype)")
    inner = other.shape[-2 if other.ndim > 1 else 0]
    if input.shape[-1] != inner:
        raise ShapeError(
            f"matmul: {typename(input.shape, input.dtype)} @ {typename(other.shape, other.dtype)}: the inner lengths "
            f"{input.shape[-1]} and {inner} differ; transpose one with .mT, or reshape it"
        )
    left = unsqueeze(input, 0) if input.ndim == 1 else input
    right = unsqueeze(other, 1) if other.ndim == 1 else other
    if left.ndim > 2 and right.ndim == 2:
        rows = left.reshape(prod(left.shape[:-1]), left.shape[-1])
        out = TABLE["matmul"].bind(rows, right).reshape(*left.shape[:-1], right.shape[-1])
    else:
        out = TABLE["matmul"].bind(left, right)
    if other.ndim == 1:
        out = squeeze(out, -1)
    return squeeze(out, -2 if other.ndim > 1 else -1) if input.ndim == 1 else out
