"""Comparison, choice, the larger and the smaller of two, and bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..kernels.fused import kernel
from ..optable import Case
from .elementwise import as_bool, binary, inf, kind_of, like_inputs, nan, unary

__all__: list[str] = []

# ---- comparison and choice ----

for _name, _compare, _sign in (
    ("eq", np.equal, "=="), ("ne", np.not_equal, "!="), ("lt", np.less, "<"),
    ("le", np.less_equal, "<="), ("gt", np.greater, ">"), ("ge", np.greater_equal, ">="),
):  # fmt: skip
    binary(
        _name, _compare, (None, None), f"x {_sign} y", x=(-1, 2), y=(-1, 2), result=as_bool,
        special=(((nan, nan), float(_name == "ne"), None),),
    )  # fmt: skip


_choice = kernel("p.where(condition, x, y)", ("condition", "x", "y"), np.where)
"""numpy branches at every element, which random masks make slow."""


def _where(condition: Any, x: Any, y: Any) -> Any:
    if type(x) is int or type(y) is int:  # np.where would wrap an integer that the dtype of the other cannot hold
        x, y = _fitting(x, y), _fitting(y, x)
    large = isinstance(condition, np.ndarray) and condition.size >= _choice.gate
    return (_choice.run if large else np.where)(condition, x, y)


def _fitting(x: Any, other: Any) -> Any:
    return other.dtype.type(x) if type(x) is int and hasattr(other, "dtype") else x


primitive(
    "where",
    _where,
    args="condition x y",
    vjp=(None, "p.where(condition, g, 0.0)", "p.where(condition, 0.0, g)"),
    kind="elementwise",
    result=like_inputs,
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

# ---- the larger and the smaller ----

# equal values share the gradient; a NaN, which numpy hands on, hands it all to both
for _name, _larger, _wins in (("maximum", np.maximum, "gt"), ("minimum", np.minimum, "lt")):
    binary(
        _name,
        _larger,
        (
            f"p.where(p.eq(x, y), g * 0.5, p.where(p.{_wins}(y, x), 0.0, g))",
            f"p.where(p.eq(x, y), g * 0.5, p.where(p.{_wins}(x, y), 0.0, g))",
        ),
        f"x if x {'>' if _wins == 'gt' else '<'} y or x != x else y",
        special=(
            ((2.0, 2.0), 2.0, (0.5, 0.5)),
            ((-inf, 1.0), 1.0 if _wins == "gt" else -inf, (0.0, 1.0) if _wins == "gt" else (1.0, 0.0)),
            ((nan, 1.0), nan, (1.0, 1.0)),
            ((1.0, nan), nan, (1.0, 1.0)),
        ),
    )


_positive = kernel("p.where(p.le(x, 0.0), 0.0, x)", ("x",), lambda x: np.maximum(x, 0))


def _relu(x: Any) -> Any:
    return _positive.run(x) if np.size(x) >= _positive.gate else np.maximum(x, 0)


unary(
    "relu",
    _relu,
    "p.where(p.le(out, 0.0), 0.0, g)",  # the slope at 0 is 0
    "0 if x <= 0 else x",
    floats=False,
    special=(((0.0,), 0.0, (0.0,)), ((nan,), nan, (1.0,)), ((-inf,), 0.0, (0.0,)), ((inf,), inf, (1.0,))),
)


def _clamp(x: Any, *, min: Any, max: Any) -> Any:
    above = x if min is None else np.maximum(x, min)
    return above if max is None else np.minimum(above, max)


primitive(
    "clamp",
    _clamp,
    args="x",
    params="min max",  # numbers, min <= max, not both None
    vjp=("p.where(p.eq(x, out), g, 0.0)",),  # where x stayed what it was, which it does at a bound
    kind="elementwise",
    result=like_inputs,
    expr="fmin(fmax(x, min), max)",
    cases=tuple(
        Case(((shape, -2.0, 2.0),), {"min": low, "max": high})
        for shape, low, high in (((2, 3), 0, 1), ((2, 3), None, 1), ((4,), 0, None), ((), 0, 1), ((0, 3), 0, 1))
    ),
)

# ---- bits ----


def _on_bits(function: Callable[..., Any], bools: bool = True) -> Callable[..., Any]:
    def forward(x: Any, y: Any) -> Any:
        kind = kind_of(x, y)
        if kind == "f" or (kind == "b" and not bools):
            raise TypeError("floats are no bits" if kind == "f" else "truth values cannot be shifted")  # numpy: int8
        return function(x, y)

    return forward


for _name, _forward, _sign, _high in (
    ("bitwise_and", _on_bits(np.bitwise_and), "&", 9),
    ("bitwise_or", _on_bits(np.bitwise_or), "|", 9),
    ("bitwise_xor", _on_bits(np.bitwise_xor), "^", 9),
    ("bitwise_left_shift", _on_bits(np.left_shift, bools=False), "<<", 3),
    ("bitwise_right_shift", _on_bits(np.right_shift, bools=False), ">>", 3),
):
    binary(_name, _forward, (None, None), f"x {_sign} y", x=(-9, 9), y=(0, _high))
