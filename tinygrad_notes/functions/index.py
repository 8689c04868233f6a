"""Indexing with square brackets.

Basic indices (ints, slices, None, ``...``) are views. Integer and bool arrays select: they are brought to one ``take``
along one axis, with numpy's rules for where the selected axes end up.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..dtypes import int64
from ..errors import IndexOutOfRange, ShapeError
from ..inplace import source_of, write
from ..optable import p
from ..tensor import Tensor, from_array
from .convert import to
from .pointwise import where
from .shape import permute, reshape

__all__ = ["getitem", "setitem"]


def getitem(x: Tensor, index: Any) -> Tensor:
    """``x[index]``."""
    basic, arrays = _parse(x, index)
    out: Tensor = p.slice(x, index=basic)
    if not arrays:
        return out
    if len(arrays) == 1:
        along, only = arrays[0]
        taken: Tensor = p.take(out, only, dim=along)
        return taken
    linear, order = _linear(out, arrays)
    shape = tuple(out.shape[d] for d in order)
    rows = reshape(permute(out, *order), prod(shape[: len(arrays)]), *shape[len(arrays) :])
    taken = p.take(rows, linear, dim=0)
    return _place(taken, arrays, linear.ndim)


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``, in place. Under a Tape, the positions that index arrays name are frozen into it."""
    basic, arrays = _parse(x, index)
    region: Tensor = p.slice(x, index=basic)
    if not arrays:
        if isinstance(value, Tensor) and _is_view_of_same(value, region):
            return  # x[i] += y has already written through the view
        write(region, _without_leading_ones(source_of(region, value, "x[...] ="), region.ndim), "x[...] =")
        return
    values = source_of(x, value, "x[...] =")
    target_shape = np.broadcast_to(np.empty(()), region.shape)[_full(arrays, region.ndim)].shape
    values = _without_leading_ones(values, len(target_shape))
    try:
        fits = np.broadcast_shapes(values.shape, target_shape) == target_shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"x[...] = value: {values._type()} does not broadcast to the selected shape {list(target_shape)}")
    # which element of ``values`` ends up where: found on positions, so that gradients flow by ``take``
    count = prod(target_shape)
    source = np.full(region.numel(), -1, np.int64)
    source.reshape(region.shape)[_full(arrays, region.ndim)] = np.arange(count).reshape(target_shape)
    source = source.reshape(region.shape)
    flat = reshape(p.broadcast(values if values.dtype == x.dtype else p.cast(values, dtype=x.dtype), shape=target_shape), count)
    if count == 0:
        return
    chosen = p.take(flat, from_array(np.maximum(source, 0)), dim=0)
    write(region, p.where(from_array(source >= 0), chosen, p.clone(region)), "x[...] =")


def _without_leading_ones(value: Tensor, ndim: int) -> Tensor:
    """numpy's leniency: a value may have more axes than its place, if the first of them have length 1."""
    extra = value.ndim - ndim
    return reshape(value, *value.shape[extra:]) if extra > 0 and set(value.shape[:extra]) == {1} else value


def _is_view_of_same(a: Tensor, b: Tensor) -> bool:
    """The same memory and the same value on the tape: two views of one storage, neither of them detached."""
    if a._view is None or b._view is None or a._view.storage is not b._view.storage:
        return False
    if any(op.vjp[0] is None for op, _ in a._view.path):
        return False
    first, second = a._array.__array_interface__, b._array.__array_interface__
    keys = ("data", "shape", "strides", "typestr")
    return all(first[key] == second[key] for key in keys)


def _parse(x: Tensor, index: Any) -> tuple[tuple[Any, ...], list[tuple[int, Tensor]]]:
    """The basic part of an index, and the integer arrays with the axis (of the basic result) that each selects from."""
    items = list(index) if isinstance(index, tuple) else [index]
    if isinstance(index, list):
        items = [np.asarray([i.item() if isinstance(i, Tensor) else i for i in index], None if index else np.int64)]
    items = [_as_index(item, x) for item in items]
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
    arrays: list[tuple[int, Tensor]] = []
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
        else:
            for part in _integer_arrays(item, x, source):
                basic.append(slice(None))
                arrays.append((result, part))
                source, result = source + 1, result + 1
    while basic and basic[-1] == slice(None):
        basic.pop()
    return tuple(basic), arrays


def _as_index(item: Any, x: Tensor) -> Any:
    if isinstance(item, list):
        item = np.asarray(item) if item else np.empty(0, np.int64)
    if isinstance(item, bool | np.bool_):
        item = np.asarray(item)
    if isinstance(item, np.integer):
        return int(item)
    if isinstance(item, np.ndarray):
        item = from_array(item)
    if isinstance(item, Tensor) and item.dtype.kind not in "biu":
        raise IndexOutOfRange(f"x[...]: an index of dtype {item.dtype} selects nothing in {x._type()}; use integers or bools")
    if item is None or item is ... or isinstance(item, int | slice | Tensor):
        return item
    raise IndexOutOfRange(f"x[...]: {type(item).__name__} is no index; use ints, slices, None, `...`, integer or bool Tensors")


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
        if array.ndim == 0:
            raise IndexOutOfRange("x[...]: a single bool as an index is not supported; use where")
        covered = x.shape[source : source + array.ndim]
        if array.shape != covered:
            raise IndexOutOfRange(f"x[...]: a mask of shape {array.shape} does not fit the axes {covered} of {x._type()}")
        return [from_array(positions) for positions in np.nonzero(array)]
    size, array = x.shape[source], item._all_values()
    wrong = array[(array < -size) | (array >= size)]
    if wrong.size:
        raise IndexOutOfRange(f"x[...]: index {wrong.flat[0]} is out of range for axis {source} of {x._type()}")
    item = item if array.dtype == int64 else to(item, int64)  # small integers would overflow in what follows
    return [where(item < 0, item + size, item) if (array < 0).any() else item]


def _linear(x: Tensor, arrays: list[tuple[int, Tensor]]) -> tuple[Tensor, list[int]]:
    """One index into the selected axes, moved to the front and joined; the order that moves them."""
    axes = [a for a, _ in arrays]
    try:
        np.broadcast_shapes(*(part.shape for _, part in arrays))
    except ValueError:
        raise IndexOutOfRange(f"x[...]: index arrays of shapes {[part.shape for _, part in arrays]} do not broadcast") from None
    linear: Any = 0
    for a, part in arrays:
        linear = linear * x.shape[a] + part
    return linear, axes + [d for d in range(x.ndim) if d not in axes]


def _place(taken: Tensor, arrays: list[tuple[int, Tensor]], ndim: int) -> Tensor:
    """numpy's rule: neighbouring index arrays leave their result in place, separated ones in front."""
    axes = [a for a, _ in arrays]
    first = axes[0]
    if first == 0 or axes != list(range(first, first + len(axes))):
        return taken
    before = [ndim + d for d in range(first)]
    after = list(range(ndim + first, taken.ndim))
    return permute(taken, *before, *range(ndim), *after)


def _full(arrays: list[tuple[int, Tensor]], ndim: int) -> tuple[Any, ...]:
    chosen = {a: part._array for a, part in arrays}
    return tuple(chosen.get(d, slice(None)) for d in range(ndim))
