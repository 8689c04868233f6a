"""Elementwise primitives. Each row: the numpy function, a rule per argument, the scalar expression, edges.

Rules mask with ``where`` and never by multiplying: ``0 * inf`` is NaN, and a masked-out branch may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..dtypes import bool_
from ..kernels import vector
from ..optable import Case, Op, p

__all__: list[str] = []

Array = np.ndarray[Any, Any]
DType = np.dtype[Any]
Shapes = Sequence[tuple[int, ...]]


def _like_inputs(shapes: Shapes, dtypes: Sequence[DType], params: dict[str, Any]) -> tuple[tuple[int, ...], DType]:
    return np.broadcast_shapes(*shapes), dtypes[-1]


def _as_bool(shapes: Shapes, dtypes: Sequence[DType], params: dict[str, Any]) -> tuple[tuple[int, ...], DType]:
    return np.broadcast_shapes(*shapes), bool_


def _as_given(shapes: Shapes, dtypes: Sequence[DType], params: dict[str, Any]) -> tuple[tuple[int, ...], DType]:
    return shapes[0], params["dtype"]


_BROADCASTS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), ()), ((), ()), ((1,), (3, 1)), ((0, 3), (1, 3)),
)  # fmt: skip
_SHAPES: tuple[tuple[int, ...], ...] = ((2, 3), (), (1,), (0, 3), (4, 1))


def _unary(
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
        name, forward, args="x", vjp=(rule,), kind="elementwise", result=_like_inputs, expr=expr, cases=cases, floats=floats,
        promote=promote, **row,
    )  # fmt: skip


def _binary(
    name: str,
    forward: Callable[..., Any],
    rules: tuple[Callable[..., Any] | str | None, Callable[..., Any] | str | None],
    expr: str,
    *,
    x: tuple[float, float] = (-2.0, 2.0),
    y: tuple[float, float] = (-2.0, 2.0),
    result: Any = _like_inputs,
    **row: Any,
) -> Op:
    cases = tuple(Case(((a, *x), (b, *y))) for a, b in _BROADCASTS)
    return primitive(
        name, forward, args="x y", vjp=rules, kind="elementwise", result=result, expr=expr, cases=cases, promote=(0, 1), **row
    )


inf, nan = float("inf"), float("nan")

# ---- arithmetic ----

_binary("add", np.add, ("g", "g"), "x + y", special=(((inf, 1.0), inf, (1.0, 1.0)),))
_binary("sub", np.subtract, ("g", "-g"), "x - y", special=(((1.0, inf), -inf, (1.0, -1.0)),))
_binary("mul", np.multiply, ("g * y", "g * x"), "x * y", special=(((0.0, 3.0), 0.0, (3.0, 0.0)),))
_binary(
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


_binary(
    "pow",
    np.power,
    (_pow_base, _pow_exponent),
    "x ** y",
    x=(0.5, 2.0),
    special=(((0.0, 0.0), 1.0, (0.0, 0.0)), ((0.0, 2.0), 0.0, (0.0, 0.0)), ((-2.0, 3.0), -8.0, None)),
)
_unary("neg", np.negative, "-g", "-x", floats=False, special=(((inf,), -inf, (-1.0,)),))


def _abs_rule(g: Any, x: Any) -> Any:
    return p.where(p.gt(x, 0), g, p.where(p.lt(x, 0), -g, 0.0))


_unary("abs", np.absolute, _abs_rule, "fabs(x)", floats=False, special=(((0.0,), 0.0, (0.0,)), ((-inf,), inf, (-1.0,))))
_unary("floor", np.floor, None, "floor(x)", floats=False, special=(((-0.5,), -1.0, None),))

# ---- exponentials and their kin ----


def _logsigmoid(x: Any) -> Any:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.absolute(x)))


_unary("exp", np.exp, "g * out", "exp(x)", special=(((1e4,), inf, (inf,)), ((-1e4,), 0.0, (0.0,))))
_unary("log", np.log, "g / x", "log(x)", low=0.3, high=3.0, special=(((0.0,), -inf, (inf,)), ((inf,), inf, (0.0,))))
_unary("sqrt", np.sqrt, "g / (out + out)", "sqrt(x)", low=0.3, high=3.0, special=(((0.0,), 0.0, (inf,)),))
_unary(
    "tanh",
    vector.tanh,
    "g - g * out * out",  # three array operations; numpy is slow with scalars
    "tanh(x)",
    special=(((0.0,), 0.0, (1.0,)), ((1e4,), 1.0, (0.0,)), ((-inf,), -1.0, (0.0,))),
)
_unary(
    "sigmoid",
    vector.sigmoid,
    "g * (out - out * out)",
    "1 / (1 + exp(-x))",
    special=(((0.0,), 0.5, (0.25,)), ((1e4,), 1.0, (0.0,)), ((-1e4,), 0.0, (0.0,)), ((-inf,), 0.0, (0.0,))),
)
_unary(
    "logsigmoid",
    _logsigmoid,
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
_unary("sin", np.sin, "g * p.cos(x)", "sin(x)", special=(((0.0,), 0.0, (1.0,)),))
_unary("cos", np.cos, "-(g * p.sin(x))", "cos(x)", special=(((0.0,), 1.0, (0.0,)),))

# ---- comparison and choice ----

for _name, _function, _sign in (
    ("eq", np.equal, "=="), ("ne", np.not_equal, "!="), ("lt", np.less, "<"),
    ("le", np.less_equal, "<="), ("gt", np.greater, ">"), ("ge", np.greater_equal, ">="),
):  # fmt: skip
    _binary(
        _name, _function, (None, None), f"x {_sign} y", x=(-1, 2), y=(-1, 2), result=_as_bool,
        special=(((nan, nan), float(_name == "ne"), None),),
    )  # fmt: skip

primitive(
    "where",
    np.where,
    args="condition x y",
    vjp=(None, "p.where(condition, g, 0.0)", "p.where(condition, 0.0, g)"),
    kind="elementwise",
    result=_like_inputs,
    expr="x if condition else y",
    promote=(1, 2),
    cases=tuple(
        Case(((c, None, None), (x, -2.0, 2.0), (y, -2.0, 2.0)))
        for c, x, y in (
            ((2, 3), (2, 3), (2, 3)),
            ((3,), (2, 3), ()),
            ((2, 1), (1, 3), (2, 3)),
            ((), (), (2,)),
            ((0, 1), (3,), ()),
        )
    ),
    special=(((1.0, 2.0, inf), 2.0, (0.0, 1.0, 0.0)), ((0.0, nan, 2.0), 2.0, (0.0, 0.0, 1.0))),
)

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
