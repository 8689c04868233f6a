"""Elementwise primitives: how their rows are declared, arithmetic, and the cast. The other rooms hold the functions of analysis
(``transcendental``), comparison and bits (``compare``), rounding and remainders (``rounding``).

Each row: the numpy function, a rule per argument, the scalar expression, edges. Rules mask with ``where`` and never by
multiplying: ``0 * inf`` is NaN, and a masked-out branch may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..dtypes import bool_
from ..optable import Case, Op, p

__all__ = ["FLAT", "as_bool", "binary", "inf", "kind_of", "like_inputs", "nan", "unary"]

Array = np.ndarray[Any, Any]
DType = np.dtype[Any]
Shapes = Sequence[tuple[int, ...]]

FLAT = "p.where(False, g, 0.0)"
"""The rule of a step: zeros, not None, for a function that is constant between its jumps is differentiable almost everywhere."""


def like_inputs(shapes: Shapes, dtypes: Sequence[DType], params: dict[str, Any]) -> tuple[tuple[int, ...], DType]:
    return np.broadcast_shapes(*shapes), dtypes[-1]


def as_bool(shapes: Shapes, dtypes: Sequence[DType], params: dict[str, Any]) -> tuple[tuple[int, ...], DType]:
    return np.broadcast_shapes(*shapes), bool_


def _as_given(shapes: Shapes, dtypes: Sequence[DType], params: dict[str, Any]) -> tuple[tuple[int, ...], DType]:
    return shapes[0], params["dtype"]


_BROADCASTS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), ()), ((), ()), ((1,), (3, 1)), ((0, 3), (1, 3)),
)  # fmt: skip
_SHAPES: tuple[tuple[int, ...], ...] = ((2, 3), (), (1,), (0, 3), (4, 1))


def unary(
    name: str,
    forward: Callable[..., Any],
    rule: Callable[..., Any] | str | None,
    expr: str,
    *,
    low: float = -2.0,
    high: float = 2.0,
    floats: bool = True,
    **row: Any,
) -> Op:
    cases = tuple(Case(((shape, low, high),)) for shape in _SHAPES)
    promote = (0,) if floats else ()
    return primitive(
        name, forward, args="x", vjp=(rule,), kind="elementwise", result=like_inputs, expr=expr, cases=cases, floats=floats,
        promote=promote, **row,
    )  # fmt: skip


def binary(
    name: str,
    forward: Callable[..., Any],
    rules: tuple[Callable[..., Any] | str | None, Callable[..., Any] | str | None],
    expr: str,
    *,
    x: tuple[float, float] = (-2.0, 2.0),
    y: tuple[float, float] = (-2.0, 2.0),
    result: Any = like_inputs,
    **row: Any,
) -> Op:
    cases = tuple(Case(((a, *x), (b, *y))) for a, b in _BROADCASTS)
    return primitive(
        name, forward, args="x y", vjp=rules, kind="elementwise", result=result, expr=expr, cases=cases, promote=(0, 1), **row
    )


def kind_of(x: Any, y: Any) -> str:
    """The kind of the common dtype of two promoted operands, one of which may be a Python scalar."""
    kind: str = (x if hasattr(x, "dtype") else y).dtype.kind
    return kind


inf, nan = float("inf"), float("nan")

# ---- arithmetic ----

binary("add", np.add, ("g", "g"), "x + y", special=(((inf, 1.0), inf, (1.0, 1.0)),))
binary("sub", np.subtract, ("g", "-g"), "x - y", special=(((1.0, inf), -inf, (1.0, -1.0)),))
binary("mul", np.multiply, ("g * y", "g * x"), "x * y", special=(((0.0, 3.0), 0.0, (3.0, 0.0)),))
binary(
    "div",
    np.true_divide,
    ("g / y", "-(g * out) / y"),
    "x / y",
    y=(0.5, 2.0),
    floats=True,
    special=(((1.0, 0.0), inf, None), ((1.0, inf), 0.0, (0.0, 0.0))),
)


def _pow_base(g: Any, x: Any, y: Any) -> Any:
    return p.where(p.eq(y, 0), 0.0, g * y * p.pow(x, y - 1))  # x**0 is 1 everywhere, 0 included


def _pow_exponent(g: Any, x: Any, y: Any, out: Any) -> Any:
    flat = p.where(p.eq(x, 0), p.ge(y, 0), False)
    if isinstance(x, float):  # a Python scalar: its logarithm must be one too, or it would decide the dtype
        return p.where(flat, 0.0, g * out * float(p.log(x)))
    return p.where(flat, 0.0, g * out * p.log(p.where(flat, 1.0, x)))


def _power(x: Any, y: Any) -> Any:
    if kind_of(x, y) == "b":
        raise TypeError("truth values have no powers")  # numpy would answer int8
    return np.power(x, y)


binary(
    "pow",
    _power,
    (_pow_base, _pow_exponent),
    "x ** y",
    x=(0.5, 2.0),
    special=(((0.0, 0.0), 1.0, (0.0, 0.0)), ((0.0, 2.0), 0.0, (0.0, 0.0)), ((-2.0, 3.0), -8.0, None)),
)
unary("neg", np.negative, "-g", "-x", floats=False, special=(((inf,), -inf, (-1.0,)),))


def _abs_rule(g: Any, x: Any) -> Any:
    return p.where(p.gt(x, 0), g, p.where(p.lt(x, 0), -g, 0.0))


unary("abs", np.absolute, _abs_rule, "fabs(x)", floats=False, special=(((0.0,), 0.0, (0.0,)), ((-inf,), inf, (-1.0,))))

# ---- dtype ----


def _cast(x: Any, *, dtype: DType) -> Array:
    return np.asarray(x).astype(dtype)


primitive(
    "cast",
    _cast,
    args="x",
    params="dtype",
    vjp=("p.cast(g, dtype=x_dtype)",),
    kind="elementwise",
    result=_as_given,
    expr="x",
    cases=tuple(Case(((shape, -2.0, 2.0),), {"dtype": np.dtype(np.float64)}) for shape in _SHAPES),
)
