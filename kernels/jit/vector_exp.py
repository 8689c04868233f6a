"""The house's exp (``formulas.py``) of vectors, for the kernels over rows."""

from __future__ import annotations

from typing import Any

from numba.extending import intrinsic

from . import formulas
from .constants import FLOAT32, FLOAT64
from .lanes import Lanes

__all__ = ["exp"]


@intrinsic
def exp(context: Any, x: Any) -> Any:
    """``e**x``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return formulas.exp(FLOAT32 if x.count == 16 else FLOAT64, Lanes(builder, arguments)).values[0]

    return x(x), generate
