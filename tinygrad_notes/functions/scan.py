"""Running sums, products and extremes along one axis, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import RangeError, ShapeError
from ..optable import p
from ..tensor import Tensor
from .arguments import axis, floating, tensor
from .convert import clone
from .moving import cat
from .names import numpy_names
from .pointwise import logaddexp, ne, sub
from .reduce import mirrored, part, widened
from .results import Picked

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "diff", "logcumsumexp"]

METHODS = "cummax cummin cumprod cumsum diff logcumsumexp"
INPLACE = "cumprod cumsum"


def _line(x: Tensor) -> Tensor:
    """A 0-d Tensor counts as one of length 1."""
    return x if x.ndim else x.reshape(1)


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """``out_i = x_0 + ... + x_i`` along ``dim``; float32 is added up in float64, integers and bools as int64."""
    along = axis("cumsum", input, dim)
    x = widened("cumsum", input, dtype)
    result: Tensor = p.cumsum(_line(x), dim=along)
    return result if input.ndim else result.reshape(())


def _doubling(x: Tensor, along: int, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The running combination in log2(n) steps: after step k every place holds that of the 2^k places up to it."""
    if x.shape[along] < 2:
        return clone(x)
    reach = 1
    while reach < x.shape[along]:
        joined = combine(part(x, along, None, -reach), part(x, along, reach, None))
        x = cat([part(x, along, None, reach), joined], along)
        reach *= 2
    return x


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """``out_i = x_0 * ... * x_i`` along ``dim``, by doubling: right gradients of any order with any number of zeros."""
    along = axis("cumprod", input, dim)
    result = _doubling(_line(widened("cumprod", input, dtype)), along, lambda a, b: a * b)
    return result if input.ndim else result.reshape(())


@numpy_names
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """``out_i = log(exp(x_0) + ... + exp(x_i))`` along ``dim``, by doubling: finite where exp overflows."""
    floating("logcumsumexp", input)
    result = _doubling(_line(input), axis("logcumsumexp", input, dim), logaddexp)
    return result if input.ndim else result.reshape(())


@numpy_names
def cummax(input: Tensor, dim: int) -> Picked:
    """The largest value so far along ``dim`` and its index: of equal ones the last. The gradient follows the index."""
    along = axis("cummax", input, dim)
    return _so_far(input, p.cumargmax(_line(input), dim=along), along)


@numpy_names
def cummin(input: Tensor, dim: int) -> Picked:
    """The smallest value so far along ``dim`` and its index: of equal ones the last. The gradient follows the index."""
    along = axis("cummin", input, dim)
    return _so_far(input, p.cumargmax(_line(mirrored(input)), dim=along), along)


def _so_far(x: Tensor, index: Tensor, along: int) -> Picked:
    values = p.gather(_line(x), index, dim=along)
    return Picked(values, index) if x.ndim else Picked(values.reshape(()), index.reshape(()))


@numpy_names
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """``x_{i+1} - x_i`` along ``dim``, ``n`` times; of bools whether they differ."""
    tensor("diff", input)
    along = axis("diff", input, dim)
    if input.ndim == 0:
        raise ShapeError(f"diff: {input._type()} has no axis to take differences along")
    if n < 0:
        raise RangeError(f"diff: the order n must not be negative, got {n}")
    x = input if n else clone(input)
    if prepend is not None or append is not None:
        x = cat([given for given in (prepend, input, append) if given is not None], along)
    for _ in range(min(n, x.shape[along])):
        x = (ne if x.dtype.kind == "b" else sub)(part(x, along, 1, None), part(x, along, None, -1))
    return x
