"""Native code of kernels: compiled by Numba once, kept on disk as object files, loaded again without Numba.

``address("room", "name")`` is what the rest uses. Kernels exist on Linux x86-64 with AVX2 and FMA; elsewhere, without Numba,
or with ``TINYGRAD_NOTES_KERNELS=0`` there are none, and numpy does all the work.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import sys
import sysconfig
import threading
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from . import cache as disk

__all__ = ["address", "available", "builtin", "every", "features", "kernels_wanted", "slot", "symbol", "widths"]

_lock = threading.Lock()
_definitions: list[_MethodDef] = []
_addresses: dict[tuple[str, str], int] = {}


def kernels_wanted() -> bool:
    """Whether kernels may be used here: not switched off, and a machine they are written for."""
    return (
        os.environ.get("TINYGRAD_NOTES_KERNELS") != "0"
        and sys.platform == "linux"
        and platform.machine() == "x86_64"
        and sys.implementation.name == "cpython"
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
    )


def available() -> bool:
    """Whether there are kernels here."""
    return _machine() is not None


def address(room: str, name: str) -> int:
    """Where the kernel's native code stands; compiled (0.1 to 1 s) or loaded (1 ms) when first asked for.

    Raises RuntimeError where there are no kernels (``available``).
    """
    key = room, name
    try:
        return _addresses[key]
    except KeyError:
        with _lock:
            if key not in _addresses:
                machine = _machine()
                if machine is None:
                    raise RuntimeError(
                        f"kernel {room}.{name}: there are no kernels on this machine, or they are switched off"
                    ) from None
                _addresses[key] = machine.address(room, name)
            return _addresses[key]


def every() -> list[tuple[str, str]]:
    """Room and name of every kernel but those made from the text of expressions (``fused.py``). Imports Numba."""
    folder = Path(__file__).with_name("jit")
    rooms = {path.stem: import_module(f".jit.{path.stem}", __package__) for path in sorted(folder.glob("*.py"))}
    return [(room, name) for room, module in rooms.items() for name in getattr(module, "KERNELS", ())]


def features() -> frozenset[str]:
    """The processor's features by LLVM's names; empty where there are no kernels."""
    machine = _machine()
    return frozenset() if machine is None else machine.features


@cache
def widths() -> tuple[int, ...]:
    """Widths in bits of the vector registers that kernels can use here, the best first; none where there are no kernels."""
    if not available():
        return ()
    return (512, 256) if {"avx512f", "avx512vl", "avx512dq", "avx512bw"} <= features() else (256,)


@cache
def _machine() -> _Machine | None:
    if not kernels_wanted():
        return None
    try:
        machine = _Machine()
    except ImportError:
        return None
    return machine if {"avx2", "fma"} <= machine.features and _layout_is_known() else None


def _layout_is_known() -> bool:
    """Whether numpy's array objects have their fields where kernels read them."""
    array = np.zeros((2, 3, 4), np.int32)[:, ::2]
    head = object.__basicsize__
    words = (ctypes.c_int64 * (head // 8 + 7)).from_address(id(array))[head // 8 :]
    if words[0] != array.ctypes.data or words[5] != id(array.dtype) or words[6] & 0xFFFFFFFF != array.flags.num:
        return False
    return [tuple((ctypes.c_int64 * 3).from_address(words[i])) for i in (2, 3)] == [array.shape, array.strides]


def symbol(library: ctypes.CDLL, name: str) -> int:
    """Address of a library's function."""
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0


def slot(table: Any, place: int) -> int:
    """Address of a function in one of numpy's tables for C, which are capsules."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return (ctypes.c_int64 * (place + 1)).from_address(get(table, None))[place]


class _MethodDef(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p))


def builtin(room: str, name: str, table: bytes | None = None) -> Callable[..., Any]:
    """A native function as a builtin one: a call costs 50 ns, by ctypes 800.

    Without a table it is ``(self, argument) -> object`` and takes one argument; with one, ``(table, arguments, how many) ->
    object``, and takes any number by position.
    """
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    flags = 0x0008 if table is None else 0x0080  # METH_O, METH_FASTCALL
    definition = _MethodDef(name.encode(), address(room, name), flags, None)
    _definitions.append(definition)  # the function points to it
    function: Callable[..., Any] = make(ctypes.addressof(definition), table, None)
    return function


class _Machine:
    """LLVM for this processor: object code in, addresses out."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.llvm = llvm
        self.cpu = llvm.get_host_cpu_name()
        table = llvm.get_host_cpu_features()
        self.features = frozenset(name for name, there in table.items() if there)
        self._target = llvm.Target.from_default_triple().create_target_machine(
            cpu=self.cpu, features=table.flatten(), opt=3, codemodel="jitdefault", jit=True
        )
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._target)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._engine))  # code must outlive the threads that may run it at exit
        self._store = disk.Store(f"{self.cpu} {table.flatten()}")

    def address(self, room: str, name: str) -> int:
        symbol = f"{room}.{name if name.isidentifier() else hashlib.sha256(name.encode()).hexdigest()[:24]}"
        code = self._store.get(symbol, lambda: self._compile(room, name, symbol))
        self._engine.add_object_file(self.llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        found: int = self._engine.get_function_address(symbol)
        return found

    def _compile(self, room: str, name: str, symbol: str) -> bytes:
        """The kernel's object code: Numba's optimised IR, called by a function of plain C arguments."""
        module = import_module(f".jit.{room}", __package__)
        if name in getattr(module, "TEXTS", ()):  # LLVM's own language already
            return bytes(self._target.emit_object(self.llvm.parse_assembly(module.TEXTS[name](symbol))))
        from numba import njit, types

        from .jit.memory import OPTIONS

        function = module.KERNELS[name]
        count = function.__code__.co_argcount
        compiled: Any = njit((types.int64,) * count, **OPTIONS)(function)
        (result,) = compiled.overloads.values()
        inner = result.fndesc.llvm_func_name
        module = self.llvm.parse_assembly(result.library.get_llvm_str())
        parameters = ", ".join(f"i64 %a{i}" for i in range(count))
        module.link_in(
            self.llvm.parse_assembly(
                f'declare i32 @"{inner}"(ptr, ptr, {", ".join(["i64"] * count)})\n'
                f'define i64 @"{symbol}"({parameters}) {{\n'
                f'%r = alloca i64\n%e = alloca ptr\n%s = call i32 @"{inner}"(ptr %r, ptr %e, {parameters})\n'
                "%v = load i64, ptr %r\nret i64 %v\n}\n"
            )
        )
        for thing in [*module.functions, *module.global_variables]:
            if not thing.is_declaration and thing.name != symbol:
                thing.linkage = "internal"
        module.verify()
        code: bytes = self._target.emit_object(module)
        return code
