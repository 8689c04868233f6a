"""Sorting and what reads sorted values, under PyTorch's names. NaN is larger than every number; sorting is stable."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import int32
from ..errors import ArgumentError, IndexOutOfRange, RangeError, ShapeError
from ..optable import p
from ..tensor import Tensor, from_array
from .arguments import axis, floating, tensor
from .convert import to
from .names import numpy_names
from .pointwise import eq, ne, sub, where
from .reduce import amax, part, sum
from .results import Picked
from .rounding import ceil, floor, round
from .shape import permute, reshape, squeeze, unsqueeze

__all__ = [
    "argsort", "bucketize", "kthvalue", "median", "msort", "quantile", "searchsorted", "sort", "topk",
]  # fmt: skip

METHODS = "argsort kthvalue median msort quantile sort topk"

# ---- order ----


def _order(x: Tensor, along: int, descending: bool) -> Tensor:
    """The index that sorts ``x``, which has an axis."""
    result: Tensor = p.argsort(x, dim=along, descending=descending)
    return result


def _at(x: Tensor, index: Tensor, along: int, keepdim: bool = True) -> Picked:
    values = p.gather(x, index, dim=along)
    return Picked(values, index) if keepdim else Picked(squeeze(values, along), squeeze(index, along))


def _point(found: Picked) -> Picked:
    return Picked(found.values.reshape(()), found.indices.reshape(()))


@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Picked:
    """The values along ``dim`` in rising (or falling) order, and where they stood. Equal ones keep their order in any case."""
    along = axis("sort", input, dim)
    if input.ndim == 0:
        return _point(sort(input.reshape(1)))
    return _at(input, _order(input, along, descending), along)


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that ``sort`` returns."""
    along = axis("argsort", input, dim)
    return _order(input, along, descending) if input.ndim else _order(input.reshape(1), 0, False).reshape(())


def msort(input: Tensor) -> Tensor:
    """The values of ``sort`` along the first axis."""
    return sort(input, 0).values


@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Picked:
    """The ``k`` largest (or smallest) values along ``dim``, sorted in any case, and where they stand."""
    along = axis("topk", input, dim)
    length = input.shape[along] if input.ndim else 1
    if not 0 <= k <= length:
        raise RangeError(f"topk: k={k} is out of range for axis {along} of {input._type()}, which has {length} values")
    line = input if input.ndim else input.reshape(1)
    found = _at(line, p.argtopk(line, dim=along, k=k, descending=largest), along)
    return _point(found) if input.ndim == 0 and k else found


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Picked:
    """The ``k``-th smallest value along ``dim``, counted from 1, and its index."""
    along = axis("kthvalue", input, dim)
    length = input.shape[along] if input.ndim else 1
    if not 1 <= k <= length:
        raise RangeError(f"kthvalue: k={k} is out of range for axis {along} of {input._type()}; use 1 to {length}")
    if input.ndim == 0:
        return _point(sort(input.reshape(1)))
    return _at(input, part(_order(input, along, False), along, k - 1, k), along, keepdim)


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """``median(x)``: the middle value, the lower of two; NaN if one is there. ``median(x, dim)``: values and indices.

    The gradient follows the index; without one, equal values share it.
    """
    if dim is None:
        tensor("median", input)
        flat = input.reshape(-1)
        if not flat.numel():
            return sum(flat) + float("nan")
        middle = _middle(flat.detach(), 0, False).values
        if flat.dtype.kind != "f":
            return middle
        found = where(ne(middle, middle), ne(flat, flat), eq(flat, middle))
        return amax(where(found, flat, -float("inf")), 0)
    along = axis("median", input, dim)
    if input.ndim == 0:
        return _point(sort(input.reshape(1)))
    if input.shape[along] == 0:
        raise IndexOutOfRange(f"median: axis {along} of {input._type()} is empty and has no middle value")
    return _middle(input, along, keepdim)


