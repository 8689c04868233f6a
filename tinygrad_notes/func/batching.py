"""Batching rules: how a row runs on all examples at once. Derived from what the row says of itself.

An elementwise row aligns its operands, so every one, the user's included, has its rule for free. Of the others, the static
parameters that name axes move on by one, told by their names; a row whose parameters say more than that has a rule of its
own here, or none: then ``vmap`` raises and names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import prod
from typing import Any

import numpy as np

from ..errors import BatchingError
from ..optable import Op, p
from ..tensor import Tensor, from_array

__all__ = ["moved", "reason_without", "run", "stretched"]

Params = dict[str, Any]


def run(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Tensor:
    """The row for all examples, ``(size, ...)``: ``values[i]`` has the axis of examples in front where ``batched[i]``.

    Raises BatchingError for a row without a rule.
    """
    reason = reason_without(op)
    if reason:
        raise BatchingError(f"vmap: the primitive {op.name!r} has no batching rule ({reason}); call it outside of vmap")
    rule = _RULES.get(op.name) or (_aligned if op.kind == "elementwise" else _shifted)
    out: Tensor = rule(op, values, batched, params, size)
    return out


@cache
def reason_without(op: Op) -> str:
    """Why a row has no batching rule; empty where it has one."""
    if op.name in _RULES or op.kind == "elementwise":
        return ""
    if op.kind not in ("reduce", "view", "move", "index"):
        return f"of kind {op.kind}"
    if any(len({len(shape) for shape, _, _ in case.arrays}) > 1 for case in op.cases):
        return "its arguments have different numbers of axes"
    for case in op.cases:
        for name, value in case.params.items():
            if name not in _SHIFT and name not in _FIXED and not isinstance(value, bool | float | str | np.dtype | None):
                return f"its parameter {name!r} may name axes"
    return ""


# ---- static parameters, one axis further ----


def _next(dim: Any) -> Any:
    if isinstance(dim, tuple):
        return tuple(map(_next, dim))
    return dim + 1 if dim is not None and dim >= 0 else dim


_SHIFT: dict[str, Callable[[Any, int], Any]] = {
    **dict.fromkeys(("dim", "dim1", "dim2", "dims", "axis", "axes"), lambda value, size: _next(value)),
    "shape": lambda value, size: (size, *value),
    "index": lambda value, size: (slice(None), *value),
}
"""Parameters that speak of axes, by their names."""
_FIXED = ("dilation", "k", "offset", "offsets", "size", "step")
"""Numbers that do not speak of axes."""


def _after(params: Params, size: int) -> Params:
    return {name: _SHIFT[name](value, size) if name in _SHIFT else value for name, value in params.items()}


# ---- rules ----


def stretched(value: Tensor, rank: int) -> Tensor:
    """``(examples, ...)`` with axes of length 1 put in until an example has ``rank`` axes: then it broadcasts as one would."""
    missing = rank + 1 - value.ndim
    if missing <= 0:
        return value
    out: Tensor = p.reshape(value, shape=(value.shape[0], *(1,) * missing, *value.shape[1:]))
    return out


def _repeated(value: Tensor, batched: bool, size: int) -> Any:
    return value if batched else p.broadcast(value, shape=(size, *value.shape))


def _aligned(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    """Operands that broadcast from the right."""
    ranks = [v.ndim - at for v, at in zip(values, batched, strict=True) if isinstance(v, Tensor)]
    return op.bind(*(stretched(v, max(ranks)) if at else v for v, at in zip(values, batched, strict=True)), **params)


def _shifted(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    """The axes that the parameters name move on by one; every operand has the axis of examples."""
    return op.bind(*(_repeated(v, at, size) for v, at in zip(values, batched, strict=True)), **_after(params, size))


def _matmul(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    x, y = values
    if batched[1] or y.ndim > 2:
        return _aligned(op, values, batched, params, size)
    rows = op.bind(p.reshape(x, shape=(prod(x.shape[:-1]), x.shape[-1])), y)  # one matrix for all: one product
    return p.reshape(rows, shape=(*x.shape[:-1], y.shape[1]))


def _permute(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    return op.bind(values[0], dims=(0, *_next(params["dims"])))


def _broadcast(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    return op.bind(stretched(values[0], len(params["shape"])), shape=(size, *params["shape"]))


def _offsets(index: Tensor, size: int, length: int) -> Tensor:
    """``index``, ``(size, ...)``, into examples of ``length`` places that stand one after the other."""
    start = np.arange(size, dtype=np.int64).reshape(size, *(1,) * (index.ndim - 1)) * length
    out: Tensor = p.add(p.cast(index, dtype=start.dtype), from_array(start))
    return out


def _take(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    """Examples with indices of their own: one long axis of all examples' places, and indices into it."""
    x, index = values
    dim: int = params["dim"]
    if not batched[1]:
        return op.bind(x, index, dim=dim + 1)
    if not batched[0]:
        return moved(op.bind(x, index, dim=dim), dim)
    x = moved(x, dim + 1, 1)  # (size, n, *before, *after)
    _check_range(index, x.shape[1], dim)
    joined = p.reshape(x, shape=(size * x.shape[1], *x.shape[2:]))
    out = op.bind(joined, _offsets(index, size, x.shape[1]), dim=0)  # (size, *index, *before, *after)
    inner = range(index.ndim, index.ndim + dim)
    order = (0, *inner, *range(1, index.ndim), *range(index.ndim + dim, out.ndim))
    return p.permute(out, dims=order)


