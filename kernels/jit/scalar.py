"""The formulas and LLVM's floating-point instructions as functions of one number, for use inside kernels.

``scalar.exp(x)`` works for float32 and float64 alike and is branch-free: a loop over it becomes vector instructions. The same bits
as the ufuncs of ``elementwise.py``. sin and cos hold for ``|x| <= FLOAT32["huge"]`` or ``FLOAT64["huge"]``; ``huge.py`` goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from . import formulas, lanes
from .constants import FLOAT32, FLOAT64

__all__ = [
    "copysign", "cos", "erf", "erfc", "exp", "expm1", "float_of", "fma", "gelu", "gelu_tanh", "get_state", "high_product",
    "log", "log1p", "logsigmoid", "quadrant", "set_state", "sigmoid", "sin", "tanh", "word_of",
]  # fmt: skip

CONSTANTS: dict[Any, dict[str, Any]] = {types.float32: FLOAT32, types.float64: FLOAT64}


def scalar(formula: Callable[[dict[str, Any], lanes.Lanes], lanes.Lanes]) -> Any:
    """The formula as a function of one float32 or float64 in Numba's subset."""

    @intrinsic
    def function(context: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return formula(CONSTANTS[x], lanes.Lanes(builder, arguments)).values[0]

        return x(x), generate

    return function


cos, erf, erfc, exp, expm1 = (scalar(f) for f in (formulas.cos, formulas.erf, formulas.erfc, formulas.exp, formulas.expm1))
gelu, gelu_tanh, log, log1p = (scalar(f) for f in (formulas.gelu, formulas.gelu_tanh, formulas.log, formulas.log1p))
logsigmoid, sigmoid, sin, tanh = (scalar(f) for f in (formulas.logsigmoid, formulas.sigmoid, formulas.sin, formulas.tanh))


@intrinsic
def fma(context: Any, x: Any, y: Any, z: Any) -> Any:
    """``x * y + z``, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return lanes.fma(*(lanes.Lanes(builder, [a]) for a in arguments)).values[0]

    return x(x, x, x), generate


@intrinsic
def copysign(context: Any, x: Any, sign: Any) -> Any:
    """``|x|`` with the sign of the other."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return lanes.copysign(*(lanes.Lanes(builder, [a]) for a in arguments)).values[0]

    return x(x, x), generate


@intrinsic
def word_of(context: Any, x: Any) -> Any:
    """The bits of a float64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.uint64(types.float64), generate


@intrinsic
def float_of(context: Any, word: Any) -> Any:
    """The float64 with these bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.uint64), generate


@intrinsic
def high_product(context: Any, x: Any, y: Any) -> Any:
    """The upper 64 of the 128 bits of a product."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double = ir.IntType(128)
        product = builder.mul(*(builder.zext(a, double) for a in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(double, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


@intrinsic
def quadrant(context: Any, n: Any, r: Any) -> Any:
    """``sin(n pi/2 + r)`` for ``|r| <= pi/4``, in float64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        i, x = (lanes.Lanes(builder, [a]) for a in arguments)
        return formulas.quadrant(FLOAT64, i, x).values[0]

    return types.float64(types.int64, types.float64), generate


# ---- the processor's record of overflows and the like, which numpy would turn into warnings ----


def _state(name: str) -> Any:
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        builder.call(function, [place])
        return context.get_dummy_value()

    return intrinsic(lambda context, address: (types.void(types.int64), generate))


get_state, set_state = _state("llvm.x86.sse.stmxcsr"), _state("llvm.x86.sse.ldmxcsr")
