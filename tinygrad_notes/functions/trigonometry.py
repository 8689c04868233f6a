"""Circular and hyperbolic functions and their inverses under PyTorch's names; angles in radians."""

from __future__ import annotations

import math
from typing import Any

from ..optable import p
from ..tensor import Tensor
from .arguments import row, some_floats
from .pointwise import mul

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2",
    "atanh", "cos", "cosh", "deg2rad", "hypot", "rad2deg", "sin", "sinh", "tan",
]  # fmt: skip

METHODS = (
    "acos acosh arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh cos cosh deg2rad hypot rad2deg sin "
    "sinh tan"
)
INPLACE = METHODS

sin, cos, tan = row("sin"), row("cos"), row("tan")
asin, acos, atan, atan2 = row("asin"), row("acos"), row("atan"), row("atan2")
sinh, cosh = row("sinh"), row("cosh")
asinh, acosh, atanh = row("asinh"), row("acosh"), row("atanh")
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh


def hypot(input: Any, other: Any) -> Tensor:
    """``sqrt(input**2 + other**2)`` without overflow; the slope at the origin is 0. Raises DtypeError for integers."""
    some_floats("hypot", input, other)
    result: Tensor = p.hypot(input, other)
    return result


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return mul(input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return mul(input, 180 / math.pi)
