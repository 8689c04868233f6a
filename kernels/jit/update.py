"""Optimizers' steps in one pass over memory: parameter, gradient and running means are read once and written once.

All arrays are contiguous and of one dtype. Numbers come as float64 and are rounded to that dtype once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .memory import OPTIONS, data, f64, i64, share, wide
from .vectors import fma, larger, load, load_some, splat, sqrt, store, store_some, unordered, where

__all__ = ["KERNELS"]

UNIT = 1024
"""Elements that no split divides: whole vectors and cache lines."""

KERNELS: dict[str, Callable[..., None]] = {}


def _adam(name: str, element: Any, size: int, amsgrad: bool) -> None:
    """Arguments: n, p, g, m, v, top (arrays; top only for AMSGrad), then of float64: sign, penalty, kept, new1, beta2, new2, rate, floor.

    ``g = sign g + penalty p; p = kept p; m += (g - m) new1; v = beta2 v + g g new2; p -= rate m / (sqrt(v) + floor)``
    """
    lanes = 64 // size
    zero = element(0)

    @njit(inline="always", **OPTIONS)
    def step(p, g, m, v, top, sign, penalty, kept, new1, beta2, new2, rate, floor):
        g = fma(p, penalty, g * sign)
        m = m + (g - m) * new1
        v = v * beta2 + g * g * new2
        top = where(unordered(v, v), v, larger(top, v)) if amsgrad else v
        return p * kept - rate * m / (sqrt(top) + floor), m, v, top

    def adam(args, tid, nt, team):
        wide()
        block = i64(args)
        n = block[0]
        p, g, m, v = data(block[1]), data(block[2]), data(block[3]), data(block[4])
        top = data(block[5]) if amsgrad else v
        numbers = f64(args)
        sign, penalty, kept = splat(element(numbers[6])), splat(element(numbers[7])), splat(element(numbers[8]))
        new1, beta2, new2 = splat(element(numbers[9])), splat(element(numbers[10])), splat(element(numbers[11]))
        rate, floor = splat(element(numbers[12])), splat(element(numbers[13]))
        start, stop = share(n, UNIT, tid, nt)
        i = start
        while i + lanes <= stop:
            at = i * size
            p1, m1, v1, t1 = step(
                load(zero, p + at), load(zero, g + at), load(zero, m + at), load(zero, v + at), load(zero, top + at),
                sign, penalty, kept, new1, beta2, new2, rate, floor,
            )  # fmt: skip
            store(p + at, p1)
            store(m + at, m1)
            store(v + at, v1)
            if amsgrad:
                store(top + at, t1)
            i += lanes
        if i < stop:
            at = i * size
            c = stop - i
            p1, m1, v1, t1 = step(
                load_some(zero, p + at, c), load_some(zero, g + at, c), load_some(zero, m + at, c), load_some(zero, v + at, c),
                load_some(zero, top + at, c), sign, penalty, kept, new1, beta2, new2, rate, floor,
            )  # fmt: skip
            store_some(p + at, p1, c)
            store_some(m + at, m1, c)
            store_some(v + at, v1, c)
            if amsgrad:
                store_some(top + at, t1, c)

    KERNELS[f"{'amsgrad' if amsgrad else 'adam'}_{name}"] = adam


def _sgd(name: str, element: Any, size: int, held: bool, nesterov: bool) -> None:
    """Arguments: n, p, g, b (arrays; b only where it is ``held``), then of float64: sign, penalty, momentum, share, rate.

    ``g = sign g + penalty p; b = momentum b + share g; p -= rate b``, ``rate g`` where b is not held, with
    Nesterov ``p -= rate (g + momentum b)``
    """
    lanes = 64 // size
    zero = element(0)

    @njit(inline="always", **OPTIONS)
    def step(p, g, b, sign, penalty, momentum, fresh, rate):
        g = fma(p, penalty, g * sign)
        b = b * momentum + g * fresh if held else g
        if nesterov:
            return p - rate * (g + momentum * b), b
        return p - rate * b, b

    def sgd(args, tid, nt, team):
        wide()
        block = i64(args)
        n, p, g = block[0], data(block[1]), data(block[2])
        b = data(block[3]) if held else g
        numbers = f64(args)
        sign, penalty, momentum = splat(element(numbers[4])), splat(element(numbers[5])), splat(element(numbers[6]))
        fresh, rate = splat(element(numbers[7])), splat(element(numbers[8]))
        start, stop = share(n, UNIT, tid, nt)
        i = start
        while i < stop:
            at = i * size
            if i + lanes <= stop:
                p1, b1 = step(load(zero, p + at), load(zero, g + at), load(zero, b + at), sign, penalty, momentum, fresh, rate)
                store(p + at, p1)
                if held:
                    store(b + at, b1)
            else:
                c = stop - i
                p1, b1 = step(
                    load_some(zero, p + at, c), load_some(zero, g + at, c), load_some(zero, b + at, c),
                    sign, penalty, momentum, fresh, rate,
                )  # fmt: skip
                store_some(p + at, p1, c)
                if held:
                    store_some(b + at, b1, c)
            i += lanes

    KERNELS[f"{'nesterov' if nesterov else 'momentum' if held else 'descent'}_{name}"] = sgd


for _name, _element, _size in (("f32", np.float32, 4), ("f64", np.float64, 8)):
    for _amsgrad in (False, True):
        _adam(_name, _element, _size, _amsgrad)
    for _held, _nesterov in ((False, False), (True, False), (True, True)):
        _sgd(_name, _element, _size, _held, _nesterov)
