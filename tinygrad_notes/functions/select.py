"""Selecting and scattering under PyTorch's names: the named forms of indexing."""

from __future__ import annotations

from ..dtypes import bool_
from ..errors import DtypeError, IndexOutOfRange, ShapeError
from ..optable import p
from ..tensor import Tensor
from .arguments import axis
from .names import numpy_names

__all__ = ["gather", "index_select", "masked_fill", "scatter_add"]

METHODS = "gather index_select masked_fill scatter_add"
INPLACE = "masked_fill scatter_add"


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of ``input`` along ``dim`` that the 1-d ``index`` names."""
    if index.ndim > 1:
        raise ShapeError(f"index_select: the index must have one axis, got {index._type()}")
    result: Tensor = p.take(input, index.reshape(-1), dim=axis("index_select", input, dim))
    return result


@numpy_names
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim=0``: one element per element of ``index``."""
    along = _check_pair("gather", input, dim, index)
    result: Tensor = p.gather(input, index, dim=along)
    return result


@numpy_names
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``out[index[i][j]][j] += src[i][j]`` for ``dim=0``, starting from ``input``."""
    along = _check_pair("scatter_add", input, dim, index)
    if src.ndim != index.ndim or any(n > m for n, m in zip(index.shape, src.shape, strict=True)):
        raise ShapeError(f"scatter_add: the index {index._type()} is larger than src {src._type()}")
    if src.dtype != input.dtype:
        raise ShapeError(f"scatter_add: src {src._type()} and input {input._type()} need one dtype")
    part = p.slice(src, index=tuple(slice(0, n, None) for n in index.shape))
    result: Tensor = input + p.scatter_add(part, index, dim=along, shape=input.shape)
    return result


def _check_pair(name: str, x: Tensor, dim: int, index: Tensor) -> int:
    along = axis(name, x, dim)
    if index.dtype.kind not in "iu":
        raise IndexOutOfRange(f"{name}: the index must hold integers, got {index._type()}")
    if index.ndim != x.ndim or any(n > m for d, (n, m) in enumerate(zip(index.shape, x.shape, strict=True)) if d != along):
        raise ShapeError(
            f"{name}: the index {index._type()} must have the axes of {x._type()} and be no longer, but along {along}"
        )
    return along


def masked_fill(input: Tensor, mask: Tensor, value: float) -> Tensor:
    """``value`` where ``mask`` holds, else ``input``."""
    if not isinstance(mask, Tensor) or mask.dtype != bool_:
        got = mask._type() if isinstance(mask, Tensor) else type(mask).__name__
        raise DtypeError(f"masked_fill: the mask must be a bool Tensor, got {got}; compare it: mask != 0")
    result: Tensor = p.where(mask, value, input)
    return result
