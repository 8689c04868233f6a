"""Indexing with square brackets, and ``index_put``.

Basic indices (ints, slices, None, ``...``) are views. Integer and bool arrays select: they are brought to one ``take``
along one axis, and to one write, with numpy's rules for where the selected axes end up. Ints beside arrays, and 0-d integer
Tensors, select first, as in PyTorch.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import int64, uint8
from ..errors import DtypeError, IndexOutOfRange, ShapeError
from ..inplace import At, check_writable, source_of, write
from ..modes import local
from ..optable import p
from ..tensor import Tensor, from_array
from .convert import copy_for, to
from .moving import stack
from .pointwise import where
from .shape import permute, reshape

__all__ = ["index_put"]

METHODS = "index_put index_put_"


def getitem(x: Tensor, index: Any) -> Tensor:
    """``x[index]``."""
    if type(index) is int and (shape := x._array.shape) and -shape[0] <= index < shape[0]:  # a loop over time steps
        step: Tensor = p.slice(x, index=(index % shape[0],))
        return step
    basic, arrays, _ = _parse(x, index)
    out: Tensor = p.slice(x, index=basic)
    if not arrays:
        return out
    linear, axes = _linear(out, arrays), [a for a, _ in arrays]
    if all(b - a == 1 for a, b in pairwise(axes)):
        first, last = axes[0], axes[-1] + 1
        if len(axes) > 1:
            out = reshape(out, *out.shape[:first], prod(out.shape[first:last]), *out.shape[last:])
        taken: Tensor = p.take(out, linear, dim=first)
        return taken
    front = permute(out, *_order(axes, out.ndim))
    rows = reshape(front, prod(front.shape[: len(axes)]), *front.shape[len(axes) :])
    taken = p.take(rows, linear, dim=0)
    before = _before(arrays)
    ndim = linear.ndim
    return permute(taken, *range(ndim, ndim + before), *range(ndim), *range(ndim + before, taken.ndim)) if before else taken


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``, in place; where index arrays name a place twice, the last value counts.

    Under a Tape the write follows integer arrays at replay. So do bool masks given a value that has one element for all of
    their places; given one for each, the places are frozen.
    """
    basic, arrays, mask = _parse(x, index)
    region: Tensor = p.slice(x, index=basic) if basic else x
    if not arrays:
        if isinstance(value, Tensor) and _is_view_of_same(value, region):
            check_writable(region, region._current_node(), local.mode.grad and region.requires_grad, "x[...] =")
            return  # x[i] += y has already written through the view
        write(region, _without_leading_ones(source_of(region, value, "x[...] ="), region.ndim), "x[...] =")
        return
    _write_at(region, arrays, mask, source_of(x, value, "x[...] ="), accumulate=False)


def _write_at(region: Tensor, arrays: Arrays, mask: Mask | None, values: Tensor, accumulate: bool) -> None:
    linear, axes = _linear(region, arrays), [a for a, _ in arrays]
    front, before, count = permute(region, *_order(axes, region.ndim)), _before(arrays), len(axes)
    rest = front.shape[count:]
    shape = (*rest[:before], *linear.shape, *rest[before:])
    values = _without_leading_ones(values, len(shape))
    if not _fits(values.shape, shape):
        raise ShapeError(f"x[...] = value: {values._type()} does not broadcast to the selected shape {list(shape)}")
    behind = len(rest) - before
    if mask is not None and not accumulate and (values.ndim <= behind or values.shape[-behind - 1] == 1):
        _write_masked(region, mask.mask, values, behind)
        return
    if before:
        values = p.broadcast(values, shape=shape)
        ndim = linear.ndim
        values = permute(values, *range(before, before + ndim), *range(before), *range(before + ndim, values.ndim))
    if not accumulate:
        write(front, values, "x[...] =", At(linear, count))
        return
    spread = p.broadcast(values, shape=(*linear.shape, *rest))
    added = p.put_add(spread, linear, dim=0, size=prod(front.shape[:count]))
    write(front, front + reshape(added, *front.shape), "index_put_")


