"""Making Tensors from data, from shapes and from ranges of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, copysign
from typing import Any

import numpy as np

from ..dtypes import DEFAULT_FLOAT, canonical_dtype, int64, scalar_dtype
from ..errors import DtypeError, RangeError, ShapeError
from ..modes import local
from ..optable import p
from ..tensor import Tensor, from_array
from .arguments import shape_of
from .convert import to
from .device import on_cpu
from .shape import reshape

__all__ = [
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace", "logspace",
    "meshgrid", "ones", "ones_like", "tensor", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip

METHODS = "new_empty new_full new_ones new_tensor new_zeros"


# ---- from data ----


@on_cpu
def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of ``data``: numbers, nested lists, arrays. Python floats become float32."""
    return Tensor(data, dtype=dtype, requires_grad=requires_grad)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A Tensor on the memory of ``array``: writing to one changes the other."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: needs a numpy array, got {type(array).__name__}; tn.tensor copies anything")
    if canonical_dtype(array.dtype) != array.dtype or not array.dtype.isnative:
        raise DtypeError(f"from_numpy: the dtype {array.dtype} is not supported in place; use tn.tensor(array)")
    return from_array(array.view(np.ndarray))


@on_cpu
def as_tensor(data: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """``data`` as a Tensor, sharing memory where it can: a Tensor is returned as it is."""
    if isinstance(data, Tensor):
        return data if dtype is None else to(data, dtype)
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared if dtype is None else to(shared, dtype)
    return Tensor(data, dtype=dtype)


@on_cpu
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """``obj`` as a Tensor: sharing memory where it can (copy=None), always in new memory (True), or never (False).

    A Tensor stays in its graph if ``requires_grad``, and is detached otherwise, as in PyTorch. Raises ValueError where
    ``copy=False`` cannot be kept.
    """
    found = as_tensor(obj, dtype)
    memory = obj._array if isinstance(obj, Tensor) else obj
    shared = isinstance(memory, np.ndarray) and np.shares_memory(found._array, memory)
    if copy is False and not shared and found.numel():
        raise ValueError(f"asarray: {type(obj).__name__} cannot become {found._type()} without a copy; leave copy=None")
    if copy and shared:
        found = p.clone(found)
    if found.requires_grad and not requires_grad:
        found = p.detach(found)
    return found.requires_grad_() if requires_grad else found


@on_cpu
def new_tensor(input: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of ``data``, in the dtype of ``input``."""
    return Tensor(data, dtype=dtype or input.dtype, requires_grad=requires_grad)


# ---- of a shape ----


def _filled(array: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    if local.mode.tape is None:
        out = from_array(array)
        return out.requires_grad_() if requires_grad else out
    return Tensor(array, requires_grad=requires_grad)


def _dtype(dtype: Any) -> np.dtype[Any]:
    return canonical_dtype(DEFAULT_FLOAT if dtype is None else dtype)


@on_cpu
def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All 0, of the given shape."""
    return _filled(np.zeros(shape_of("zeros", size), _dtype(dtype)), requires_grad)


@on_cpu
def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All 1, of the given shape."""
    return _filled(np.ones(shape_of("ones", size), _dtype(dtype)), requires_grad)


@on_cpu
def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Of the given shape, its values whatever the memory holds."""
    return _filled(np.empty(shape_of("empty", size), _dtype(dtype)), requires_grad)


@on_cpu
def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All ``fill_value``, of the given shape; the dtype is that of the value. A 0-d Tensor as the value stays in the graph."""
    shape = shape_of("full", (size,))
    if isinstance(fill_value, Tensor):
        if fill_value.ndim:
            raise TypeError(f"full: the value must be a number or a 0-d Tensor, got {fill_value._type()}")
        value = to(fill_value, fill_value.dtype if dtype is None else dtype)
        spread: Tensor = p.clone(p.broadcast(value, shape=shape))
        return spread.requires_grad_() if requires_grad else spread
    wanted = scalar_dtype(fill_value) if dtype is None else canonical_dtype(dtype)
    return _filled(np.full(shape, fill_value, wanted), requires_grad)


@on_cpu
def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """0 in the shape and dtype of ``input``."""
    return zeros(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """1 in the shape and dtype of ``input``."""
    return ones(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Whatever the memory holds, in the shape and dtype of ``input``."""
    return empty(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """``fill_value`` in the shape and dtype of ``input``."""
    return full(input.shape, fill_value, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def new_zeros(input: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """0 of the given shape, in the dtype of ``input``."""
    return zeros(*size, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def new_ones(input: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """1 of the given shape, in the dtype of ``input``."""
    return ones(*size, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def new_empty(input: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Whatever the memory holds, of the given shape, in the dtype of ``input``."""
    return empty(*size, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def new_full(
    input: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``fill_value`` of the given shape, in the dtype of ``input``."""
    return full(size, fill_value, dtype=dtype or input.dtype, requires_grad=requires_grad)


# ---- ranges and matrices ----


@on_cpu
def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The identity matrix ``(n, m)``."""
    rows, columns = shape_of("eye", (n, n if m is None else m))
    return _filled(np.eye(rows, columns, dtype=_dtype(dtype)), requires_grad)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor | np.generic) else value


@on_cpu
def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``start, start + step, ...`` up to ``end``, which is left out; int64 for integers, else float32.

    Raises RangeError for a step of 0, and for one that leads away from ``end``.
    """
    low, high = (0, _number(start)) if end is None else (_number(start), _number(end))
    by = _number(step)
    if by == 0:
        raise RangeError("arange: the step cannot be 0")
    if (high - low) * copysign(1, by) < 0:
        raise RangeError(f"arange: steps of {by} lead from {low} away from {high}")
    whole = all(isinstance(v, int) for v in (low, high, by))
    wanted = canonical_dtype((int64 if whole else DEFAULT_FLOAT) if dtype is None else dtype)
    count = -((low - high) // by) if whole else ceil((high - low) / by)
    found = low + np.arange(count) * by if count else np.zeros(0)
    return _filled(found.astype(wanted), requires_grad)


@on_cpu
def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """``steps`` numbers from ``start`` to ``end``, both among them, at equal distances."""
    return _filled(_spaced("linspace", start, end, steps).astype(_dtype(dtype)), requires_grad)


@on_cpu
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` powers of ``base``, the exponents from ``start`` to ``end`` at equal distances."""
    return _filled(np.power(float(base), _spaced("logspace", start, end, steps)).astype(_dtype(dtype)), requires_grad)


def _spaced(name: str, start: Any, end: Any, steps: int) -> np.ndarray[Any, Any]:
    if steps < 0:
        raise RangeError(f"{name}: the number of steps cannot be negative, got {steps}")
    return np.linspace(_number(start), _number(end), int(steps))


@on_cpu
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None) -> Tensor:
    """Rows and columns ``(2, n)`` of the elements on and below a diagonal of a ``(row, col)`` matrix."""
    shape = shape_of("tril_indices", (row, col))
    return _filled(np.argwhere(np.tri(shape[0], shape[1], offset)).T.astype(canonical_dtype(dtype)), False)


@on_cpu
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None) -> Tensor:
    """Rows and columns ``(2, n)`` of the elements on and above a diagonal of a ``(row, col)`` matrix."""
    shape = shape_of("triu_indices", (row, col))
    return _filled(np.argwhere(np.tri(shape[0], shape[1], offset - 1) == 0).T.astype(canonical_dtype(dtype)), False)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of a grid over 1-d (or 0-d) Tensors: views, one per axis; ``indexing="xy"`` exchanges the first two."""
    parts: Sequence[Tensor] = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    if indexing not in ("ij", "xy"):
        raise RangeError(f'meshgrid: indexing is "ij" or "xy", got {indexing!r}')
    if not parts or any(x.ndim > 1 for x in parts):
        raise ShapeError(f"meshgrid: needs Tensors of at most one axis, got {[x._type() for x in parts]}")
    if len({x.dtype for x in parts}) > 1:
        raise DtypeError(f"meshgrid: all need one dtype, got {[x._type() for x in parts]}")
    order = list(range(len(parts)))
    if indexing == "xy" and len(parts) > 1:
        order[:2] = 1, 0
    shape = [0] * len(parts)
    for x, axis in zip(parts, order, strict=True):
        shape[axis] = x.numel()
    grids = []
    for x, axis in zip(parts, order, strict=True):
        line = reshape(x, *(x.numel() if d == axis else 1 for d in range(len(parts))))
        grids.append(p.broadcast(line, shape=tuple(shape)))
    return tuple(grids)


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """int64 ``(*, num_classes)``: 1 where the class of ``input`` (*) is, else 0; as many classes as needed if -1.

    Public as ``nn.functional.one_hot``. Raises DtypeError unless ``input`` is int64, RangeError for a class outside.
    """
    if input.dtype != int64:
        raise DtypeError(f"one_hot: the classes must be int64, got {input._type()}; use .long()")
    values = input._array if num_classes == -1 else input._all_values()
    highest = int(values.max(initial=-1))
    if num_classes == -1 and not input.numel():
        raise RangeError(f"one_hot: {input._type()} holds no class to count; say num_classes")
    if num_classes < -1 or num_classes == 0:
        raise RangeError(f"one_hot: the number of classes must be positive, got {num_classes}")
    count = highest + 1 if num_classes == -1 else num_classes
    if highest >= count or values.min(initial=0) < 0:
        raise RangeError(f"one_hot: {input._type()} holds classes from {values.min()} to {highest}, not in [0, {count})")
    found: Tensor = p.cast(p.eq(reshape(input, *input.shape, 1), from_array(np.arange(count))), dtype=int64)
    return found
