"""Looking rows up in a table and adding rows into it, its gradient, in the order of the index; running sums."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from . import gates, loops
from .calls import kernel

__all__ = ["add_rows", "cumsum", "gather", "places", "scatter_add", "take_rows"]

Array = np.ndarray[Any, Any]

_NAMES = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}


def take_rows(table: Array, index: Array) -> Array:
    """``table[index[n], :]``; table ``(V, D)``, index ``(N,)`` of integers in [0, V): not checked."""
    name = _NAMES.get(table.dtype) if index.size * table.shape[1] >= gates.TAKE and _packed(table) else None
    if name is None or (call := kernel("indexing", f"take_{name}", "6q")) is None:
        return np.take(table, index, axis=0)
    index = np.ascontiguousarray(index, np.int64)
    out = np.empty((index.size, table.shape[1]), table.dtype)
    call(out.size, id(table), id(index), id(out), *out.shape, table.strides[0])
    return out


def _packed(rows: Array) -> bool:
    """Whether each row is contiguous."""
    return rows.strides[1] == rows.itemsize or rows.shape[1] == 1


def cumsum(x: Array) -> Array:
    """Running sums along the last axis, made in float64. x ``(N, D)``."""
    name = _NAMES.get(x.dtype) if x.size >= gates.CUMSUM else None
    if name is None or (call := kernel("indexing", f"cumsum_{name}", "6q")) is None:
        return np.add.accumulate(x, axis=1, dtype=np.float64 if x.dtype.kind == "f" else x.dtype).astype(x.dtype, copy=False)
    out = np.empty(x.shape, x.dtype)
    call(2 * x.size, id(x), id(out), *x.shape, *x.strides)
    return out


def add_rows(out: Array, index: Array, rows: Array, *, direct: bool = False) -> None:
    """``out[index[n], :] += rows[n, :]``, repeated indices adding up.

    out ``(V, D)``, index ``(N,)`` of integers in [0, V), rows ``(N, D)``. direct: a row may be added to out as it comes, the
    fastest; else the rows of an index are added to each other first, so that their sum's bits do not depend on what out
    holds. Without it, sorting first turns the scattered additions
    into one sum per run of equal indices, 5 to 20 times faster than ``np.add.at`` on rows.
    """
    if rows.size == 0:
        return
    if rows.ndim != 2 and rows.size >= gates.PUT and out.flags.c_contiguous:
        add_rows(out.reshape(out.shape[0], -1), index, rows.reshape(rows.shape[0], -1), direct=direct)
        return
    if rows.size >= gates.PUT and rows.ndim == 2 and rows.dtype == out.dtype and (name := _NAMES.get(out.dtype)):
        call = kernel("indexing", f"put_{name}", "8q") if _packed(out) and _packed(rows) else None
        if call is not None:
            index = np.ascontiguousarray(index, np.int64)
            used, total = index, out
            if not direct:
                used, index = np.unique(index, return_inverse=True)
                total = np.zeros((used.size, rows.shape[1]), rows.dtype)
            call(rows.size, id(total), id(index), id(rows), *rows.shape, total.strides[0], rows.strides[0], total.shape[0])
            if not direct:
                out[used] += total
            return
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    out[ordered[starts]] += np.add.reduceat(rows[order], starts, axis=0)


def places(index: Array, dim: int, shape: tuple[int, ...]) -> Array:
    """Where ``x[..., index[..., j, ...], ...]`` stands in the flattened x of ``shape``; the index may be shorter along other axes."""
    strides = [prod(shape[axis + 1 :]) for axis in range(index.ndim)]
    flat = index.astype(np.int64, copy=False)
    flat = flat if strides[dim] == 1 else flat * strides[dim]
    for axis, step in enumerate(strides):
        n = index.shape[axis]
        if axis != dim and n > 1:
            flat = flat + (np.arange(n) * step).reshape(-1, *(1,) * (index.ndim - axis - 1))
    return flat


def gather(x: Array, index: Array, dim: int) -> Array:
    """``x[..., index[..., j, ...], ...]`` along ``dim``."""
    found = loops.gather(x, index, dim)
    return x.reshape(-1).take(places(index, dim, x.shape)) if found is None else found


def scatter_add(out: Array, index: Array, values: Array, dim: int) -> None:
    """``out[..., index[..., j, ...], ...] += values[..., j, ...]`` along ``dim``; index and values have one shape.

    out is contiguous.
    """
    if not loops.scatter_add(out, index, values, dim):
        np.add.at(out.reshape(-1), places(index, dim, out.shape).reshape(-1), values.reshape(-1))
