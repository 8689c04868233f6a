"""numpy ufuncs made of native loops: broadcasting, any strides, ``out=`` and ``where=`` are numpy's own, the arithmetic is ours.

numpy calls a loop with pointers to the operands, the number of elements and the steps between them, without the interpreter's lock
(NumPy C API, ``PyUFuncGenericFunction``); contiguous operands of any rank come as one long run, which the loop shares with the team.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from . import native, team

__all__ = ["ufunc"]

_FROM_FUNC_AND_DATA = 1
"""Place of ``PyUFunc_FromFuncAndData`` in numpy's table of functions for C, fixed since 1.0."""

_kept: list[Any] = []
"""What the ufuncs point to."""


@cache
def ufunc(room: str, name: str, types: str, outputs: int = 1) -> np.ufunc | None:
    """The ufunc of the loop ``name``; None where there are no kernels.

    types    numpy's type characters of all operands, the outputs last: "fff"
    outputs  how many of them are outputs
    """
    if not native.available():
        return None
    loop = native.address(room, name)
    functions = (ctypes.c_void_p * 1)(loop)
    words = (ctypes.c_int64 * 2)(team.memory(), loop)
    data = (ctypes.c_void_p * 1)(ctypes.addressof(words))
    characters = ctypes.create_string_buffer(bytes(np.dtype(t).num for t in types))
    text = name.encode()
    _kept.append((functions, words, data, characters, text))
    inputs = len(types) - outputs
    return _maker()(functions, data, characters, 1, inputs, outputs, -1, text, None, 0)  # type: ignore[no-any-return]


@cache
def _maker() -> Callable[..., Any]:
    from numpy._core import _multiarray_umath  # type: ignore[attr-defined] # where numpy keeps its tables for C

    address = native.slot(_multiarray_umath._UFUNC_API, _FROM_FUNC_AND_DATA)
    pointer, number = ctypes.c_void_p, ctypes.c_int
    parameters = (pointer, pointer, pointer, number, number, number, number, ctypes.c_char_p, ctypes.c_char_p, number)
    return ctypes.PYFUNCTYPE(ctypes.py_object, *parameters)(address)
