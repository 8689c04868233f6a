"""Rounding, signs, quotients in whole numbers and their remainders: steps, whose slope is 0 almost everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..optable import p
from .elementwise import FLAT, binary, inf, kind_of, nan, unary

__all__: list[str] = []

# ---- rounding and signs ----


def _round(x: Any) -> Any:
    return np.rint(x) if x.dtype.kind == "f" else np.array(x)  # numpy would make floats of integers


def _sign(x: Any) -> Any:
    return np.array(x) if x.dtype.kind == "b" else np.subtract(np.greater(x, 0), np.less(x, 0), dtype=x.dtype)  # NaN: 0


unary("floor", np.floor, FLAT, "floor(x)", floats=False, special=(((-0.5,), -1.0, (0.0,)), ((inf,), inf, (0.0,))))
unary("ceil", np.ceil, FLAT, "ceil(x)", floats=False, special=(((0.5,), 1.0, (0.0,)), ((-2.0,), -2.0, (0.0,))))
unary("trunc", np.trunc, FLAT, "trunc(x)", floats=False, special=(((-1.5,), -1.0, (0.0,)), ((nan,), nan, (0.0,))))
unary(
    "round",  # to the even one of two that are as near
    _round,
    FLAT,
    "rint(x)",
    floats=False,
    special=(((0.5,), 0.0, (0.0,)), ((1.5,), 2.0, (0.0,)), ((-2.5,), -2.0, (0.0,))),
)
unary(
    "sign",
    _sign,
    FLAT,
    "(x > 0) - (x < 0)",
    floats=False,
    special=(((0.0,), 0.0, (0.0,)), ((-inf,), -1.0, (0.0,)), ((nan,), 0.0, (0.0,))),
)


def _copysign_rule(g: Any, x: Any, out: Any) -> Any:
    return p.where(p.eq(x, 0), 0.0, p.where(p.eq(x, out), g, -g))


binary(
    "copysign",
    np.copysign,
    (_copysign_rule, FLAT),
    "copysign(x, y)",
    floats=True,
    special=(((2.0, -0.0), -2.0, (-1.0, 0.0)), ((-2.0, -inf), -2.0, (1.0, 0.0)), ((0.0, 1.0), 0.0, (0.0, 0.0))),
)

# ---- quotients in whole numbers, and what remains ----


def _dividing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Truth values have no quotient and integers none by 0; numpy would answer int8, and 0."""

    def forward(x: Any, y: Any) -> Any:
        kind = kind_of(x, y)
        if kind == "b":
            raise TypeError("truth values cannot be divided")
        z = function(x, y)
        if kind != "f" and z.size and not np.all(y):
            raise ValueError("integers cannot be divided by 0")
        return z

    return forward


def _trunc_divide(x: Any, y: Any) -> Any:
    return np.trunc(np.true_divide(x, y)) if kind_of(x, y) == "f" else np.floor_divide(np.subtract(x, np.fmod(x, y)), y)


binary(
    "floor_divide",
    _dividing(np.floor_divide),
    (FLAT, FLAT),
    "floor(x / y)",
    y=(0.5, 2.0),
    special=(((-5.0, 3.0), -2.0, (0.0, 0.0)), ((5.0, 0.0), inf, (0.0, 0.0)), ((-5.0, inf), -1.0, (0.0, 0.0))),
)
binary(
    "trunc_divide",
    _dividing(_trunc_divide),
    (FLAT, FLAT),
    "trunc(x / y)",
    y=(0.5, 2.0),
    special=(((-5.0, 3.0), -1.0, (0.0, 0.0)), ((-5.0, 0.0), -inf, (0.0, 0.0)), ((5.0, inf), 0.0, (0.0, 0.0))),
)
binary(
    "remainder",  # of the sign of y
    _dividing(np.remainder),
    ("g", "-(g * p.floor_divide(x, y))"),
    "x - y * floor(x / y)",
    y=(0.5, 2.0),
    special=(
        ((-5.0, 3.0), 1.0, (1.0, 2.0)),
        ((5.0, -3.0), -1.0, (1.0, 2.0)),
        ((5.0, inf), 5.0, (1.0, 0.0)),
        ((-5.0, inf), inf, (1.0, 1.0)),
        ((5.0, 0.0), nan, (1.0, -inf)),
    ),
)
binary(
    "fmod",  # of the sign of x
    _dividing(np.fmod),
    ("g", "-(g * p.trunc_divide(x, y))"),
    "fmod(x, y)",
    y=(0.5, 2.0),
    special=(((-5.0, 3.0), -2.0, (1.0, 1.0)), ((5.0, -3.0), 2.0, (1.0, 1.0)), ((-5.0, inf), -5.0, (1.0, 0.0))),
)
