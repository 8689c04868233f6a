"""Elementwise functions that pick the faster of numpy and Numba: Numba from a measured size on, numpy elsewhere.

``TINYGRAD_NOTES_KERNELS=0`` in the environment, or no Numba, means numpy throughout; both give the same to a few ulp.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

__all__ = ["erf", "erfc", "jitted", "sigmoid", "tanh"]

Array = np.ndarray[Any, Any]

GATE = 1024
"""Elements from which the compiled loop wins over numpy, its dearer call included: 0.4 to 0.6 k on the machines measured."""

_FLOAT32 = np.dtype(np.float32)


@cache
def jitted(name: str, room: str = "jit_vector") -> Callable[..., Array] | None:
    """The compiled ufunc or loop, made when first asked for (about a second, once cached less); None where there is no Numba."""
    if os.environ.get("TINYGRAD_NOTES_KERNELS") == "0":
        return None
    try:
        compiled = import_module(f".{room}", __package__)
    except ImportError:
        return None
    loop = getattr(compiled, name)
    found: Callable[..., Array] = getattr(loop, "ufunc", loop)  # numpy's own ufunc: half the cost of a call through Numba's
    return found


@cache
def _numpy_wins(name: str) -> bool:
    """Whether numpy has a float32 loop of this function for the processor's AVX-512, the only one that is faster than ours."""
    try:
        from numpy.lib.introspect import opt_func_info
    except ImportError:
        return False
    loops = opt_func_info(f"^{name}$", "^f").get(name, {})
    return any(loop["current"].startswith(("AVX512", "X86_V4")) for loop in loops.values())  # X86_V4 is AVX-512's newer name


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    if type(x) is np.ndarray and x.size >= GATE and x.dtype is _FLOAT32 and not _numpy_wins("tanh"):
        compiled = jitted("tanh32")
        return np.tanh(x) if compiled is None else compiled(x)
    return np.tanh(x)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    if type(x) is np.ndarray and x.size >= GATE and x.dtype is _FLOAT32 and (compiled := jitted("sigmoid32")) is not None:
        return compiled(x)
    return 1 / (1 + np.exp(-x))


def erf(x: Any) -> Any:
    """``2 / sqrt(pi)`` times the integral of ``exp(-t*t)`` from 0 to x."""
    return _by_libm("erf", math.erf, x)


def erfc(x: Any) -> Any:
    """``1 - erf(x)``, with all its digits where that is small."""
    return _by_libm("erfc", math.erfc, x)


def _by_libm(name: str, function: Callable[[float], float], x: Array) -> Array:
    """numpy has no such function: C's, in a compiled loop, or element by element."""
    if x.size >= GATE and (compiled := jitted(name, "jit_libm")) is not None:
        return compiled(x)
    return np.asarray(np.frompyfunc(function, 1, 1)(x), x.dtype)
