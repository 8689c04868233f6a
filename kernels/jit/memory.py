"""Addresses, numpy's array objects, atomics: what kernels read and write.

A kernel gets addresses as int64. An array argument is the address of its numpy object (``id(array)`` in CPython), whose fields stand
at fixed places (``PyArrayObject_fields`` in numpy's ``ndarraytypes.h``, part of its stable binary interface); ``native.py`` checks
them once before any kernel is used.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from ..layout import FLAGS, LINE, YIELD

__all__ = [
    "OPTIONS", "add", "barrier", "be_patient", "call0", "call1", "call2", "call3", "call4", "cas", "cycles", "data", "f32", "f64", "flush",
    "i32", "i64", "load", "pause", "set_to", "shape", "share", "space", "store", "stride", "u8", "wide",
]  # fmt: skip

OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "boundscheck": False,
    "nogil": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
"""Options of a kernel: nothing in it raises, allocates or calls Python."""

HEAD = object.__basicsize__  # PyObject_HEAD
PAYLOAD = bytes.__basicsize__ - 1
"""Where a bytes object has its bytes."""
WORD = 8

POLLS = 256
"""Looks at a word before the first ``pause``, which takes 140 cycles on some processors."""
PATIENCE = 1024
"""Looks before the core is offered to others: about 0.05 ms. More threads than free cores must make progress too."""

_I64 = ir.IntType(64)


def _pointer(ty: Any, llvm: ir.Type) -> Any:
    @intrinsic
    def cast(context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], llvm.as_pointer())

        return types.CPointer(ty)(types.int64), generate

    return cast


f32 = _pointer(types.float32, ir.FloatType())
f64 = _pointer(types.float64, ir.DoubleType())
i64 = _pointer(types.int64, _I64)
i32 = _pointer(types.int32, ir.IntType(32))
u8 = _pointer(types.uint8, ir.IntType(8))


def _at(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _I64.as_pointer())


@intrinsic
def load(context: Any, address: Any) -> Any:
    """The word there, in order with other atomics."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_at(builder, arguments[0]), "seq_cst", WORD)

    return types.int64(types.int64), generate


@intrinsic
def store(context: Any, address: Any, value: Any) -> Any:
    """Write the word there, after all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], _at(builder, arguments[0]), "release", WORD)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def set_to(context: Any, address: Any, value: Any) -> Any:
    """Exchange the word there: like ``store``, and nothing that follows is done before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("xchg", _at(builder, arguments[0]), arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def add(context: Any, address: Any, value: Any) -> Any:
    """Add to the word there; what it was before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _at(builder, arguments[0]), arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def cas(context: Any, address: Any, old: Any, new: Any) -> Any:
    """Write ``new`` where ``old`` stands; whether it did."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pair = builder.cmpxchg(_at(builder, arguments[0]), arguments[1], arguments[2], "seq_cst", "seq_cst")
        return builder.zext(builder.extract_value(pair, 1), _I64)

    return types.int64(types.int64, types.int64, types.int64), generate


def _instruction(name: str, returns: Any) -> Any:
    @intrinsic
    def emit(context: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.VoidType() if returns is types.void else _I64
            function = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(kind, []), name)
            result = builder.call(function, [])
            return context.get_dummy_value() if returns is types.void else result

        return returns(), generate

    return emit


pause = _instruction("llvm.x86.sse2.pause", types.void)
flush = _instruction("llvm.x86.sse.sfence", types.void)
"""What was written past the caches can be read by other threads after what follows."""
cycles = _instruction("llvm.readcyclecounter", types.int64)


def _caller(count: int) -> Any:
    """``call(address, a, b, ...)``: call the native function there, of ``count`` int64 arguments."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_I64, [_I64] * count)
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), list(arguments[1:]))

    signature = types.int64(*[types.int64] * (count + 1))
    if count == 0:
        return intrinsic(lambda context, f: (signature, generate))
    if count == 1:
        return intrinsic(lambda context, f, a: (signature, generate))
    if count == 2:
        return intrinsic(lambda context, f, a, b: (signature, generate))
    if count == 3:
        return intrinsic(lambda context, f, a, b, c: (signature, generate))
    return intrinsic(lambda context, f, a, b, c, d: (signature, generate))


call0, call1, call2, call3, call4 = (_caller(count) for count in range(5))


@intrinsic
def wide(context: Any) -> Any:
    """Let LLVM use registers of 512 bits here, which it shuns by itself on some processors that have them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')  # the set's own `add` knows no such attributes
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic(prefer_literal=True)
def space(context: Any, words: Any) -> Any:
    """Address of so many words (a literal number) of the caller's stack."""
    if not isinstance(words, types.IntegerLiteral):
        raise TypeError("space: the number of words must be a literal")
    count = words.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        with builder.goto_entry_block():
            block = builder.alloca(ir.ArrayType(_I64, count))
        return builder.ptrtoint(block, _I64)

    return types.int64(words), generate


# ---- numpy's array objects ----


@njit(inline="always", **OPTIONS)
def data(array):
    """Address of the first element."""
    return i64(array)[HEAD // WORD]


@njit(inline="always", **OPTIONS)
def shape(array, axis):
    return i64(i64(array)[HEAD // WORD + 2])[axis]


@njit(inline="always", **OPTIONS)
def stride(array, axis):
    """Bytes from one element to the next along the axis."""
    return i64(i64(array)[HEAD // WORD + 3])[axis]


# ---- sharing work ----


@njit(inline="always", **OPTIONS)
def share(n, unit, tid, nt):
    """Thread ``tid``'s part (start, stop) of n elements, in whole units."""
    units = (n + unit - 1) // unit
    return min(units * tid // nt * unit, n), min(units * (tid + 1) // nt * unit, n)


@njit(inline="always", **OPTIONS)
def be_patient(team, tries):
    """What a thread does between two looks at what another will write: nothing, rest a moment, let others have the core."""
    if tries > PATIENCE:
        call0(load(team + YIELD))
    elif tries > POLLS:
        pause()


@njit(**OPTIONS)
def barrier(team, tid, nt):
    """Wait until all threads of the team are here; what each wrote before, all can read after."""
    if nt == 1:
        return
    mine = team + FLAGS + tid * LINE
    turn = load(mine) + 1
    set_to(mine, turn)
    for other in range(nt):
        tries = 0
        while load(team + FLAGS + other * LINE) < turn:
            tries += 1
            be_patient(team, tries)