def _put_add(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    x, index = values
    dim, length = params["dim"], params["size"]
    if not batched[1]:
        return op.bind(x, index, dim=dim + 1, size=length)
    x = _repeated(x, batched[0], size)  # (size, *before, *index, *after)
    _check_range(index, length, dim)
    count = index.ndim - 1
    order = (0, *range(1 + dim, 1 + dim + count), *range(1, 1 + dim), *range(1 + dim + count, x.ndim))
    rows = op.bind(p.permute(x, dims=order), _offsets(index, size, length), dim=0, size=size * length)
    rows = p.reshape(rows, shape=(size, length, *rows.shape[1:]))  # (size, length, *before, *after)
    return p.permute(rows, dims=(0, *range(2, 2 + dim), 1, *range(2 + dim, rows.ndim)))


def _check_range(index: Tensor, length: int, dim: int) -> None:
    """An index out of range would land in the neighbouring example."""
    found = index._all_values()
    if found.dtype.kind not in "iu":
        raise IndexError(f"the index is {index._type()}, not integers")
    if found.size and (found.min() < 0 or found.max() >= length):
        wrong = found[(found < 0) | (found >= length)].flat[0]
        raise IndexError(f"index {wrong} is out of range for axis {dim} of size {length} in an example of vmap")


def moved(x: Tensor, source: int, to: int = 0) -> Tensor:
    """One axis taken to another place."""
    if source == to:
        return x
    dims = [d for d in range(x.ndim) if d != source]
    dims.insert(to, source)
    out: Tensor = p.permute(x, dims=tuple(dims))
    return out


def _assign(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    base, value = values
    if not batched[0]:
        base = p.clone(p.broadcast(base, shape=(size, *base.shape)))
    path, region = _moved_path(params["path"], base.shape, size)
    value = stretched(value, region.ndim - 1) if batched[1] else value
    return op.bind(base, value, path=path, visible=params["visible"])


def _moved_path(path: Any, shape: tuple[int, ...], size: int) -> tuple[tuple[Any, ...], np.ndarray[Any, Any]]:
    """A path of views with the axis of examples in front, and an array of the shape that it leads to."""
    region = np.broadcast_to(np.empty(()), shape)
    found = []
    for view, own in path:
        moved = {"dims": (0, *_next(own["dims"]))} if view.name == "permute" else _after(own, size)
        found.append((view, moved))
        region = view.forward(region, **moved)
    return tuple(found), region


def _assign_at(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    """Examples one after the other: the axis of examples is one more that the index counts through."""
    base, value, index = values
    if not batched[0]:
        base = p.clone(p.broadcast(base, shape=(size, *base.shape)))
    path, region = _moved_path(params["path"], base.shape, size)
    places = prod(region.shape[1 : 1 + params["axes"]])
    index = _repeated(index, batched[2], size)
    _check_range(index, places, 0)
    value = stretched(value, index.ndim - 1 + region.ndim - 1 - params["axes"]) if batched[1] else value
    return op.bind(base, value, _offsets(index, size, places), path=path, axes=params["axes"] + 1, visible=params["visible"])


def _searchsorted(op: Op, values: Sequence[Any], batched: Sequence[bool], params: Params, size: int) -> Any:
    """One sorted line serves values of any shape; a line for each example serves a line of values."""
    rising, sought = values
    if not batched[0] and rising.ndim == 1:
        return op.bind(rising, sought, **params)
    rising, sought = _repeated(rising, batched[0], size), _repeated(sought, batched[1], size)
    rows = p.reshape(sought, shape=(size, prod(sought.shape[1:]))) if rising.ndim == 2 else sought
    return p.reshape(op.bind(rising, rows, **params), shape=sought.shape)


_RULES: dict[str, Callable[[Op, Sequence[Any], Sequence[bool], Params, int], Any]] = {
    "matmul": _matmul, "permute": _permute, "broadcast": _broadcast, "take": _take, "put_add": _put_add, "assign": _assign,
    "searchsorted": _searchsorted,
    "assign_at": _assign_at,
}  # fmt: skip
