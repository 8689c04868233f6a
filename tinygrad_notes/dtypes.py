"""Dtypes and their promotion: torch's ``result_type``, exactly.

Within a category (bool < integer < float) types promote by size; a higher category wins only over operands of its own
priority: Tensors with dimensions come before 0-d Tensors, and those before Python scalars, which never widen a Tensor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .errors import DtypeError, RowsError

__all__ = [
    "DEFAULT_FLOAT", "DTYPES", "bool_", "canonical_dtype", "float32", "float64", "int8", "int16", "int32", "int64", "make_array",
    "promote_types", "result_type", "scalar_dtype", "uint8", "uint32", "uint64",
]  # fmt: skip

DType = np.dtype[Any]

float32, float64 = np.dtype(np.float32), np.dtype(np.float64)
int8, int16, int32, int64 = np.dtype(np.int8), np.dtype(np.int16), np.dtype(np.int32), np.dtype(np.int64)
uint8, uint32, uint64 = np.dtype(np.uint8), np.dtype(np.uint32), np.dtype(np.uint64)
bool_ = np.dtype(np.bool_)

DTYPES: tuple[DType, ...] = (bool_, uint8, int8, int16, int32, int64, uint32, uint64, float32, float64)
DEFAULT_FLOAT = float32
_ALONE = (uint32, uint64)  # torch promotes them with floats only
_DEFAULTS = (bool_, int64, DEFAULT_FLOAT)  # of a Python bool, int, float


def canonical_dtype(dtype: Any) -> DType:
    """``np.float32``, ``"float32"``, ``float`` (float64, as to numpy and PyTorch) or a dtype as one of ours.

    Raises DtypeError for a dtype that the engine does not have (complex, float16, objects, text).
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        raise DtypeError(f"{dtype!r} is no dtype; use one of {', '.join(d.name for d in DTYPES)}") from None
    for known in DTYPES:
        if found == known:
            return known
    raise DtypeError(f"dtype {found} is not supported; use one of {', '.join(d.name for d in DTYPES)}")


def category(dtype: DType) -> int:
    """0 bool, 1 integer, 2 float."""
    return "biuf".index(dtype.kind) if dtype.kind in "bi" else 1 if dtype.kind == "u" else 2


def promote_types(a: DType, b: DType) -> DType:
    """The smallest dtype that holds both, within torch's rules: int64 with float32 is float32.

    Raises DtypeError for uint32/uint64 with another integer or bool, as torch does.
    """
    if a == b:
        return a
    if category(a) != category(b) and (2 in (category(a), category(b)) or not (a in _ALONE or b in _ALONE)):
        return a if category(a) > category(b) else b
    if a in _ALONE or b in _ALONE:
        raise DtypeError(f"{a} and {b} have no common integer dtype; cast one of them with .to(dtype)")
    return canonical_dtype(np.promote_types(a, b))


def scalar_dtype(value: bool | int | float) -> DType:
    """The default dtype of a Python scalar."""
    return _DEFAULTS[0 if isinstance(value, bool) else 1 if isinstance(value, int) else 2]


def result_type(arrays: Iterable[Any], scalars: Iterable[bool | int | float] = ()) -> DType:
    """The dtype of an operation on arrays (anything with dtype and ndim) and Python scalars."""
    dimensioned: DType | None = None
    zero: DType | None = None
    for array in arrays:
        if array.ndim:
            dimensioned = array.dtype if dimensioned is None else promote_types(dimensioned, array.dtype)
        else:
            zero = array.dtype if zero is None else promote_types(zero, array.dtype)
    wrapped: DType | None = None
    for scalar in scalars:
        dtype = scalar_dtype(scalar)
        wrapped = dtype if wrapped is None else promote_types(wrapped, dtype)
    result = dimensioned
    for weaker in (zero, wrapped):
        if weaker is not None and (result is None or category(weaker) > category(result)):
            result = weaker if result is None else promote_types(result, weaker)
    if result is None:
        raise TypeError("result_type needs at least one operand")
    return result


def make_array(data: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """A new array of ``data`` (numbers, nested lists, arrays, Tensors); Python floats become float32.

    Raises RowsError for rows of different lengths, TypeError for text, DtypeError for what is no supported number.
    """
    if isinstance(data, list | tuple):
        data = [x.tolist() if hasattr(x, "_array") else x for x in data]
    data = getattr(data, "_array", data)
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise RowsError(f"tensor: rows of different lengths make no array ({error})") from None
    if array.dtype.kind in "US":
        raise TypeError(f"tensor: {str(data)[:40]!r} is text, not numbers; a Tensor holds bools, integers and floats")
    if dtype is not None:
        wanted = canonical_dtype(dtype)
    elif array.dtype.kind == "f" and not isinstance(data, np.ndarray | np.generic):
        wanted = DEFAULT_FLOAT
    else:
        wanted = canonical_dtype(array.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # a number too large for float32 is inf
        return np.array(array, wanted)
