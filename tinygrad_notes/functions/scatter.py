"""Scattering under PyTorch's names: values to the places that indices name, written or added up."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ..errors import DtypeError, IndexOutOfRange, RangeError, ShapeError
from ..inplace import At, write
from ..optable import p
from ..tensor import Tensor, from_array
from .convert import copy_for
from .index import setitem
from .moving import cat
from .names import numpy_names
from .pointwise import where
from .reduce import amax, amin, any
from .reduce import prod as product
from .select import check_index, check_line, check_pair, filling, outside
from .shape import expand, movedim, reshape, unsqueeze

__all__ = ["index_add", "index_copy", "index_fill", "put", "scatter", "scatter_add", "scatter_reduce"]

METHODS = "index_add index_copy index_copy_ index_fill index_fill_ put put_ scatter scatter_ scatter_add scatter_reduce"
INPLACE = "index_add scatter_add scatter_reduce"


# ---- element by element ----


def _source(name: str, x: Tensor, index: Tensor, src: Any) -> Tensor:
    """The part of ``src`` that ``index`` uses."""
    if not isinstance(src, Tensor):
        raise TypeError(f"{name}: src must be a Tensor, got {type(src).__name__}")
    if src.ndim != index.ndim or np.greater(index.shape, src.shape).any():
        raise ShapeError(f"{name}: the index {index._type()} is larger than src {src._type()}")
    if src.dtype != x.dtype:
        raise DtypeError(f"{name}: src {src._type()} and input {x._type()} need one dtype")
    part: Tensor = p.slice(src, index=tuple(slice(0, n, None) for n in index.shape))
    return part


@numpy_names
def scatter_(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: float | None = None, reduce: str | None = None
) -> Tensor:
    """``input[index[i][j]][j] = src[i][j]`` for ``dim=0``, in place; ``src`` may be one number.

    Where a place is named twice the last value counts, and gradients reach it alone. reduce: ``"add"`` or ``"multiply"``.
    """
    along = check_pair("scatter_", input, dim, index)
    source = value if src is None else src
    if source is None:
        raise TypeError("scatter_: needs a src or a value")
    if isinstance(source, Tensor):
        part = _source("scatter_", input, index, source)
    else:
        part = expand(from_array(np.asarray(filling("scatter_", input, source), input.dtype)), *index.shape)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RangeError(f'scatter_: reduce is "add" or "multiply", got {reduce!r}')
        combined = scatter_reduce(input, dim, index, part, "sum" if reduce == "add" else "prod")
        return write(input, combined, "scatter_")
    if input.ndim == 0:
        return write(input, part, "scatter_") if index.numel() else input
    steps = [prod(input.shape[d + 1 :]) for d in range(input.ndim)]
    grid = np.ogrid[tuple(slice(n) for n in index.shape)]
    elsewhere = np.zeros(index.shape, np.int64)
    for d, line in enumerate(grid):
        elsewhere += 0 if d == along else line * steps[d]
    write(input, part, "scatter_", At(index * steps[along] + from_array(elsewhere), input.ndim))
    return input


@numpy_names
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: float | None = None, reduce: str | None = None
) -> Tensor:
    """A copy of ``input`` with ``out[index[i][j]][j] = src[i][j]`` for ``dim=0``; see ``scatter_``."""
    return scatter_(copy_for(input, index, src), dim, index, src, value=value, reduce=reduce)


def _added(x: Tensor, index: Tensor, part: Tensor, along: int) -> Tensor:
    """Zeros in the shape of ``x``, with ``part`` added where ``index`` says."""
    if x.ndim == 0:
        return reshape(part, ())
    result: Tensor = p.scatter_add(part, index, dim=along, shape=x.shape)
    return result


@numpy_names
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``out[index[i][j]][j] += src[i][j]`` for ``dim=0``, starting from ``input``."""
    along = check_pair("scatter_add", input, dim, index)
    return input + _added(input, index, _source("scatter_add", input, index, src), along)


@numpy_names
def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """All ``src[i][j]`` that ``index`` sends to one place reduced to one value, with what ``input`` holds there or without it.

    reduce: ``sum``, ``mean``, ``prod``, ``amax`` or ``amin``; the last three compare every place of an axis with every index
    along it, ``O(n m)``. Places that no index names keep their value. Gradients of equal largest values are split evenly.
    """
    along = check_pair("scatter_reduce", input, dim, index)
    part = _source("scatter_reduce", input, index, src)
    if reduce in ("prod", "amax", "amin"):
        return _compared(input, along, index, part, reduce, include_self)
    if reduce not in ("sum", "mean"):
        raise RangeError(f"scatter_reduce: reduce={reduce!r} is none of sum, mean, prod, amax, amin")
    ones = from_array(np.ones(index.shape, np.int64))
    count = _added(input, index, ones, along)
    total = _added(input, index, part, along)
    if include_self:
        total, count = total + input, count + 1
    if reduce == "mean":
        share = where(count > 0, count, 1)
        total = total / share.to(input.dtype) if input.dtype.kind == "f" else p.floor_divide(total, share.to(input.dtype))
    return total if include_self else where(count > 0, total, input)


