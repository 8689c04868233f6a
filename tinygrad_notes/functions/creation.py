"""Making Tensors from data, shapes and random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import DEFAULT_FLOAT, canonical_dtype, int64, scalar_dtype
from ..errors import DtypeError, ShapeError
from ..modes import local
from ..tensor import Tensor, from_array
from .arguments import shape_of

__all__ = [
    "arange", "as_tensor", "empty", "eye", "from_numpy", "full", "full_like", "ones", "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of ``data``: numbers, nested lists, arrays. Python floats become float32."""
    return Tensor(data, dtype=dtype, requires_grad=requires_grad)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A Tensor on the memory of ``array``: writing to one changes the other."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: needs a numpy array, got {type(array).__name__}; tn.tensor copies anything")
    if canonical_dtype(array.dtype) != array.dtype or not array.dtype.isnative:
        raise DtypeError(f"from_numpy: the dtype {array.dtype} is not supported in place; use tn.tensor(array)")
    return from_array(array.view(np.ndarray))


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """``data`` as a Tensor, sharing memory where it can: a Tensor is returned as it is."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared if dtype is None else shared.to(dtype)
    return Tensor(data, dtype=dtype)


def _filled(array: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    if local.mode.tape is None:
        out = from_array(array)
        return out.requires_grad_() if requires_grad else out
    return Tensor(array, requires_grad=requires_grad)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All 0, of the given shape."""
    return _filled(np.zeros(shape_of("zeros", size), canonical_dtype(dtype or DEFAULT_FLOAT)), requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All 1, of the given shape."""
    return _filled(np.ones(shape_of("ones", size), canonical_dtype(dtype or DEFAULT_FLOAT)), requires_grad)


def empty(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Of the given shape, its values whatever the memory holds."""
    return _filled(np.empty(shape_of("empty", size), canonical_dtype(dtype or DEFAULT_FLOAT)), requires_grad)


def full(size: Any, fill_value: float, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All ``fill_value``, of the given shape; the dtype is that of the value."""
    wanted = scalar_dtype(fill_value) if dtype is None else canonical_dtype(dtype)
    return _filled(np.full(shape_of("full", (size,)), fill_value, wanted), requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None) -> Tensor:
    """0 in the shape of ``input``."""
    return zeros(input.shape, dtype=dtype or input.dtype)


def ones_like(input: Tensor, *, dtype: Any = None) -> Tensor:
    """1 in the shape of ``input``."""
    return ones(input.shape, dtype=dtype or input.dtype)


def full_like(input: Tensor, fill_value: float, *, dtype: Any = None) -> Tensor:
    """``fill_value`` in the shape of ``input``."""
    return full(input.shape, fill_value, dtype=dtype or input.dtype)


def eye(n: int, m: int | None = None, *, dtype: Any = None) -> Tensor:
    """The identity matrix ``(n, m)``."""
    return _filled(np.eye(n, m, dtype=canonical_dtype(dtype or DEFAULT_FLOAT)), False)


def arange(start: float, end: float | None = None, step: float = 1, *, dtype: Any = None) -> Tensor:
    """``start, start + step, ...`` below ``end``; int64 for integers, else float32."""
    low, high = (0, start) if end is None else (start, end)
    if step == 0:
        raise ShapeError("arange: the step cannot be 0")
    whole = all(isinstance(v, int) for v in (low, high, step))
    wanted = (int64 if whole else DEFAULT_FLOAT) if dtype is None else canonical_dtype(dtype)
    return _filled(np.arange(low, high, step).astype(wanted), False)
