"""Elementwise functions that pick the faster of numpy and our own vector math: ours from a measured size on (``gates.py``).

Both are right to a few units in the last place. Where there are no kernels (``native.available``) numpy does it all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from .gates import VECTOR
from .ufuncs import ufunc

__all__ = ["cos", "erf", "erfc", "exp", "expm1", "kernel", "log", "log1p", "logsigmoid", "sigmoid", "sin", "tanh"]

Array = np.ndarray[Any, Any]
Function = Callable[[Any], Any]

ROOMS = {"f": "f32", "d": "f64"}
"""numpy's type characters, and what the kernels' names end with."""


@cache
def kernel(name: str, character: str) -> np.ufunc | None:
    """The ufunc ``name`` of float32 ("f") or float64 ("d"); None where there are no kernels."""
    return ufunc("elementwise", f"{name}_{ROOMS[character]}", character * 2)


def _faster(name: str, plain: Function) -> Function:
    """The function that calls the kernel from its size on, numpy's form below."""
    gates = VECTOR[name]

    def function(x: Any) -> Any:
        if type(x) is np.ndarray:
            gate = gates.get(character := x.dtype.char)
            if gate is not None and x.size >= gate and (compiled := kernel(name, character)) is not None:
                return compiled(x)
        return plain(x)

    function.__name__ = function.__qualname__ = name
    return function


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _logsigmoid(x: Any) -> Any:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.absolute(x)))


def _one_by_one(function: Callable[[float], float]) -> Function:
    """numpy has no such function: C's, element by element."""
    each = np.frompyfunc(function, 1, 1)
    return lambda x: np.asarray(each(x), x.dtype)


exp = _faster("exp", np.exp)
expm1 = _faster("expm1", np.expm1)
log = _faster("log", np.log)
log1p = _faster("log1p", np.log1p)
tanh = _faster("tanh", np.tanh)
sin = _faster("sin", np.sin)
cos = _faster("cos", np.cos)
sigmoid = _faster("sigmoid", _sigmoid)  # 1 / (1 + exp(-x))
logsigmoid = _faster("logsigmoid", _logsigmoid)  # log(sigmoid(x))
erf = _faster("erf", _one_by_one(math.erf))  # 2 / sqrt(pi) times the integral of exp(-t*t) from 0 to x
erfc = _faster("erfc", _one_by_one(math.erfc))  # 1 - erf(x), with all its digits where that is small
