"""Memory of arrays, used again while it is warm.

A fresh array of 256 KB costs 64 page faults, more than the arithmetic on it: the system gives memory in pages of 4 KB, each at its first
touch, and takes them back when the array goes. numpy lets a context choose who allocates (NEP 49, ``PyDataMem_SetHandler``); in the
context in which operations run, it is this pool. Arrays made elsewhere are none of its business. It keeps at most ``CAP`` bytes.
"""

from __future__ import annotations

import ctypes
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np

from . import layout, native

__all__ = ["drain", "is_used", "kept", "use", "wanted"]

CAP = 1 << 28
"""Bytes of free blocks that are kept: 256 MB."""
_SET_HANDLER = 304
"""Place of ``PyDataMem_SetHandler`` in numpy's table of functions for C."""


class _Handler(ctypes.Structure):
    """``PyDataMem_Handler`` of numpy's ``ndarraytypes.h``, version 1."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("state", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p),
        ("calloc", ctypes.c_void_p),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )


class _Pool:
    """The pool's state and the capsule by which numpy knows it. Never freed: arrays may outlive everything else."""

    def __init__(self) -> None:
        self.words = np.zeros(layout.STATE, np.int64)
        library = ctypes.CDLL(None)
        names = {
            layout.ALIGNED_ALLOC: "aligned_alloc",
            layout.FREE: "free",
            layout.MEMSET: "memset",
            layout.MEMCPY: "memcpy",
            layout.MADVISE: "madvise",
        }
        for place, name in names.items():
            self.words[place] = native.symbol(library, name)
        self.words[layout.CAP] = CAP
        functions = (native.address("pool", name) for name in ("malloc", "calloc", "realloc", "free"))
        self.handler = _Handler(b"tinygrad_notes", 1, self.words.ctypes.data, *functions)
        make = ctypes.pythonapi.PyCapsule_New
        make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
        self.capsule = make(ctypes.addressof(self.handler), b"mem_handler", None)
        self._drain = ctypes.CFUNCTYPE(None, ctypes.c_int64)(native.address("pool", "drain"))
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def drain(self) -> None:
        self._drain(self.words.ctypes.data)


@cache
def _pool() -> _Pool:
    return _Pool()


@cache
def _set_handler() -> Any:
    from numpy._core import _multiarray_umath  # type: ignore[attr-defined] # where numpy keeps its tables for C

    address = native.slot(_multiarray_umath._ARRAY_API, _SET_HANDLER)
    return ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(address)


wanted: ContextVar[bool] = ContextVar("wanted", default=False)
"""Whether this is a context in which operations run, made for nothing else (``quiet.py``): only there the pool may be set."""


def use() -> None:
    """Let arrays that are made in the current context come from the pool, if operations run in it and there are kernels."""
    if wanted.get() and native.available():
        _set_handler()(_pool().capsule)


def is_used() -> bool:
    """Whether the pool was ever asked for."""
    return _pool.cache_info().currsize > 0


def kept() -> int:
    """Bytes that wait to be used again."""
    return int(_pool().words[layout.KEPT]) if is_used() else 0


def drain() -> None:
    """Give all memory that waits back to the system."""
    if is_used():
        _pool().drain()
