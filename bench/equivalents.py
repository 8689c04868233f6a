"""What numpy and torch call the primitives of the table, in the form that is fastest there.

Each takes the arrays and the static parameters of the row. A primitive that has no entry is called as numpy and torch call
their function of its name; None: there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .peers import torch

__all__ = ["numpy_form", "operations", "our_form", "torch_form"]

Form = Callable[..., Any]

_NUMPY_NAMES = {
    "sub": "subtract", "mul": "multiply", "div": "true_divide", "pow": "power", "neg": "negative", "abs": "absolute",
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift", "round": "rint", "asin": "arcsin",
    "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
}  # fmt: skip


def _add_at(out: Any, index: Any, x: Any) -> Any:
    np.add.at(out, index, x)
    return out


def _along(x: Any, index: Any, dim: int) -> tuple[Any, ...]:
    where: list[Any] = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    where[dim] = index
    return tuple(where)


def _set(base: Any, where: Any, value: Any) -> Any:
    base[where] = value
    return base


def _padded(lib: Any, x: Any, index: Any, shape: Any) -> Any:
    return _set(lib.zeros(shape, dtype=x.dtype), index, x)


def _windows(x: Any, dim: int, size: int, step: int) -> Any:
    found = np.lib.stride_tricks.sliding_window_view(x, size, axis=dim)
    return found[(slice(None),) * dim + (slice(None, None, step),)]


_NUMPY: dict[str, Form | None] = {
    "cast": lambda x, dtype: x.astype(dtype),
    "clamp": lambda x, min, max: np.clip(x, min, max),
    "trunc_divide": lambda x, y: np.trunc(x / y),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "logsigmoid": lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
    "sum": lambda x, dim, keepdim: np.sum(x, axis=dim, keepdims=keepdim),
    "amax": lambda x, dim, keepdim: np.max(x, axis=dim, keepdims=keepdim),
    "argmax": lambda x, dim, keepdim: np.argmax(x, axis=dim, keepdims=keepdim),
    "cumsum": lambda x, dim: np.cumsum(x, axis=dim),
    "cumargmax": None,
    "argsort": lambda x, dim, descending: np.argsort(x, axis=dim),
    "argtopk": lambda x, dim, k, descending: np.argpartition(x, k, axis=dim),
    "take": lambda x, index, dim: np.take(x, index, axis=dim),
    "put_add": lambda x, index, dim, size: _add_at(np.zeros((size, *x.shape[1:]), x.dtype), index, x),
    "gather": lambda x, index, dim: np.take_along_axis(x, index, dim),
    "scatter_add": lambda x, index, dim, shape: _add_at(np.zeros(shape, x.dtype), _along(x, index, dim), x),
    "searchsorted": lambda rising, values, right: np.searchsorted(rising, values),
    "reshape": lambda x, shape: x.reshape(shape),
    "permute": lambda x, dims: x.transpose(dims),
    "broadcast": lambda x, shape: np.broadcast_to(x, shape),
    "slice": lambda x, index: x[index],
    "unslice": lambda x, index, shape: _padded(np, x, index, shape),
    "concatenate": lambda *parts, dim, offsets: np.concatenate(parts, dim),
    "clone": lambda x: x.copy(),
    "detach": lambda x: x.view(),
    "diagonal": lambda x, offset, dim1, dim2: np.diagonal(x, offset, dim1, dim2),
    "undiagonal": None,
    "windows": _windows,
    "unwindows": None,
    "assign": lambda base, value, path, visible: _set(base, ..., value),
    "assign_at": lambda base, value, index, path, axes, visible: _set(base, index, value),
    "random_bits": lambda seed, offset, shape, width: np.random.default_rng(0).integers(0, 2**32, shape, np.uint32),
}

_TORCH: dict[str, Form | None] = {
    "cast": lambda x, dtype: x.to(getattr(torch, np.dtype(dtype).name)),
    "trunc_divide": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
    "logsigmoid": lambda x: torch.nn.functional.logsigmoid(x),
    "cumargmax": lambda x, dim: torch.cummax(x, dim).indices,
    "argtopk": lambda x, dim, k, descending: torch.topk(x, k, dim, largest=descending).indices,
    "take": lambda x, index, dim: torch.index_select(x, dim, index) if index.dim() == 1 else torch.take(x, index),
    "put_add": lambda x, index, dim, size: torch.zeros((size, *x.shape[1:]), dtype=x.dtype).index_add_(dim, index, x),
    "gather": lambda x, index, dim: torch.gather(x, dim, index),
    "scatter_add": lambda x, index, dim, shape: torch.zeros(shape, dtype=x.dtype).scatter_add_(dim, index, x),
    "searchsorted": lambda rising, values, right: torch.searchsorted(rising, values),
    "broadcast": lambda x, shape: x.expand(shape),
    "slice": lambda x, index: x[index],
    "unslice": lambda x, index, shape: _padded(torch, x, index, shape),
    "concatenate": lambda *parts, dim, offsets: torch.cat(parts, dim),
    "undiagonal": None,
    "windows": lambda x, dim, size, step: x.unfold(dim, size, step),
    "unwindows": None,
    "assign": lambda base, value, path, visible: base.copy_(value),
    "assign_at": lambda base, value, index, path, axes, visible: base.index_copy_(0, index, value),
    "random_bits": lambda seed, offset, shape, width: torch.randint(0, 2**32, shape),
}

_OURS: dict[str, Form] = {
    "assign": lambda base, value, path, visible: base.copy_(value),
    "assign_at": lambda base, value, index, path, axes, visible: base.index_copy_(0, index, value),
}
"""Rows that write are reached through methods."""


def our_form(op: Any) -> Form:
    """How users reach a row."""
    return _OURS.get(op.name, op.bind)


def numpy_form(name: str) -> Form | None:
    """numpy's function."""
    return _NUMPY[name] if name in _NUMPY else getattr(np, _NUMPY_NAMES.get(name, name), None)


def torch_form(name: str) -> Form | None:
    """torch's function; None where torch is not installed."""
    if torch is None:
        return None
    return _TORCH[name] if name in _TORCH else getattr(torch, name, None)


_COST = {"fabs": 1, "fmin": 1, "fmax": 1, "sqrt": 1, "rint": 1, "floor": 1, "ceil": 1, "trunc": 1, "copysign": 1}
_CALL = 15


def operations(expression: str) -> int:
    """Nominal floating-point operations of a row's expression: 1 for an operator, 15 for a function of analysis (a
    polynomial of degree 6 to 8 with its reductions)."""
    calls = re.findall(r"([a-z]\w*)\(", expression)
    operators = re.findall(r"\*\*|[-+*/<>]=?|==|!=|&|\|", re.sub(r"\s+", "", expression))
    power = _CALL * expression.count("**")
    return max(1, sum(_COST.get(name, _CALL) for name in calls) + len(operators) + power - expression.count("**"))
