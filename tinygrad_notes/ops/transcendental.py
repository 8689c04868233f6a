"""Exponentials, logarithms, roots, circular and hyperbolic functions, the error function.

Slopes are written so that they neither overflow nor cancel: ``1 - x*x`` as ``(1 - x) * (1 + x)``, ``sqrt(x*x + y*y)`` as hypot.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..kernels import vector
from ..optable import p
from .elementwise import binary, inf, unary

__all__: list[str] = []

# ---- exponentials and their kin ----


unary("exp", vector.exp, "g * out", "exp(x)", special=(((1e4,), inf, (inf,)), ((-1e4,), 0.0, (0.0,))))
unary("log", vector.log, "g / x", "log(x)", low=0.3, high=3.0, special=(((0.0,), -inf, (inf,)), ((inf,), inf, (0.0,))))
unary("sqrt", np.sqrt, "g / (out + out)", "sqrt(x)", low=0.3, high=3.0, special=(((0.0,), 0.0, (inf,)),))
unary(
    "tanh",
    vector.tanh,
    "g - g * out * out",  # three array operations; numpy is slow with scalars
    "tanh(x)",
    special=(((0.0,), 0.0, (1.0,)), ((1e4,), 1.0, (0.0,)), ((-inf,), -1.0, (0.0,))),
)
unary(
    "sigmoid",
    vector.sigmoid,
    "g * (out - out * out)",
    "1 / (1 + exp(-x))",
    special=(((0.0,), 0.5, (0.25,)), ((1e4,), 1.0, (0.0,)), ((-1e4,), 0.0, (0.0,)), ((-inf,), 0.0, (0.0,))),
)
unary(
    "logsigmoid",
    vector.logsigmoid,
    "g * p.sigmoid(-x)",
    "fmin(x, 0) - log1p(exp(-fabs(x)))",
    special=(
        ((0.0,), -0.6931471805599453, (0.5,)),
        ((20.0,), -2.061153620314381e-9, (2.0611536181902037e-9,)),
        ((1e4,), 0.0, (0.0,)),
        ((-1e4,), -1e4, (1.0,)),
        ((-inf,), -inf, (1.0,)),
    ),
)
unary("sin", vector.sin, "g * p.cos(x)", "sin(x)", special=(((0.0,), 0.0, (1.0,)),))
unary("cos", vector.cos, "-(g * p.sin(x))", "cos(x)", special=(((0.0,), 1.0, (0.0,)),))

# ---- other bases, and what keeps its digits near 0 ----

_LN2, _LN10 = math.log(2), math.log(10)

unary("exp2", np.exp2, f"g * out * {_LN2!r}", "exp2(x)", special=(((1e4,), inf, (inf,)), ((-inf,), 0.0, (0.0,))))
unary(
    "expm1",
    vector.expm1,
    "g * p.exp(x)",  # out + 1 would have lost the digits of a small slope
    "expm1(x)",
    special=(((1e-20,), 1e-20, (1.0,)), ((-30.0,), -1.0, (9.357622968840175e-14,)), ((-inf,), -1.0, (0.0,))),
)
unary(
    "log2",
    np.log2,
    f"g / (x * {_LN2!r})",
    "log2(x)",
    low=0.3,
    high=3.0,
    special=(((8.0,), 3.0, (0.18033688011112042,)), ((0.0,), -inf, (inf,))),
)
unary(
    "log10",
    np.log10,
    f"g / (x * {_LN10!r})",
    "log10(x)",
    low=0.3,
    high=3.0,
    special=(((1000.0,), 3.0, (0.0004342944819032518,)), ((0.0,), -inf, (inf,))),
)
unary(
    "log1p",
    vector.log1p,
    "g / (x + 1)",
    "log1p(x)",
    low=-0.7,
    high=3.0,
    special=(((1e-20,), 1e-20, (1.0,)), ((-1.0,), -inf, (inf,)), ((inf,), inf, (0.0,))),
)


def _difference(x: Any, y: Any) -> Any:
    """``x - y``; 0 where both are the same infinity."""
    return p.where(p.where(p.eq(x, y), p.eq(p.abs(x), inf), False), 0.0, x - y)


def _logaddexp_x(g: Any, x: Any, y: Any) -> Any:
    return g * p.sigmoid(_difference(x, y))


def _logaddexp_y(g: Any, x: Any, y: Any) -> Any:
    return g * p.sigmoid(_difference(y, x))


binary(
    "logaddexp",
    np.logaddexp,
    (_logaddexp_x, _logaddexp_y),
    "fmax(x, y) + log1p(exp(-fabs(x - y)))",
    floats=True,
    special=(
        ((1.0, 1.0), 1.6931471805599454, (0.5, 0.5)),
        ((1e3, -1e3), 1e3, (1.0, 0.0)),
        ((-inf, 1.0), 1.0, (0.0, 1.0)),
        ((inf, 1.0), inf, (1.0, 0.0)),
        ((inf, inf), inf, (0.5, 0.5)),
        ((-inf, -inf), -inf, (0.5, 0.5)),
    ),
)

# ---- circular functions and their inverses ----

unary("tan", np.tan, "g * (out * out + 1)", "tan(x)", low=-1.2, high=1.2, special=(((0.0,), 0.0, (1.0,)),))
unary(
    "asin",
    np.arcsin,
    "g / p.sqrt((1 - x) * (1 + x))",
    "asin(x)",
    low=-0.9,
    high=0.9,
    special=(((0.0,), 0.0, (1.0,)), ((1.0,), math.pi / 2, (inf,)), ((-1.0,), -math.pi / 2, (inf,))),
)
unary(
    "acos",
    np.arccos,
    "-(g / p.sqrt((1 - x) * (1 + x)))",
    "acos(x)",
    low=-0.9,
    high=0.9,
    special=(((0.0,), math.pi / 2, (-1.0,)), ((1.0,), 0.0, (-inf,))),
)
unary(
    "atan",
    np.arctan,
    "g / (x * x + 1)",
    "atan(x)",
    special=(((0.0,), 0.0, (1.0,)), ((inf,), math.pi / 2, (0.0,))),
)


def _hypot_rule(g: Any, a: Any, out: Any) -> Any:
    return g * (a / p.where(p.eq(out, 0), inf, out))  # slope 0 at the origin


binary(
    "hypot",
    np.hypot,
    (lambda g, x, out: _hypot_rule(g, x, out), lambda g, y, out: _hypot_rule(g, y, out)),
    "hypot(x, y)",
    floats=True,
    special=(((0.0, 0.0), 0.0, (0.0, 0.0)), ((3e30, 4e30), 5e30, (0.6, 0.8)), ((3e-30, -4e-30), 5e-30, (0.6, -0.8))),
)


def _atan2_rule(g: Any, a: Any, x: Any, y: Any) -> Any:
    """``g * a / (x*x + y*y)``, 0 at the origin."""
    r = p.hypot(x, y)
    r = p.where(p.eq(r, 0), inf, r)
    return g * (a / r / r)


binary(
    "atan2",
    np.arctan2,
    (lambda g, x, y: _atan2_rule(g, y, x, y), lambda g, x, y: -_atan2_rule(g, x, x, y)),
    "atan2(x, y)",
    floats=True,
    special=(
        ((0.0, 0.0), 0.0, (0.0, 0.0)),
        ((0.0, -1.0), math.pi, (-1.0, 0.0)),
        ((-0.0, -1.0), -math.pi, (-1.0, 0.0)),
        ((1e30, 1e30), math.pi / 4, (5e-31, -5e-31)),
        ((inf, -inf), 3 * math.pi / 4, None),
    ),
)

# ---- hyperbolic functions and their inverses ----

unary("sinh", np.sinh, "g * p.cosh(x)", "sinh(x)", special=(((0.0,), 0.0, (1.0,)), ((-1e4,), -inf, (inf,))))
unary("cosh", np.cosh, "g * p.sinh(x)", "cosh(x)", special=(((0.0,), 1.0, (0.0,)), ((-1e4,), inf, (-inf,))))
unary(
    "asinh",
    np.arcsinh,
    "g / p.hypot(x, 1.0)",
    "asinh(x)",
    special=(((0.0,), 0.0, (1.0,)), ((1e30,), 69.77070170382217, (1e-30,)), ((-inf,), -inf, (0.0,))),
)
unary(
    "acosh",
    np.arccosh,
    "g / (p.sqrt(x - 1) * p.sqrt(x + 1))",
    "acosh(x)",
    low=1.2,
    high=3.0,
    special=(((1.0,), 0.0, (inf,)), ((1e30,), 69.77070170382217, (1e-30,)), ((inf,), inf, (0.0,))),
)
unary(
    "atanh",
    np.arctanh,
    "g / ((1 - x) * (1 + x))",
    "atanh(x)",
    low=-0.9,
    high=0.9,
    special=(((0.0,), 0.0, (1.0,)), ((1.0,), inf, (inf,)), ((-1.0,), -inf, (inf,))),
)

# ---- the error function ----

_SLOPE_AT_0 = 2 / math.sqrt(math.pi)


def _bell(x: Any) -> Any:
    """``exp(-x*x)`` with all its derivatives 0 from 40 on, where it has long been 0: ``0 * inf`` is NaN."""
    x = p.clamp(x, min=-40.0, max=40.0)
    return p.exp(-(x * x))


unary(
    "erf",
    vector.erf,
    lambda g, x: g * (_bell(x) * _SLOPE_AT_0),
    "erf(x)",
    special=(((0.0,), 0.0, (_SLOPE_AT_0,)), ((1e-20,), 1e-20 * _SLOPE_AT_0, (_SLOPE_AT_0,)), ((-inf,), -1.0, (0.0,))),
)
unary(
    "erfc",
    vector.erfc,
    lambda g, x: g * (_bell(x) * -_SLOPE_AT_0),
    "erfc(x)",
    special=(
        ((0.0,), 1.0, (-_SLOPE_AT_0,)),
        ((5.0,), 1.5374597944280349e-12, (-1.5670866531017336e-11,)),
        ((inf,), 0.0, (0.0,)),
        ((-inf,), 2.0, (0.0,)),
    ),
)
