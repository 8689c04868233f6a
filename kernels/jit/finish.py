"""What is done to the rows of a matrix product while they are still in the first cache: a bias added, an activation applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from . import scalar
from .memory import OPTIONS, f32, f64, wide

__all__ = ["ACTIVATIONS", "KERNELS"]


def _none(kind: Any) -> Any:
    @njit(**OPTIONS)
    def same(x):
        return x

    return same


def _relu(kind: Any) -> Any:
    zero = kind(0)

    @njit(**OPTIONS)
    def relu(x):
        return zero if x <= zero else x  # NaN stays NaN

    return relu


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "none": _none,
    "relu": _relu,
    "tanh": lambda kind: scalar.tanh,
    "sigmoid": lambda kind: scalar.sigmoid,
}
"""Scalar functions by name, each made for a type of numpy."""


def _finisher(f: Any, cast: Any) -> Callable[[int, int, int, int], None]:
    """``rows[m, n] = f(rows[m, n] + bias[n])``: address of the rows, bytes from row to row, ``m << 32 | n``, address of the bias or 0."""

    def finish(rows, stride, shape, bias):
        wide()
        columns = shape & 0xFFFFFFFF
        for m in range(shape >> 32):
            row = cast(rows + m * stride)
            if bias == 0:
                for n in range(columns):
                    row[n] = f(row[n])
            else:
                add = cast(bias)
                for n in range(columns):
                    row[n] = f(row[n] + add[n])

    return finish


KERNELS = {
    f"{name}_{kind}": _finisher(make(number), cast)
    for name, make in ACTIVATIONS.items()
    for kind, number, cast in (("f32", np.float32, f32), ("f64", np.float64, f64))
}
