"""Kernels over the rows of a matrix: softmax and its logarithm, log-sum-exp, layer normalisation, mean and variance.

A row is read from memory once and worked on in the cache, while the next one is fetched. Threads share whole rows, so a row's
result does not depend on who computes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .memory import OPTIONS, data, f32, f64, i64, share, wide
from .vector_exp import exp
from .vectors import fma, larger, load, load_some, only, prefetch, splat, store, store_some, total

__all__ = ["KERNELS"]

BLOCK = 1024
"""Elements that are summed in the dtype; blocks are summed in float64."""

KERNELS: dict[str, Callable[..., None]] = {}


def _finish(f: Callable[..., Any], element: Any, size: int) -> Any:
    """``out[i] = f(x[i], a, b, weight[i], bias[i])`` over a row; f of vectors."""
    lanes = 64 // size
    zero = element(0)

    @njit(**OPTIONS)
    def finish(x, out, n, a, b, weight, bias):
        a = splat(element(a))
        b = splat(element(b))
        i = 0
        while i + lanes <= n:
            at = i * size
            store(out + at, f(load(zero, x + at), a, b, load(zero, weight + at), load(zero, bias + at)))
            i += lanes
        if i < n:
            at = i * size
            rest = n - i
            y = f(load_some(zero, x + at, rest), a, b, load_some(zero, weight + at, rest), load_some(zero, bias + at, rest))
            store_some(out + at, y, rest)

    return finish


@njit(inline="always", **OPTIONS)
def _times(x, a, b, weight, bias):
    return x * a


@njit(inline="always", **OPTIONS)
def _minus(x, a, b, weight, bias):
    return (x - a) - b


@njit(inline="always", **OPTIONS)
def _standard(x, a, b, weight, bias):
    return (x - a) * b


@njit(inline="always", **OPTIONS)
def _affine(x, a, b, weight, bias):
    return fma((x - a) * b, weight, bias)


def _sums(f: Callable[..., Any], element: Any, size: int) -> Any:
    """``sum_i f(x[i], a)`` over a row, as float64; f of vectors.

    into: where the f are kept, 0 for nowhere; next: what will be read soon.
    """
    lanes = 64 // size
    zero = element(0)

    @njit(**OPTIONS)
    def sums(x, n, a, into, next):
        whole = 0.0
        shift = splat(element(a))
        i = 0
        while i < n:
            end = min(i + BLOCK, n)
            s0 = s1 = s2 = s3 = splat(zero)
            while i + 4 * lanes <= end:
                at = i * size
                y0 = f(load(zero, x + at), shift)
                y1 = f(load(zero, x + at + 64), shift)
                y2 = f(load(zero, x + at + 128), shift)
                y3 = f(load(zero, x + at + 192), shift)
                if into != 0:
                    store(into + at, y0)
                    store(into + at + 64, y1)
                    store(into + at + 128, y2)
                    store(into + at + 192, y3)
                if next != 0:
                    prefetch(next + at)
                    prefetch(next + at + 64)
                    prefetch(next + at + 128)
                    prefetch(next + at + 192)
                s0 += y0
                s1 += y1
                s2 += y2
                s3 += y3
                i += 4 * lanes
            while i + lanes <= end:
                at = i * size
                y0 = f(load(zero, x + at), shift)
                if into != 0:
                    store(into + at, y0)
                s0 += y0
                i += lanes
            if i < end:
                at = i * size
                y0 = f(load_some(zero, x + at, end - i), shift)
                if into != 0:
                    store_some(into + at, y0, end - i)
                s1 += only(y0, end - i)
                i = end
            whole += total((s0 + s1) + (s2 + s3), "+")
        return whole

    return sums


def _top(element: Any, size: int) -> Any:
    """The largest of a row; NaN need not be seen."""
    lanes = 64 // size
    zero, lowest = element(0), element(-math.inf)

    @njit(**OPTIONS)
    def top(x, n):
        m0 = m1 = m2 = m3 = splat(lowest)
        i = 0
        while i + 4 * lanes <= n:
            at = x + i * size
            m0 = larger(load(zero, at), m0)
            m1 = larger(load(zero, at + 64), m1)
            m2 = larger(load(zero, at + 128), m2)
            m3 = larger(load(zero, at + 192), m3)
            i += 4 * lanes
        while i + lanes <= n:
            m0 = larger(load(zero, x + i * size), m0)
            i += lanes
        if i < n:
            m0 = larger(load_some(lowest, x + i * size, n - i), m0)
        return total(larger(larger(m0, m1), larger(m2, m3)), ">")

    return top


@njit(inline="always", **OPTIONS)
def _exp_from(x, a):
    return exp(x - a)


@njit(inline="always", **OPTIONS)
def _plain(x, a):
    return x


@njit(inline="always", **OPTIONS)
def _square_from(x, a):
    return (x - a) * (x - a)


def _softmaxes(name: str, element: Any, cast: Any, size: int) -> None:
    """Arguments: x, out (arrays), rows, n, bytes from row to row of x. out: contiguous."""
    top, exps = _top(element, size), _sums(_exp_from, element, size)
    times, minus = _finish(_times, element, size), _finish(_minus, element, size)

    def softmax(args, tid, nt, team):
        wide()
        block = i64(args)
        x, out, rows, n, step = data(block[0]), data(block[1]), block[2], block[3], block[4]
        start, stop = share(rows, 1, tid, nt)
        for row in range(start, stop):
            here = x + row * step
            there = out + row * n * size
            next = here + step if row + 1 < stop else 0
            whole = exps(here, n, np.float64(top(here, n)), there, next)
            times(there, there, n, 1.0 / whole, 0.0, there, there)

    def log_softmax(args, tid, nt, team):
        wide()
        block = i64(args)
        x, out, rows, n, step = data(block[0]), data(block[1]), block[2], block[3], block[4]
        start, stop = share(rows, 1, tid, nt)
        for row in range(start, stop):
            here = x + row * step
            next = here + step if row + 1 < stop else 0
            highest = np.float64(top(here, n))
            whole = exps(here, n, highest, 0, next)
            minus(here, out + row * n * size, n, highest, math.log(whole), here, here)

    def logsumexp(args, tid, nt, team):
        wide()
        block = i64(args)
        x, out, rows, n, step = data(block[0]), data(block[1]), block[2], block[3], block[4]
        start, stop = share(rows, 1, tid, nt)
        for row in range(start, stop):
            here = x + row * step
            next = here + step if row + 1 < stop else 0
            highest = np.float64(top(here, n))
            if highest - highest != 0:  # inf: nothing is taken from inf
                highest = 0.0
            cast(out)[row] = highest + math.log(exps(here, n, highest, 0, next))

    KERNELS[f"softmax_{name}"] = softmax
    KERNELS[f"log_softmax_{name}"] = log_softmax
    KERNELS[f"logsumexp_{name}"] = logsumexp


def _norms(name: str, element: Any, cast: Any, size: int) -> None:
    """Arguments: x, out, mean, scale, rows, n, bytes from row to row of x, eps, weight, bias. 0: no such array.

    mean and scale, one value a row: what was taken off and what was multiplied with; without out, scale is the variance.
    """
    plain, squares = _sums(_plain, element, size), _sums(_square_from, element, size)
    standard, affine = _finish(_standard, element, size), _finish(_affine, element, size)

    def layer_norm(args, tid, nt, team):
        wide()
        block = i64(args)
        x, out, mean, scale = data(block[0]), data(block[1]), block[2], block[3]
        rows, n, step, eps = block[4], block[5], block[6], f64(args)[7]
        start, stop = share(rows, 1, tid, nt)
        for row in range(start, stop):
            here = x + row * step
            next = here + step if row + 1 < stop else 0
            center = np.float64(element(plain(here, n, 0.0, 0, 0) / n))
            spread = 1.0 / math.sqrt(squares(here, n, center, 0, next) / n + eps)
            if block[8] != 0:
                affine(here, out + row * n * size, n, center, spread, data(block[8]), data(block[9]))
            else:
                standard(here, out + row * n * size, n, center, spread, here, here)
            if mean != 0:
                cast(data(mean))[row] = center
                cast(data(scale))[row] = spread

    def moments(args, tid, nt, team):
        wide()
        block = i64(args)
        x, mean, variance = data(block[0]), cast(data(block[1])), cast(data(block[2]))
        rows, n, step, freedom = block[3], block[4], block[5], f64(args)[6]
        start, stop = share(rows, 1, tid, nt)
        for row in range(start, stop):
            here = x + row * step
            next = here + step if row + 1 < stop else 0
            center = plain(here, n, 0.0, 0, 0) / n
            mean[row] = center
            variance[row] = squares(here, n, center, 0, next) / max(n - freedom, 0.0)

    KERNELS[f"layer_norm_{name}"] = layer_norm
    KERNELS[f"moments_{name}"] = moments


for _name, _element, _cast, _size in (("f32", np.float32, f32, 4), ("f64", np.float64, f64, 8)):
    _softmaxes(_name, _element, _cast, _size)
    _norms(_name, _element, _cast, _size)