def _compared(x: Tensor, along: int, index: Tensor, part: Tensor, reduce: str, include_self: bool) -> Tensor:
    """Reduced over a row of candidates per place: what it holds, and each of ``part``, neutral where it goes elsewhere."""
    if x.ndim == 0:
        return reshape(_compared(reshape(x, 1), 0, reshape(index, -1), reshape(part, -1), reduce, include_self), ())
    out = copy_for(x, index, part)
    if not index.numel():
        return out
    region: Tensor = p.slice(out, index=tuple(slice(0, n if d != along else None, None) for d, n in enumerate(index.shape)))
    held, to, values = (movedim(t, along, -1) for t in (region, index, part))
    places = from_array(np.arange(held.shape[-1]).reshape(-1, 1))
    here = unsqueeze(to, -2) == places  # (..., n, m)
    named = any(here, -1)
    limits = np.finfo(x.dtype) if x.dtype.kind == "f" else np.iinfo(x.dtype)
    low, high = (-np.inf, np.inf) if x.dtype.kind == "f" else (int(limits.min), int(limits.max))
    reductions: dict[str, tuple[float, Callable[..., Tensor]]] = {
        "prod": (1, product),
        "amax": (low, amax),
        "amin": (high, amin),
    }
    neutral, over = reductions[reduce]
    sent = where(here, unsqueeze(values, -2), neutral)
    candidates = cat([unsqueeze(held, -1), sent], -1) if include_self else sent
    write(region, movedim(where(named, over(candidates, -1), held), -1, along), "scatter_reduce")
    return out


# ---- slices along an axis ----


def _check_slices(name: str, x: Tensor, along: int, index: Tensor, source: Tensor, error: type[Exception]) -> None:
    if source.dtype != x.dtype:
        raise DtypeError(f"{name}: source {source._type()} and input {x._type()} need one dtype")
    wanted = (*x.shape[:along], index.numel(), *x.shape[along + 1 :]) if x.ndim else ()
    if source.shape != wanted:
        raise error(f"{name}: source {source._type()} must have the shape {list(wanted)}, one slice per index")


@numpy_names
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """``input`` with ``alpha`` times the slices of ``source`` added to those along ``dim`` that ``index`` (n,) names."""
    along = check_line("index_add", input, dim, index, RangeError)
    _check_slices("index_add", input, along, index, source, ShapeError)
    scaled = source if alpha == 1 else source * alpha
    if input.ndim == 0:
        return input + scaled
    added: Tensor = p.put_add(scaled, reshape(index, index.numel()), dim=along, size=input.shape[along])
    return input + added


@numpy_names
def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Write the slices of ``source`` to those along ``dim`` that ``index`` (n,) names; of equal ones the last counts."""
    along = check_line("index_copy_", input, dim, index)
    _check_slices("index_copy_", input, along, index, source, IndexOutOfRange)
    if input.ndim == 0:
        return write(input, source, "index_copy_")
    setitem(input, (*(slice(None),) * along, reshape(index, index.numel())), source)
    return input


@numpy_names
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with the slices of ``source`` where ``index`` says; see ``index_copy_``."""
    return index_copy_(copy_for(input, index, source), dim, index, source)


@numpy_names
def index_fill_(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Write one value, a number or a 0-d Tensor, to the slices along ``dim`` that ``index`` (n,) names."""
    along = check_line("index_fill_", input, dim, index)
    filled = filling("index_fill_", input, value)
    if input.ndim == 0:
        return write(input, filled, "index_fill_") if index.numel() else input
    setitem(input, (*(slice(None),) * along, reshape(index, index.numel())), filled)
    return input


@numpy_names
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with one value in the slices along ``dim`` that ``index`` (n,) names."""
    return index_fill_(copy_for(input, index, value), dim, index, value)


# ---- counting through all elements ----


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """``input.flatten()[index] = source``, in place (``+=`` if ``accumulate``); negative places count from the end."""
    check_index("put_", index)
    count = input.numel()
    outside("put_", index, -count, count, f"the {count} elements of {input._type()}", IndexOutOfRange)
    if source.dtype != input.dtype:
        raise DtypeError(f"put_: source {source._type()} and input {input._type()} need one dtype")
    if source.numel() != index.numel():
        raise IndexOutOfRange(f"put_: source {source._type()} and index {index._type()} need equally many elements")
    line = reshape(index, index.numel())
    places, values = where(line < 0, line + count, line), reshape(source, index.numel())
    if accumulate:
        added = p.put_add(values, places, dim=0, size=count)
        return write(input, input + reshape(added, *input.shape), "put_")
    if index.numel():
        region = input if input.ndim else reshape(input, 1)
        write(region, values, "put_", At(places, region.ndim))
    return input


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``source`` at the places that ``index`` names, counting through all elements; see ``put_``."""
    return put_(copy_for(input, index, source), index, source, accumulate)
