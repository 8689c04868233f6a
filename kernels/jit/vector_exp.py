"""exp of vectors, for the kernels over rows."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from .vectors import LLVM, choose, named, suffix

__all__ = ["exp"]


@intrinsic
def exp(context: Any, x: Any) -> Any:
    """``e**x``: ``2**n (1 + r + r**2/2! + ...)`` with ``|r| <= ln(2)/2`` and as many terms as count.

    The power of 2 is applied in two halves, so that denormals come out. NaN stays NaN.
    """
    wide = x.count == 8
    width, mantissa, bias, terms = (64, 52, 1023, 13) if wide else (32, 23, 127, 7)
    lowest, highest = (-746.0, 710.0) if wide else (-104.5, 89.0)  # 0 and inf beyond
    high, low = (
        (6.93147180369123816490e-01, 1.90821492927058770002e-10) if wide else (0.693145751953125, 1.42860677e-06)
    )  # of ln 2
    shift = 1.5 * 2**mantissa

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = LLVM[x]
        whole = ir.VectorType(ir.IntType(width), x.count)

        def same(value: float) -> Any:
            return ir.Constant(kind, [ir.Constant(kind.element, value)] * x.count)

        def integer(value: int) -> Any:
            return ir.Constant(whole, [value] * x.count)

        def multiply_add(a: Any, b: Any, c: Any) -> Any:
            return named(builder, f"llvm.fma.{suffix(x)}", kind, a, b, c)

        y = choose(builder, "<", same(highest), choose(builder, ">", same(lowest), arguments[0]))
        t = multiply_add(y, same(1 / math.log(2)), same(shift))
        n = builder.sub(builder.bitcast(t, whole), builder.bitcast(same(shift), whole))
        t = builder.fsub(t, same(shift))
        r = multiply_add(t, same(-low), multiply_add(t, same(-high), y))
        p = same(1 / math.factorial(terms))
        for k in range(terms - 1, -1, -1):
            p = multiply_add(p, r, same(1 / math.factorial(k)))
        half = builder.ashr(n, integer(1))
        for part in (half, builder.sub(n, half)):
            p = builder.fmul(p, builder.bitcast(builder.shl(builder.add(part, integer(bias)), integer(mantissa)), kind))
        return p

    return x(x), generate
