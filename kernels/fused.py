"""Expressions over large arrays in one pass on all threads, where numpy would take one pass and one array per operation.

The bits are numpy's: each operation is rounded by itself. What an expression may hold: names, numbers, ``+ - * /`` and brackets.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import gates, native, pool
from .ufuncs import ufunc

__all__ = ["Fused", "fused", "largest"]

Array = np.ndarray[Any, Any]
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Name, ast.Load, ast.Constant, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub,
)  # fmt: skip


class Fused(NamedTuple):
    """An expression as a function of arrays, and the number of elements from which it wins over numpy."""

    run: Callable[..., Any]
    gate: int


def fused(expression: str, names: Sequence[str], otherwise: Callable[..., Any]) -> Fused | None:
    """The expression as a kernel that is made at its first call; None where it holds more than arithmetic.

    names      of the operands, in their order
    otherwise  the same function, for dtypes that are not float32 or float64, mixed dtypes, and machines without kernels
    """
    operations = _operations(expression)
    if operations == 0:
        return None
    given = ", ".join(names)
    like = "".join(f" and type({x}) is ndarray and {x}.dtype is dtype" for x in names[1:])
    source = f"""
def run({given}):
    if type({names[0]}) is ndarray:
        dtype = {names[0]}.dtype
        if dtype is F32{like}: return single({given})
        if dtype is F64{like}: return double({given})
    return mixed({given})
"""
    scope: dict[str, Any] = {"ndarray": np.ndarray, "F32": _FLOAT32, "F64": _FLOAT64}
    for name, dtype, short in (("single", _FLOAT32, "f32"), ("double", _FLOAT64, "f64")):
        scope[name] = _first(scope, name, f"{short} {' '.join(names)}: {expression}", dtype.char * (len(names) + 1), otherwise)
    scope["mixed"] = _mixed(scope, otherwise)
    exec(source, scope)
    return Fused(scope["run"], gates.ARITHMETIC if operations == 1 else gates.FUSED)


def _operations(expression: str) -> int:
    """How many operations of arithmetic the expression has; 0 if it has anything else."""
    try:
        nodes = list(ast.walk(ast.parse(expression, mode="eval")))
    except SyntaxError:  # an expression for readers
        return 0
    return (
        sum(isinstance(node, ast.BinOp | ast.UnaryOp) for node in nodes) if all(isinstance(n, _ALLOWED) for n in nodes) else 0
    )


def _first(scope: dict[str, Any], name: str, text: str, types: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The first call of a loop: makes it and takes its own place."""

    def make(*operands: Any) -> Any:
        if native.available():
            pool.use()  # large arrays: worth memory that is warm
            scope[name] = ufunc("fused", text, types)
        else:
            scope[name] = otherwise
        return scope[name](*operands)

    return make


def _mixed(scope: dict[str, Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Operands that are not all arrays of floats of one dtype: Python numbers take the arrays' dtype, for the rest there is numpy."""

    def run(*operands: Any) -> Any:
        dtypes = {x.dtype for x in operands if not isinstance(x, float | int)}
        if len(dtypes) == 1 and (dtype := dtypes.pop()) in (_FLOAT32, _FLOAT64):
            arrays = (x if isinstance(x, np.ndarray) else np.asarray(x, dtype) for x in operands)
            return scope["single" if dtype == _FLOAT32 else "double"](*arrays)
        return otherwise(*operands)

    return run


def largest(*arrays: Any) -> int:
    """Elements of the largest of some arrays and Python numbers."""
    return max(x.size if isinstance(x, np.ndarray) else 1 for x in arrays)
