"""Selecting under PyTorch's names: by indices along an axis, element by element, and by masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import bool_, category, int64, scalar_dtype
from ..errors import DtypeError, IndexOutOfRange, RangeError, ShapeError
from ..optable import p
from ..tensor import Tensor, from_array
from .arguments import axis
from .convert import clone, to
from .names import numpy_names
from .pointwise import where
from .shape import broadcast_tensors, reshape

__all__ = ["gather", "index_select", "masked_fill", "masked_scatter", "masked_select", "take", "take_along_dim"]

METHODS = "gather index_select masked_fill masked_scatter masked_select take take_along_dim"
INPLACE = "masked_fill masked_scatter"


# ---- by indices ----


def check_index(name: str, index: Any) -> None:
    """Raises DtypeError unless ``index`` is a Tensor of integers."""
    if not isinstance(index, Tensor) or index.dtype.kind not in "iu":
        got = index._type() if isinstance(index, Tensor) else type(index).__name__
        raise DtypeError(f"{name}: the index must be a Tensor of integers, got {got}")


def check_line(name: str, x: Tensor, dim: int, index: Tensor, error: type[Exception] = IndexOutOfRange) -> int:
    """The axis, for an index ``(n,)`` into it. Raises ``error`` for what is no position of the axis."""
    check_index(name, index)
    if index.ndim > 1:
        raise IndexOutOfRange(f"{name}: the index must have one axis, got {index._type()}")
    along = axis(name, x, dim)
    outside(name, index, 0, x.shape[along] if x.ndim else 1, f"axis {along} of {x._type()}", error)
    return along


def outside(name: str, index: Tensor, low: int, high: int, place: str, error: type[Exception]) -> None:
    """Raises ``error`` where ``index`` holds a position outside [low, high)."""
    found = index._all_values()
    if found.size and (found.min() < low or found.max() >= high):
        wrong = found[(found < low) | (found >= high)].flat[0]
        raise error(f"{name}: index {wrong} is out of range for {place}")


def check_pair(name: str, x: Tensor, dim: int, index: Tensor) -> int:
    """The axis, for an index with one position along it per element. Raises ShapeError, and RangeError as PyTorch does."""
    along = axis(name, x, dim)
    check_index(name, index)
    if index.ndim != x.ndim or any(n > m for d, (n, m) in enumerate(zip(index.shape, x.shape, strict=True)) if d != along):
        raise ShapeError(
            f"{name}: the index {index._type()} must have the axes of {x._type()} and be no longer, but along {along}"
        )
    outside(name, index, 0, x.shape[along] if x.ndim else 1, f"axis {along} of {x._type()}", RangeError)
    return along


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of ``input`` along ``dim`` that the 1-d ``index`` names."""
    along = check_line("index_select", input, dim, index)
    if input.ndim == 0:
        return reshape(p.take(reshape(input, 1), reshape(index, index.numel()), dim=0), ())
    result: Tensor = p.take(input, reshape(index, index.numel()), dim=along)
    return result


@numpy_names
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim=0``: one element per element of ``index``."""
    along = check_pair("gather", input, dim, index)
    if input.ndim == 0:
        return reshape(p.take(reshape(input, 1), index, dim=0), ())
    result: Tensor = p.gather(input, index, dim=along)
    return result


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements that ``index`` names, counting through all of ``input``, from the end where it is negative."""
    check_index("take", index)
    count = input.numel()
    outside("take", index, -count, count, f"the {count} elements of {input._type()}", IndexOutOfRange)
    result: Tensor = p.take(reshape(input, count), where(index < 0, index + count, index), dim=0)
    return result


@numpy_names
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """``gather`` with an index that broadcasts to ``input`` but along ``dim``; of all elements in one line if None."""
    check_index("take_along_dim", indices)
    if dim is None:
        return gather(reshape(input, input.numel()), 0, reshape(indices, indices.numel()))
    along = axis("take_along_dim", input, dim)
    if indices.ndim != input.ndim:
        raise ShapeError(f"take_along_dim: the indices {indices._type()} must have the axes of {input._type()}")
    try:
        around = np.broadcast_shapes(*((*x.shape[:along], 1, *x.shape[along + 1 :]) for x in (input, indices)))
    except ValueError:
        raise ShapeError(f"take_along_dim: {input._type()} and {indices._type()} do not broadcast but along {along}") from None

    def stretched(x: Tensor) -> Tensor:
        result: Tensor = p.broadcast(x, shape=(*around[:along], x.shape[along], *around[along + 1 :]))
        return result

    return gather(stretched(input), along, stretched(indices))


# ---- by masks ----


def _check_mask(name: str, mask: Any) -> None:
    if not isinstance(mask, Tensor) or mask.dtype != bool_:
        got = mask._type() if isinstance(mask, Tensor) else type(mask).__name__
        raise DtypeError(f"{name}: the mask must be a bool Tensor, got {got}; compare it: mask != 0")


def filling(name: str, x: Tensor, value: Any) -> Any:
    """A number or 0-d Tensor as a value that ``x`` can hold. Raises DtypeError where it cannot."""
    if isinstance(value, Tensor) and value.ndim:
        raise ShapeError(f"{name}: the value must be a number or a 0-d Tensor, got {value._type()}")
    given = value.dtype if isinstance(value, Tensor) else scalar_dtype(value)
    if category(given) > max(category(x.dtype), 1):
        raise DtypeError(f"{name}: {x._type()} cannot hold the value {value}; use .float()")
    if isinstance(value, Tensor):
        return to(value, x.dtype)
    return bool(value) if x.dtype == bool_ else float(value) if x.dtype.kind == "f" else int(value)


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value``, a number or a 0-d Tensor, where ``mask`` holds, else ``input``; mask and input broadcast."""
    _check_mask("masked_fill", mask)
    result: Tensor = p.where(mask, filling("masked_fill", input, value), input)
    return result


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where ``mask`` holds, in one axis. Under a Tape their places are frozen."""
    _check_mask("masked_select", mask)
    x, where = broadcast_tensors(input, mask)
    places = from_array(np.flatnonzero(where._array))
    result: Tensor = p.take(reshape(x, x.numel()), places, dim=0)
    return result


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The elements of ``source``, one after the other, where ``mask`` holds, else ``input``.

    Raises ShapeError where ``source`` holds too few, DtypeError for another dtype.
    """
    _check_mask("masked_scatter", mask)
    if source.dtype != input.dtype:
        raise DtypeError(f"masked_scatter: source {source._type()} and input {input._type()} need one dtype")
    x, chosen = broadcast_tensors(input, mask)
    found = chosen._all_values()  # under vmap those of all examples
    needed = int(found.sum(axis=tuple(range(found.ndim - chosen.ndim, found.ndim))).max(initial=0))
    if source.numel() < needed:
        raise ShapeError(f"masked_scatter: the mask holds {needed} times, but {source._type()} has {source.numel()} elements")
    if not source.numel():
        return clone(x)
    count = p.cumsum(to(reshape(chosen, chosen.numel()), int64), dim=0)
    places = where(count > 0, count - 1, 0)
    values = p.take(reshape(source, source.numel()), where(places < source.numel(), places, 0), dim=0)
    result: Tensor = p.where(chosen, reshape(values, *x.shape), x)
    return result
