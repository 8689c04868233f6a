"""Vector math as loops of ufuncs: ``exp_f32``, ``exp_f64`` and so on, from the formulas.

Every element goes through one vector loop, whole vectors and the masked rest alike, so that its bits depend on itself alone: not
on its place, the length, the strides or the number of threads. Strided operands pass through a block on the stack. The loops leave
the processor's floating-point flags as they found them: no warnings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from ..native import features
from . import formulas, huge
from .constants import FLOAT32, FLOAT64
from .lanes import Lanes, absolute
from .memory import OPTIONS, f32, f64, i64, share, space
from .scalar import get_state, set_state
from .team import launch

__all__ = ["KERNELS"]

UNIT = 256
"""Elements that no split between threads divides."""
BLOCK = 64
"""Elements that strided operands pass through at a time."""
CHUNK = 1024
"""Elements that are looked through for huge arguments at a time."""
WORTH = 8_000
"""Cycles of work from which a loop is offered to the team."""

_I64, _POINTER = ir.IntType(64), ir.IntType(8).as_pointer()
WIDE = "avx512f" in features()
BYTES, STREAMS = (64, 4) if WIDE else (32, 2)
"""Bytes of a vector, and how many of them are computed side by side: as many as there are registers for."""


def _vectors(name: str, cast: Any, write: Callable[[ir.IRBuilder, Any, ir.Value], ir.Value | None], result: bool) -> Any:
    """An intrinsic ``function(source, target, n)`` that calls a native function of its own of the name, so that there is one copy.

    ``write(builder, lanes, total)`` gets the values of some vectors and gives those to store, or the new total.
    """
    element, size = (ir.FloatType(), 4) if cast is f32 else (ir.DoubleType(), 8)
    count = BYTES // size
    vector, mask = ir.VectorType(element, count), ir.VectorType(ir.IntType(1), count)

    def define(module: ir.Module) -> ir.Function:
        function = ir.Function(module, ir.FunctionType(_I64, [_I64] * 3), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        if WIDE:
            set.add(function.attributes, '"prefer-vector-width"="512"')
        source, target, n = function.args
        entry, head, whole, test, rest, end = (
            function.append_basic_block(b) for b in ("entry", "head", "whole", "test", "rest", "end")
        )
        builder = ir.IRBuilder(entry)
        builder.branch(head)

        def loop(block: ir.Block, before: ir.Block, step: int) -> tuple[ir.PhiInstr, ir.PhiInstr, ir.Value]:
            builder.position_at_end(block)
            i, total = builder.phi(_I64), builder.phi(_I64)
            return i, total, builder.add(i, _I64(step))

        def place(base: ir.Value, i: ir.Value, plus: int, kind: ir.Type) -> ir.Value:
            return builder.inttoptr(builder.add(base, builder.mul(builder.add(i, _I64(plus)), _I64(size))), kind.as_pointer())

        i, total, after = loop(head, entry, count * STREAMS)
        i.add_incoming(_I64(0), entry)
        total.add_incoming(_I64(0), entry)
        builder.cbranch(builder.icmp_signed("<=", after, n), whole, test)
        builder.position_at_end(whole)
        loaded = []
        for stream in range(STREAMS):
            loaded.append(builder.load(place(source, i, stream * count, vector)))
            loaded[-1].align = size
        written = write(builder, Lanes(builder, loaded), total)
        if not result:
            for stream, value in enumerate(written.values):
                builder.store(value, place(target, i, stream * count, vector)).align = size
        i.add_incoming(after, builder.block)
        total.add_incoming(written if result else total, builder.block)
        builder.branch(head)

        j, rest_total, following = loop(test, head, count)
        j.add_incoming(i, head)
        rest_total.add_incoming(total, head)
        builder.cbranch(builder.icmp_signed("<", j, n), rest, end)
        builder.position_at_end(rest)
        numbers = ir.Constant(ir.VectorType(_I64, count), [_I64(k) for k in range(count)])
        left = builder.insert_element(ir.Constant(ir.VectorType(_I64, count), ir.Undefined), builder.sub(n, j), _I64(0))
        spread = builder.shuffle_vector(
            left, left, ir.Constant(ir.VectorType(ir.IntType(32), count), [ir.IntType(32)(0)] * count)
        )
        there = builder.icmp_signed("<", numbers, spread)
        kind = f"v{count}f{size * 8}.p0"
        load = _declared(module, f"llvm.masked.load.{kind}", vector, [vector.as_pointer(), ir.IntType(32), mask, vector])
        zeros = ir.Constant(vector, [element(0.0)] * count)
        values = Lanes(builder, [builder.call(load, [place(source, j, 0, vector), ir.IntType(32)(size), there, zeros])])
        written = write(builder, values, rest_total)
        if not result:
            store = _declared(
                module, f"llvm.masked.store.{kind}", ir.VoidType(), [vector, vector.as_pointer(), ir.IntType(32), mask]
            )
            builder.call(store, [written.values[0], place(target, j, 0, vector), ir.IntType(32)(size), there])
        j.add_incoming(following, builder.block)
        rest_total.add_incoming(written if result else rest_total, builder.block)
        builder.branch(test)
        builder.position_at_end(end)
        builder.ret(rest_total)
        return function

    @intrinsic
    def call(context: Any, source: Any, target: Any, n: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            function = builder.module.globals.get(name) or define(builder.module)
            return builder.call(function, arguments)

        return types.int64(types.int64, types.int64, types.int64), generate

    return call


def _declared(module: ir.Module, name: str, result: ir.Type, parameters: list[ir.Type]) -> ir.Function:
    return module.globals.get(name) or ir.Function(module, ir.FunctionType(result, parameters), name)


def _mapped(formula: Callable[[Any, Lanes], Lanes], cast: Any) -> Any:
    """``mapped(source, target, n)``: the formula of every element, contiguous."""
    c = FLOAT32 if cast is f32 else FLOAT64
    return _vectors(f"{formula.__name__}.all", cast, lambda builder, x, total: formula(c, x), False)


def _any_huge(cast: Any) -> Any:
    """``any_huge(source, 0, n)``: not 0 if the sine's formula does not hold for some finite element."""
    c = FLOAT32 if cast is f32 else FLOAT64

    def write(builder: ir.IRBuilder, x: Lanes, total: ir.Value) -> ir.Value:
        a = absolute(x)
        for mask in ((a > c["huge"]) & (a < float("inf"))).values:
            count = mask.type.count
            found = builder.zext(builder.bitcast(mask, ir.IntType(count)), _I64)
            total = builder.or_(total, found)
        return total

    return _vectors("huge.any", cast, write, True)


