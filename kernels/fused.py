"""Expressions over large arrays in one pass on all threads, where numpy would take one pass and one array per operation.

The bits are numpy's: each operation is rounded by itself. What an expression may hold: names, numbers, ``+ - * /``,
brackets, and the primitives of choice: ``p.where``, ``p.gt`` and its kin.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import gates, native, pool
from .ufuncs import ufunc

__all__ = ["Fused", "fused", "kernel", "largest"]

Array = np.ndarray[Any, Any]
_FLOAT32, _FLOAT64, _BOOL = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.bool_)
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Name, ast.Load, ast.Constant, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub,
    ast.Call, ast.Attribute,
)  # fmt: skip
_PRIMITIVES = {"where", "eq", "ne", "lt", "le", "gt", "ge"}


class Fused(NamedTuple):
    """An expression as a function of arrays, and the number of elements from which it wins over numpy."""

    run: Callable[..., Any]
    gate: int
    texts: tuple[str, str]
    """The names of its kernels for float32 and float64 in the room ``fused``, all operands being floats."""


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
    texts = f"f32 {' '.join(names)}: {expression}", f"f64 {' '.join(names)}: {expression}"
    for name, dtype, text in (("single", _FLOAT32, texts[0]), ("double", _FLOAT64, texts[1])):
        scope[name] = _first(scope, name, text, dtype.char * (len(names) + 1), otherwise)
    scope["mixed"] = _mixed(names, expression, otherwise)
    exec(source, scope)
    return Fused(scope["run"], gates.ARITHMETIC if operations == 1 and "p." not in expression else gates.FUSED, texts)


def kernel(expression: str, names: Sequence[str], otherwise: Callable[..., Any]) -> Fused:
    """The same for an expression that is known to fit. Raises ValueError if it does not."""
    found = fused(expression, names, otherwise)
    if found is None:
        raise ValueError(f"no kernel has the operations of {expression!r}")
    return found


def _operations(expression: str) -> int:
    """How many operations the expression has; 0 if it has one that kernels do not know."""
    try:
        nodes = list(ast.walk(ast.parse(expression, mode="eval")))
    except SyntaxError:  # an expression for readers
        return 0
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    known = sum(isinstance(n.func, ast.Attribute) and n.func.attr in _PRIMITIVES and not n.keywords for n in calls)
    if known < len(calls) or known < sum(isinstance(node, ast.Attribute) for node in nodes):
        return 0
    if not all(isinstance(node, _ALLOWED) for node in nodes):
        return 0
    return sum(isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call) for node in nodes)


def _first(scope: dict[str, Any], name: str, text: str, types: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The first call of a loop: makes it and takes its own place."""

    def make(*operands: Any) -> Any:
        scope[name] = _made(text, types, otherwise)
        return scope[name](*operands)

    return make


def _mixed(names: Sequence[str], expression: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """For operands that are not all arrays of floats of one dtype: masks are operands like others, Python numbers take the
    arrays' dtype, for the rest there is numpy."""
    loops: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def run(*operands: Any) -> Any:
        dtypes = [x.dtype if isinstance(x, np.ndarray | np.generic) else None for x in operands]
        floats = {dtype for dtype in dtypes if dtype is not None and dtype != _BOOL}
        if len(floats) != 1 or (dtype := floats.pop()) not in (_FLOAT32, _FLOAT64):
            return otherwise(*operands)
        masks = tuple(given == _BOOL for given in dtypes)
        loop = loops.get((dtype, masks))
        if loop is None:
            head = " ".join(name + "?" * mask for name, mask in zip(names, masks, strict=True))
            text = f"{'f32' if dtype == _FLOAT32 else 'f64'} {head}: {expression}"
            types = "".join("?" if mask else dtype.char for mask in (*masks, False))
            loop = loops[dtype, masks] = _made(text, types, otherwise)
        return loop(*(x if isinstance(x, np.ndarray) else np.asarray(x, dtype) for x in operands))

    return run


def _made(text: str, types: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The loop as a ufunc, where there are kernels."""
    if not native.available():
        return otherwise
    pool.use()  # large arrays: worth memory that is warm
    return ufunc("fused", text, types) or otherwise


def largest(*arrays: Any) -> int:
    """Elements of the largest of some arrays and Python numbers."""
    return max(x.size if isinstance(x, np.ndarray) else 1 for x in arrays)
