"""Pooling: the largest or the mean of the values in each window.

Every kind is the same two steps: windows as columns ``(N, C, K, L)``, then one number of each K. Adaptive windows, whose
lengths differ, are columns too, their gaps masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any

import numpy as np

from ...errors import RangeError, ShapeError
from ...functions import pointwise, reduce
from ...functions.padding import pad
from ...functions.shape import permute, reshape, squeeze
from ...optable import p
from ...tensor import Tensor, from_array
from .windows import Shape, batch_of_one, columns, fit, per_axis

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool2d", "max_pool3d",
]  # fmt: skip

Sizes = int | Sequence[int]
Line = tuple[tuple[int, ...], ...]
Table = np.ndarray[Any, np.dtype[np.int64]]


# ---- the largest value ----


def max_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of each window; its gradient goes to the first place where it stands.

    input           ``(N, C, L)`` or ``(C, L)``
    stride          default: the window's length
    padding         with -inf at both ends, at most half a window
    ceil_mode       with a last window that reaches beyond the end
    return_indices  with the place of each largest value in its channel, counted along the flattened axes
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """``max_pool1d`` over two axes. input ``(N, C, H, W)`` or ``(C, H, W)``."""
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """``max_pool1d`` over three axes. input ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max_pool(
    name: str, axes: int, input: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, dilation: Sizes,
    ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    x, single = batch_of_one(name, input, axes)
    size, step, around = _geometry(name, axes, kernel_size, stride, padding)
    apart = per_axis(name, "dilation", dilation, axes)
    counts, ends = _padded(name, x, size, step, around, apart, ceil_mode)
    padded = pad(x.detach(), ends, value=_lowest(x)) if any(ends) else x.detach()
    found, _ = columns(padded, size, step, apart)
    lines = tuple(_line(*axis) for axis in zip(x.shape[2:], counts, size, step, apart, around, strict=True))
    if () in lines:
        raise ShapeError(f"{name}: a window lies in the padding of {x._type()} altogether; it has no largest value")
    return _picked(x, found, counts, _places(lines, x.shape[2:]), single, return_indices)


def _lowest(x: Tensor) -> float:
    return float("-inf") if x.dtype.kind == "f" else int(np.iinfo(x.dtype).min)


def _picked(x: Tensor, found: Tensor, counts: Shape, places: Table, single: bool, return_indices: bool) -> Any:
    """The largest of columns ``found``, read from ``x`` itself; ``places`` ``(K, L)`` says where in x a column's values stand."""
    at = p.argmax(found, dim=2, keepdim=False)
    index = p.take(from_array(places.reshape(-1)), at * places.shape[1] + from_array(np.arange(places.shape[1])), dim=0)
    flat = reshape(x, *x.shape[:2], prod(x.shape[2:]))
    results = [reshape(part, *x.shape[:2], *counts) for part in (p.gather(flat, index, dim=2), index)]
    if single:
        results = [squeeze(part, 0) for part in results]
    return (results[0], results[1]) if return_indices else results[0]


@cache
def _line(length: int, count: int, size: int, step: int, dilation: int, around: int) -> Line:
    """Along one axis: the place of each of ``size`` values of each of ``count`` windows, as ``size`` rows. Where padding stands
    in front, the window's first place: what counts if all its values are -inf. Nothing if a window has no place at all."""
    table = np.arange(size)[:, None] * dilation + np.arange(count) * step - around
    first = np.where((table >= 0) & (table < length), table, length).min(0)
    return () if (first == length).any() else tuple(map(tuple, np.where(table < 0, first, table).tolist()))


@cache
def _places(lines: tuple[Line, ...], lengths: Shape) -> Table:
    """Places along each axis as places along the flattened axes, ``(K, L)``."""
    total = np.zeros((1, 1), np.int64)
    for line, length in zip(lines, lengths, strict=True):
        table = np.array(line, np.int64)
        rows, count = (n * m for n, m in zip(total.shape, table.shape, strict=True))
        total = (total[:, None, :, None] * length + table[:, None, :]).reshape(rows, count)
    return total


# ---- the mean ----


def avg_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each window.

    input              ``(N, C, L)`` or ``(C, L)``
    stride             default: the window's length
    padding            with zeros at both ends, at most half a window
    ceil_mode          with a last window that reaches beyond the end
    count_include_pad  the zeros of the padding count
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """``avg_pool1d`` over two axes. input ``(N, C, H, W)`` or ``(C, H, W)``; divisor_override: divide every sum by it."""
    return _avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """``avg_pool1d`` over three axes. input ``(N, C, D, H, W)`` or ``(C, D, H, W)``; divisor_override: divide by it."""
    return _avg_pool("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _avg_pool(
    name: str, axes: int, input: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, ceil_mode: bool,
    count_include_pad: bool, divisor: int | None,
) -> Tensor:  # fmt: skip
    if divisor == 0:
        raise RangeError(f"{name}: divisor_override must not be 0")
    x, single = batch_of_one(name, input, axes)
    size, step, around = _geometry(name, axes, kernel_size, stride, padding)
    ones = (1,) * axes
    counts, ends = _padded(name, x, size, step, around, ones, ceil_mode)
    found, _ = columns(pad(x, ends) if any(ends) else x, size, step, ones)
    total = reshape(reduce.sum(found, 2), *x.shape[:2], *counts)
    if divisor is None and any(ends):
        shares = _counted(x.shape[2:], size, step, around, counts, count_include_pad)
        out: Tensor = total / from_array(shares.astype(x.dtype))
    else:
        out = total / (divisor or prod(size))
    return squeeze(out, 0) if single else out


def _counted(lengths: Shape, size: Shape, step: Shape, around: Shape, counts: Shape, include_pad: bool) -> Table:
    """How many places each window has: inside the axis, with or without the padding, never what lies beyond that."""
    total = np.ones((), np.int64)
    for length, k, s, a, count in zip(lengths, size, step, around, counts, strict=True):
        start = np.arange(count) * s - a
        low, high = (-a, length + a) if include_pad else (0, length)
        total = np.multiply.outer(total, np.minimum(start + k, high) - np.maximum(start, low))
    return total


# ---- adaptive windows ----


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of ``output_size`` windows that cover ``(N, C, L)`` or ``(C, L)``: the i-th from ``floor(i L / n)`` to
    ``ceil((i + 1) L / n)``; None keeps a length."""
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """``adaptive_avg_pool1d`` over two axes. input ``(N, C, H, W)`` or ``(C, H, W)``."""
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """``adaptive_avg_pool1d`` over three axes. input ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""
    return _adaptive_avg("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest value of the windows of ``adaptive_avg_pool1d``; indices as of ``max_pool1d``."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool1d`` over two axes. input ``(N, C, H, W)`` or ``(C, H, W)``."""
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool1d`` over three axes. input ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)


def _adaptive_avg(name: str, axes: int, input: Tensor, output_size: Any) -> Tensor:
    x, single = batch_of_one(name, input, axes)
    lines, counts = _bins(name, x, axes, output_size)
    found, inside = _taken(x, lines, 0.0)
    out = reshape(reduce.sum(found, 2) / from_array(inside.sum(0).astype(x.dtype)), *x.shape[:2], *counts)
    return squeeze(out, 0) if single else out


def _adaptive_max(name: str, axes: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    x, single = batch_of_one(name, input, axes)
    lines, counts = _bins(name, x, axes, output_size)
    found, _ = _taken(x.detach(), lines, _lowest(x))
    return _picked(x, found, counts, _places(lines, x.shape[2:]), single, return_indices)


def _bins(name: str, x: Tensor, axes: int, output_size: Any) -> tuple[tuple[Line, ...], Shape]:
    """Along each axis: the places of each window, as rows; -1 where a window is shorter than the longest."""
    given = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * axes
    lengths = x.shape[2:]
    counts = (
        tuple(n if wanted is None else wanted for n, wanted in zip(lengths, given, strict=True)) if len(given) == axes else ()
    )
    if not counts or min(counts) < 1 or 0 in lengths:
        raise ShapeError(
            f"{name}: output_size={output_size} must be a length, or one for each of the last {axes} axes of {x._type()}"
        )
    lines = []
    for length, count in zip(lengths, counts, strict=True):
        bins = [range(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
        lines.append(tuple(tuple(b[at] if at < len(b) else -1 for b in bins) for at in range(max(map(len, bins)))))
    return tuple(lines), counts


def _taken(x: Tensor, lines: tuple[Line, ...], gap: float) -> tuple[Tensor, np.ndarray[Any, Any]]:
    """Columns ``(N, C, K, L)`` of windows of unequal lengths, ``gap`` where they end early; and where they do not."""
    inside = np.ones((), bool)
    for axis, line in enumerate(lines):
        table = np.array(line, np.int64)
        x = p.take(x, from_array(np.maximum(table, 0)), dim=2 + 2 * axis)
        inside = np.multiply.outer(inside, table >= 0)
    count = len(lines)
    order = (*range(0, 2 * count, 2), *range(1, 2 * count, 2))
    sizes = [len(line) for line in lines], [len(line[0]) for line in lines]
    mask = inside.transpose(order).reshape(prod(sizes[0]), prod(sizes[1]))
    found = reshape(permute(x, 0, 1, *(2 + d for d in order)), *x.shape[:2], *mask.shape)
    return (found if mask.all() else pointwise.where(from_array(mask), found, gap)), mask


# ---- sizes ----


def _geometry(name: str, axes: int, kernel_size: Sizes, stride: Sizes | None, padding: Sizes) -> tuple[Shape, Shape, Shape]:
    size = per_axis(name, "kernel_size", kernel_size, axes)
    step = size if stride is None or stride == () else per_axis(name, "stride", stride, axes)
    return size, step, per_axis(name, "padding", padding, axes, 0)


def _padded(
    name: str, x: Tensor, size: Shape, step: Shape, around: Shape, dilation: Shape, ceil_mode: bool
) -> tuple[Shape, list[int]]:
    """How many windows there are along each axis, and what ``pad`` must add for them to fit."""
    counts, ends = [], []
    for length, k, s, a, d in zip(x.shape[2:], size, step, around, dilation, strict=True):
        span = d * (k - 1) + 1
        if 2 * a > span:
            raise RangeError(f"{name}: padding={a} must be at most half of the window, which spans {span}")
        rest = length + 2 * a - span
        count = (-(-rest // s) if ceil_mode else rest // s) + 1
        if ceil_mode and (count - 1) * s >= length + a:  # a window starts inside the axis or its padding in front
            count -= 1
        counts.append(count)
        ends.append((a, max(a, (count - 1) * s + span - length - a)))
    if min(counts) < 1:
        fit(name, x, size, dilation, tuple(n + 2 * a for n, a in zip(x.shape[2:], around, strict=True)))
    return tuple(counts), [n for pair in reversed(ends) for n in pair]