def _middle(x: Tensor, along: int, keepdim: bool) -> Picked:
    length = x.shape[along]
    order, middle = _order(x, along, False), (length - 1) // 2
    if x.dtype.kind != "f":
        return _at(x, part(order, along, middle, middle + 1), along, keepdim)
    unknown = sum(ne(x, x), along, True)
    at = where(eq(unknown, 0), middle, sub(length, unknown))  # the first NaN, which are sorted to the end
    return _at(x, p.gather(order, at, dim=along), along, keepdim)


_BETWEEN = ("linear", "lower", "higher", "midpoint", "nearest")


@numpy_names
def quantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The values below which the parts ``q`` (a number or a 1-d Tensor, 0 to 1) of ``dim`` lie; NaN if one is there.

    Between two values as ``interpolation`` says: linear, lower, higher, midpoint, nearest. The axis of ``q`` comes first.
    """
    floating("quantile", input)
    if interpolation not in _BETWEEN:
        raise ArgumentError(f"quantile: interpolation={interpolation!r} is none of {', '.join(_BETWEEN)}")
    parts = q if isinstance(q, Tensor) else from_array(np.asarray(q, input.dtype))
    if parts.ndim > 1 or parts.dtype != input.dtype:
        raise ShapeError(
            f"quantile: q must be a number or a Tensor of at most one axis like {input._type()}, got {parts._type()}"
        )
    values = parts._all_values()
    if not ((values >= 0) & (values <= 1)).all():
        raise RangeError(f"quantile: q must lie between 0 and 1, got {values.tolist()}")
    along = 0 if dim is None else axis("quantile", input, dim)
    x = input.reshape(-1) if dim is None or input.ndim == 0 else input
    if x.numel() == 0:
        raise ShapeError(f"quantile: {input._type()} is empty")
    last = permute(x, *(d for d in range(x.ndim) if d != along), along)
    found = _between(sort(last, -1).values, parts.reshape(-1), interpolation)
    found = permute(found, found.ndim - 1, *range(found.ndim - 1))  # the axis of q in front
    if keepdim:
        found = reshape(found, -1, *((1,) * input.ndim)) if dim is None or not input.ndim else unsqueeze(found, along + 1)
    return found if parts.ndim else squeeze(found, 0)


def _between(rising: Tensor, parts: Tensor, interpolation: str) -> Tensor:
    """Of values sorted along the last axis: ``(*, n)`` and ``(Q,)`` -> ``(*, Q)``."""
    end, along = rising.shape[-1] - 1, rising.ndim - 1
    rank = parts * end
    chosen = ceil(rank) if interpolation == "higher" else round(rank) if interpolation == "nearest" else floor(rank)
    result = p.take(rising, to(chosen, np.int64), dim=along)
    if interpolation in ("linear", "midpoint"):
        above = p.take(rising, to(ceil(rank), np.int64), dim=along)
        result = result + (rank - chosen if interpolation == "linear" else 0.5) * (above - result)
    worst = part(rising, along, end, None)
    return where(ne(worst, worst), worst, result)


# ---- places in what is sorted ----


def searchsorted(
    sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None
) -> Tensor:
    """Where each value of ``input`` would stand in the last axis of ``sorted_sequence``: before equal ones, or behind (``right``).

    ``sorted_sequence`` ``(*, N)`` and ``input`` ``(*, M)``, or ``(N,)`` and any shape, or a number.
    """
    tensor("searchsorted", sorted_sequence)
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ArgumentError(f"searchsorted: side={side!r} with right={right}; side is 'left' or 'right' and says the same")
    values = input if isinstance(input, Tensor) else from_array(np.asarray(input, sorted_sequence.dtype))
    if sorted_sequence.ndim == 0 or (sorted_sequence.ndim > 1 and sorted_sequence.shape[:-1] != values.shape[:-1]):
        raise ShapeError(
            f"searchsorted: {sorted_sequence._type()} and {values._type()} must have equal axes but for the last, or the first one axis"
        )
    found: Tensor = p.searchsorted(sorted_sequence, values, right=right or side == "right")
    return to(found, int32) if out_int32 else found


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each value: bucket i ends at the boundary i, which belongs to it (with ``right``, to the next)."""
    tensor("bucketize", boundaries)
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize: the boundaries must have one axis, got {boundaries._type()}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
