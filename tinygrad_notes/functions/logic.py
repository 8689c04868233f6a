"""Truth values, bits, and what a number is (NaN, infinite, close to another) under PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import float32
from ..errors import BitsError, RangeError
from ..tensor import Tensor
from .arguments import row, same_dtype, tensor
from .convert import to
from .pointwise import abs, eq, le, lt, ne

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "equal",
    "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "logical_and", "logical_not", "logical_or", "logical_xor",
]  # fmt: skip

METHODS = (
    "allclose bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor equal isclose isfinite isinf "
    "isnan isneginf isposinf logical_and logical_not logical_or logical_xor"
)
INPLACE = "bitwise_not logical_and logical_not logical_or logical_xor"

bitwise_and, bitwise_or, bitwise_xor = row("bitwise_and"), row("bitwise_or"), row("bitwise_xor")
bitwise_left_shift, bitwise_right_shift = row("bitwise_left_shift"), row("bitwise_right_shift")

# ---- bits and truth values ----


def bitwise_not(input: Tensor) -> Tensor:
    """Every bit turned over; of bools, the other one. Raises BitsError for floats."""
    tensor("bitwise_not", input)
    dtype = input.dtype
    if dtype.kind == "f":
        raise BitsError(f"bitwise_not: {input._type()} holds floats, which are no bits; use integers, bools or logical_not")
    return bitwise_xor(input, True if dtype.kind == "b" else -1 if dtype.kind == "i" else int(np.iinfo(dtype).max))


def logical_not(input: Tensor) -> Tensor:
    """Whether each value is 0."""
    return eq(input, 0)


def logical_and(input: Any, other: Any) -> Tensor:
    """Whether neither is 0."""
    return bitwise_and(ne(input, 0), ne(other, 0))


def logical_or(input: Any, other: Any) -> Tensor:
    """Whether one is not 0."""
    return bitwise_or(ne(input, 0), ne(other, 0))


def logical_xor(input: Any, other: Any) -> Tensor:
    """Whether exactly one is not 0."""
    return bitwise_xor(ne(input, 0), ne(other, 0))


# ---- what a number is ----


def isnan(input: Tensor) -> Tensor:
    """Whether each value is no number."""
    return ne(input, input)


def isinf(input: Tensor) -> Tensor:
    """Whether each value is inf or -inf."""
    return eq(abs(input), float("inf"))


def isposinf(input: Tensor) -> Tensor:
    """Whether each value is inf."""
    return eq(input, float("inf"))


def isneginf(input: Tensor) -> Tensor:
    """Whether each value is -inf."""
    return eq(input, float("-inf"))


def isfinite(input: Tensor) -> Tensor:
    """Whether each value is neither infinite nor NaN."""
    return lt(abs(input), float("inf"))


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """``|input - other| <= atol + rtol * |other|``, or equal; a NaN is close to another only if ``equal_nan``.

    Raises DtypeError unless both have one dtype, RangeError for a negative tolerance.
    """
    same_dtype("isclose", input, other)
    if rtol < 0 or atol < 0:
        raise RangeError(f"isclose: tolerances cannot be negative, got rtol={rtol} and atol={atol}")
    close = eq(input, other)
    if equal_nan:
        close = bitwise_or(close, bitwise_and(isnan(input), isnan(other)))
    if rtol == 0 == atol:
        return close
    a, b = (x if x.dtype.kind == "f" else to(x, float32) for x in (input, other))
    error = abs(a - b)
    return bitwise_or(close, bitwise_and(isfinite(error), le(error, abs(b * rtol) + atol)))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all values are close, in the sense of ``isclose``."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have one shape and the same values."""
    tensor("equal", input)
    tensor("equal", other)
    return np.array_equal(input._array, other._array)