def _write_masked(region: Tensor, mask: Tensor, values: Tensor, behind: int) -> None:
    """One value for all places of a mask: chosen by the mask itself, so that a replay follows it."""
    at = values.ndim - behind - 1
    if at >= 0:
        values = reshape(values, *values.shape[:at], *(1,) * mask.ndim, *values.shape[at + 1 :])
    values = values if values.dtype == region.dtype else p.cast(values, dtype=region.dtype)
    write(region, p.where(reshape(mask, *mask.shape, *(1,) * behind), values, region), "x[...] =")


# ---- index_put ----


def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``input[indices] = values``, in place; ``accumulate``: ``+=``, places that are named twice adding up.

    indices: a tuple of integer or bool Tensors, None for an axis of which all is meant. Raises DtypeError unless values and
    input have one dtype.
    """
    if not isinstance(values, Tensor) or values.dtype != input.dtype:
        got = values._type() if isinstance(values, Tensor) else type(values).__name__
        raise DtypeError(f"index_put_: the values must be a Tensor of the dtype of {input._type()}, got {got}")
    index = tuple(slice(None) if part is None else part for part in indices)
    if not accumulate:
        setitem(input, index, values)
        return input
    basic, arrays, mask = _parse(input, index)
    _write_at(p.slice(input, index=basic), arrays, mask, values, accumulate=True)
    return input


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``values`` at the places that ``indices`` names; see ``index_put_``."""
    return index_put_(copy_for(input, values, *indices), indices, values, accumulate)


# ---- values ----


def _without_leading_ones(value: Tensor, ndim: int) -> Tensor:
    """numpy's leniency: a value may have more axes than its place, if the first of them have length 1."""
    extra = value.ndim - ndim
    return reshape(value, *value.shape[extra:]) if extra > 0 and set(value.shape[:extra]) == {1} else value


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


def _is_view_of_same(a: Tensor, b: Tensor) -> bool:
    """The same memory and the same value on the tape: two views of one storage, neither of them detached."""
    if a._view is None or b._view is None or a._view.storage is not b._view.storage:
        return False
    if any(op.vjp[0] is None for op, _ in a._view.path):
        return False
    first, second = a._array.__array_interface__, b._array.__array_interface__
    keys = ("data", "shape", "strides", "typestr")
    return all(first[key] == second[key] for key in keys)


# ---- the index taken apart ----

Arrays = list[tuple[int, Tensor]]
"""Integer Tensors with the axis, of what the basic part of an index leaves, that each selects from."""


class Mask(NamedTuple):
    """The one bool mask of an index without other arrays."""

    mask: Tensor


def _parse(x: Tensor, index: Any) -> tuple[tuple[Any, ...], Arrays, Mask | None]:
    """The basic part of an index, its arrays, and the mask that they come from if they come from one."""
    items = [_as_index(item, x) for item in (index if isinstance(index, tuple) else (index,))]
    used = sum(
        item.ndim if isinstance(item, Tensor) and item.dtype.kind == "b" else item is not None and item is not ...
        for item in items
    )
    if used > x.ndim:
        raise IndexOutOfRange(f"x[...]: {used} indices for {x._type()}, which has {x.ndim} axes")
    if sum(item is ... for item in items) > 1:
        raise IndexOutOfRange("x[...]: an index can hold only one `...`")
    at = next((i for i, item in enumerate(items) if item is ...), len(items))
    items[at : at + 1] = [slice(None)] * (x.ndim - used)

    basic: list[Any] = []
    arrays: Arrays = []
    source = result = 0
    for item in items:
        if item is None:
            basic.append(None)
            result += 1
        elif isinstance(item, slice):
            basic.append(_canonical(item, x.shape[source]))
            source, result = source + 1, result + 1
        elif isinstance(item, int):
            if not -x.shape[source] <= item < x.shape[source]:
                raise IndexOutOfRange(f"x[...]: index {item} is out of range for axis {source} of {x._type()}")
            basic.append(item % x.shape[source])
            source += 1
        elif item.dtype.kind == "b" and item.ndim == 0:  # a new axis, from which the bool takes one element or none
            basic.append(None)
            arrays.append((result, from_array(np.zeros(int(item.item()), np.int64))))
            result += 1
        else:
            for part in _integer_arrays(item, x, source):
                basic.append(slice(None))
                arrays.append((result, part))
                source, result = source + 1, result + 1
    while basic and basic[-1] == slice(None):
        basic.pop()
    found = [item for item in items if isinstance(item, Tensor)]
    mask = Mask(found[0]) if len(found) == 1 and found[0].dtype.kind == "b" and found[0].ndim else None
    return tuple(basic), arrays, mask


