"""What reductions are made of: a few rows or columns made one, by vectors, with the order of additions that ``reduce.py`` relies on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .memory import OPTIONS
from .vectors import any_of, larger, load, load_some, smaller, splat, store, store_some, total, unordered, where

__all__ = [
    "BLOCK", "add", "closed", "columns", "exact", "max1", "maximum", "min1", "minimum", "row_bottom", "row_sum", "row_top", "scattered",
    "scattered_sum",
]  # fmt: skip

BLOCK = 1024
"""Elements of a row that are summed in the dtype, 16 a lane; blocks are summed in float64 with their errors kept."""


@njit(inline="always", **OPTIONS)
def add(a, b):
    return a + b


@njit(inline="always", **OPTIONS)
def maximum(a, b):
    """NaN stays NaN."""
    return where(unordered(a, a), a, larger(a, b))


@njit(inline="always", **OPTIONS)
def minimum(a, b):
    return where(unordered(a, a), a, smaller(a, b))


@njit(inline="always", **OPTIONS)
def max1(a, b):
    return a if a != a or a >= b else b


@njit(inline="always", **OPTIONS)
def min1(a, b):
    return a if a != a or a <= b else b


@njit(inline="always", **OPTIONS)
def exact(high, low, x):
    """``high + low + x``, what rounding loses kept in ``low``."""
    new = high + x
    back = new - high
    return new, low + ((high - (new - back)) + (x - back))


@njit(inline="always", **OPTIONS)
def closed(high, low):
    return high + low if low - low == 0 else high  # what is lost at inf is no number


# ---- contiguous rows ----


def _row(op: Callable[..., Any], element: Any, size: int, identity: float) -> Any:
    """All of at most ``BLOCK`` elements in a row, in four vectors."""
    lanes = 64 // size
    zero, nothing = element(0), element(identity)

    @njit(**OPTIONS)
    def row(x, n):
        s0 = s1 = s2 = s3 = splat(nothing)
        i = 0
        while i + 4 * lanes <= n:
            at = x + i * size
            s0 = op(s0, load(zero, at))
            s1 = op(s1, load(zero, at + 64))
            s2 = op(s2, load(zero, at + 128))
            s3 = op(s3, load(zero, at + 192))
            i += 4 * lanes
        while i + lanes <= n:
            s0 = op(s0, load(zero, x + i * size))
            i += lanes
        if i < n:
            s1 = op(s1, load_some(nothing, x + i * size, n - i))
        return op(op(s0, s1), op(s2, s3))

    return row


def row_sum(element: Any, size: int) -> Any:
    row = _row(add, element, size, 0.0)

    @njit(**OPTIONS)
    def row_sum(x, n):
        high = low = 0.0
        for start in range(0, n, BLOCK):
            high, low = exact(high, low, np.float64(total(row(x + start * size, min(n - start, BLOCK)), "+")))
        return closed(high, low)

    return row_sum


def row_top(element: Any, size: int) -> Any:
    row = _row(maximum, element, size, -math.inf)

    @njit(**OPTIONS)
    def row_top(x, n):
        best = row(x, n)
        return math.nan if any_of(unordered(best, best)) else np.float64(total(best, ">"))

    return row_top


def row_bottom(element: Any, size: int) -> Any:
    row = _row(minimum, element, size, math.inf)

    @njit(**OPTIONS)
    def row_bottom(x, n):
        best = row(x, n)
        return math.nan if any_of(unordered(best, best)) else np.float64(total(best, "<"))

    return row_bottom


# ---- scattered values ----


def scattered_sum(cast: Any) -> Any:
    @njit(**OPTIONS)
    def scattered_sum(x, n, step):
        high = low = 0.0
        for i in range(n):
            high, low = exact(high, low, np.float64(cast(x + i * step)[0]))
        return closed(high, low)

    return scattered_sum


def scattered(op: Callable[..., Any], cast: Any) -> Any:
    @njit(**OPTIONS)
    def scattered(x, n, step):
        best = np.float64(cast(x)[0])
        for i in range(1, n):
            best = op(best, np.float64(cast(x + i * step)[0]))
        return best

    return scattered


# ---- columns ----


def columns(op: Callable[..., Any], element: Any, size: int) -> Any:
    """``out[j] = x[0, j] op x[1, j] op ...`` of at most ``STRIP`` rows, eight at a time, for ``count`` columns."""
    lanes = 64 // size
    zero = element(0)

    @njit(inline="always", **OPTIONS)
    def eight(at, step, left):
        if left >= lanes:
            a, b, c, d = load(zero, at), load(zero, at + step), load(zero, at + 2 * step), load(zero, at + 3 * step)
            at += 4 * step
            e, f, g, h = load(zero, at), load(zero, at + step), load(zero, at + 2 * step), load(zero, at + 3 * step)
        else:
            a, b = load_some(zero, at, left), load_some(zero, at + step, left)
            c, d = load_some(zero, at + 2 * step, left), load_some(zero, at + 3 * step, left)
            at += 4 * step
            e, f = load_some(zero, at, left), load_some(zero, at + step, left)
            g, h = load_some(zero, at + 2 * step, left), load_some(zero, at + 3 * step, left)
        return op(op(op(a, b), op(c, d)), op(op(e, f), op(g, h)))

    @njit(inline="always", **OPTIONS)
    def one(at, left):
        return load(zero, at) if left >= lanes else load_some(zero, at, left)

    @njit(inline="always", **OPTIONS)
    def put(at, value, left):
        if left >= lanes:
            store(at, value)
        else:
            store_some(at, value, left)

    @njit(**OPTIONS)
    def columns(x, n, step, count, out):
        r = 0
        while r < n:
            whole = r + 8 <= n
            for j in range(0, count, lanes):
                at, to, left = x + r * step + j * size, out + j * size, count - j
                value = eight(at, step, left) if whole else one(at, left)
                put(to, op(one(to, left), value) if r > 0 else value, left)
            r += 8 if whole else 1

    return columns