def loop(
    formula: Callable[[Any, Lanes], Lanes], cast: Any, cost: int, slow: Any = None
) -> Callable[[int, int, int, int], None]:
    """The ufunc's loop of the formula (``loops.py`` says what its arguments are).

    cast  ``f32`` or ``f64``
    cost  cycles that 16 elements take
    slow  the function of one number for arguments that the formula does not cover: circular functions' huge ones
    """
    size = 4 if cast is f32 else 8
    mapped, any_huge = _mapped(formula, cast), _any_huge(cast)

    if slow is None:

        @njit(**OPTIONS)
        def contiguous(x, y, n):
            mapped(x, y, n)

    else:

        @njit(**OPTIONS)
        def patched(x, y, n):
            """At most a block, whose huge elements are computed one by one."""
            block = space(64)
            mapped(x, block, n)
            for i in range(n):
                cast(y)[i] = slow(cast(x)[i]) if any_huge(x + i * size, 0, 1) else cast(block)[i]

        @njit(**OPTIONS)
        def contiguous(x, y, n):
            for start in range(0, n, CHUNK):
                count = min(CHUNK, n - start)
                at, to = x + start * size, y + start * size
                if any_huge(at, 0, count) == 0:
                    mapped(at, to, count)
                else:
                    for i in range(0, count, BLOCK):
                        patched(at + i * size, to + i * size, min(BLOCK, count - i))

    @njit(**OPTIONS)
    def strided(x, dx, y, dy, n):
        block = space(64)
        for start in range(0, n, BLOCK):
            count = min(BLOCK, n - start)
            for i in range(count):
                cast(block)[i] = cast(x + (start + i) * dx)[0]
            contiguous(block, block, count)
            for i in range(count):
                cast(y + (start + i) * dy)[0] = cast(block)[i]

    @njit(**OPTIONS)
    def whole(args, n, dx, dy, data):
        x, y = i64(args)[0], i64(args)[1]
        work = n * cost >> 4
        if dx != size or dy != size:
            strided(x, dx, y, dy, n)
        elif work > WORTH:
            words = space(3)
            i64(words)[0], i64(words)[1], i64(words)[2] = x, y, n
            launch(i64(data)[0], i64(data)[1], words + 1, work)
        else:
            contiguous(x, y, n)

    def loop(args, dims, steps, data):
        state = space(1)
        get_state(state)
        if args & 1:
            block = i64(args - 1)
            start, stop = share(block[2], UNIT, dims, steps)
            contiguous(block[0] + start * size, block[1] + start * size, stop - start)
        else:
            whole(args, i64(dims)[0], i64(steps)[0], i64(steps)[1], data)
        set_state(state)

    return loop


# Cycles of 16 elements in float32 and in float64, measured in the first cache with AVX-512.
COSTS: dict[Callable[..., Lanes], tuple[int, int]] = {
    formulas.exp: (12, 28),
    formulas.expm1: (14, 34),
    formulas.log: (17, 54),
    formulas.log1p: (23, 68),
    formulas.tanh: (17, 48),
    formulas.sigmoid: (18, 48),
    formulas.logsigmoid: (24, 85),
    formulas.erf: (30, 105),
    formulas.erfc: (31, 92),
    formulas.gelu: (29, 92),
    formulas.gelu_tanh: (42, 105),
}

KERNELS: dict[str, Callable[..., None]] = {}
for _formula, _costs in COSTS.items():
    for _cast, _name, _cost in zip((f32, f64), ("f32", "f64"), _costs, strict=True):
        KERNELS[f"{_formula.__name__}_{_name}"] = loop(_formula, _cast, _cost)
for _quarter, _formula in enumerate((formulas.sin, formulas.cos)):
    for _cast, _name, _cost in zip((f32, f64), ("f32", "f64"), (17, 40), strict=True):
        KERNELS[f"{_formula.__name__}_{_name}"] = loop(_formula, _cast, _cost, huge.circular(_quarter, _cast))