def _as_index(item: Any, x: Tensor) -> Any:
    if isinstance(item, bool | np.bool_):
        item = np.asarray(item)
    if isinstance(item, np.integer):
        return int(item)
    if isinstance(item, list | tuple | range):
        item = _of_sequence(item, x)
    if isinstance(item, np.ndarray):
        if item.ndim == 0 and item.dtype.kind in "iu":
            return int(item)
        item = from_array(item)
    if isinstance(item, Tensor) and item.dtype.kind not in "biu":
        raise IndexOutOfRange(f"x[...]: an index of dtype {item.dtype} selects nothing in {x._type()}; use integers or bools")
    if isinstance(item, Tensor) and item.dtype == uint8 and item.ndim:
        raise IndexOutOfRange(
            f"x[...]: {item._type()} could be a mask, as in PyTorch, or positions, as in numpy; say .bool() or .long()"
        )
    if item is None or item is ... or isinstance(item, int | slice | Tensor):
        return item
    refusal = TypeError if isinstance(item, str) else IndexOutOfRange  # as PyTorch's
    raise refusal(f"x[...]: {type(item).__name__} is no index; use ints, slices, None, `...`, integer or bool Tensors")


def _of_sequence(items: Any, x: Tensor) -> Any:
    if any(isinstance(item, Tensor) for item in items):
        return stack([item if isinstance(item, Tensor) else from_array(np.asarray(item)) for item in items])
    try:
        return np.asarray(items) if len(items) else np.empty(0, np.int64)
    except ValueError:
        raise IndexOutOfRange(f"x[...]: lists of different lengths are no index for {x._type()}") from None


def _canonical(item: slice, length: int) -> slice:
    if item.step == 0:
        raise IndexOutOfRange("x[...]: the step of a slice cannot be 0")
    if item == slice(None):
        return item
    start, stop, step = item.indices(length)
    if step > 0:
        return slice(start, max(start, stop), None if step == 1 else step)
    return slice(start, None if stop < 0 else stop, step) if start >= 0 and start > stop else slice(0, 0, None)


def _integer_arrays(item: Tensor, x: Tensor, source: int) -> list[Tensor]:
    array = item._array
    if array.dtype.kind == "b":
        covered = x.shape[source : source + array.ndim]
        if array.shape != covered:
            raise IndexOutOfRange(f"x[...]: a mask of shape {array.shape} does not fit the axes {covered} of {x._type()}")
        return [from_array(positions) for positions in np.nonzero(array)]
    size, array = x.shape[source], item._all_values()
    wrong = array[(array < -size) | (array >= size)]
    if wrong.size:
        raise IndexOutOfRange(f"x[...]: index {wrong.flat[0]} is out of range for axis {source} of {x._type()}")
    item = item if array.dtype == int64 else to(item, int64)  # small integers would overflow in what follows
    return [where(item < 0, item + size, item) if local.mode.tape is not None or (array < 0).any() else item]


def _linear(x: Tensor, arrays: Arrays) -> Tensor:
    """One index into the selected axes joined."""
    try:
        np.broadcast_shapes(*(part.shape for _, part in arrays))
    except ValueError:
        raise IndexOutOfRange(f"x[...]: index arrays of shapes {[part.shape for _, part in arrays]} do not broadcast") from None
    (_, linear), *others = arrays
    for a, part in others:
        linear = linear * x.shape[a] + part
    return linear


def _order(axes: list[int], ndim: int) -> list[int]:
    """The selected axes in front."""
    return axes + [d for d in range(ndim) if d not in axes]


def _before(arrays: Arrays) -> int:
    """How many of the other axes the result has in front. numpy's rule: neighbouring index arrays leave their result in
    place, separated ones in front. What a 0-d array selects from is gone before that."""
    gone = [a for a, part in arrays if part.ndim == 0]
    axes = [a - sum(b < a for b in gone) for a, part in arrays if part.ndim]
    return axes[0] if axes and axes == list(range(axes[0], axes[0] + len(axes))) else 0
