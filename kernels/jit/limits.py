"""The machine's own limits, as kernels meet them: multiply-adds per second of a core, bytes per second of all."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..limits import CHAINS
from ..native import widths
from .memory import i64, share
from .tiles import I64, Vector

__all__ = ["KERNELS"]

WIDTH = widths()[0]
UNIT = 4096
"""Bytes that no split divides."""


def _peak(bits: int) -> Any:
    v = Vector(bits, WIDTH)

    @intrinsic
    def chains(context: Any, rounds: Any) -> Any:
        """``x = 0.5 x + 0.5`` in every lane of every chain, ``rounds`` times; a number that depends on all of them."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            b, before = builder, builder.block
            loop, end = b.function.append_basic_block("loop"), b.function.append_basic_block("end")
            b.branch(loop)
            b.position_at_end(loop)
            left = b.phi(I64)
            values = [b.phi(v.type) for _ in range(CHAINS)]
            half = ir.Constant(v.type, [0.5] * v.lanes)
            after = [v.fma(b, value, half, half) for value in values]
            less = b.sub(left, I64(1))
            starts = [ir.Constant(v.type, [float(i)] * v.lanes) for i in range(CHAINS)]
            for phi, first, following in ((left, arguments[0], less), *zip(values, starts, after, strict=True)):
                phi.add_incoming(first, before)
                phi.add_incoming(following, loop)
            b.cbranch(b.icmp_signed(">", less, I64(0)), loop, end)
            b.position_at_end(end)
            total = after[0]
            for value in after[1:]:
                total = b.fadd(total, value)
            return b.fptosi(b.extract_element(total, ir.IntType(32)(0)), I64)

        return types.int64(types.int64), generate

    def peak(args, tid, nt, team):
        """args: rounds, where to write what comes out (one word for each thread)."""
        words = i64(args)
        i64(words[1])[tid] = chains(words[0])

    return peak


def _mover(combine: bool, stream: bool) -> Any:
    """``move(to, a, b)``: one vector of a, or of a + 0.5 b; with ``stream`` past the caches, which need not read the line first."""
    v = Vector(32, WIDTH)

    @intrinsic
    def move(context: Any, to: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            to, a, b = (builder.inttoptr(x, v.type.as_pointer()) for x in arguments)
            value = v.load(builder, a)
            if combine:
                value = v.fma(builder, v.load(builder, b), ir.Constant(v.type, [0.5] * v.lanes), value)
            stored = builder.store(value, to)
            stored.align = v.size
            if stream:
                stored.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 3), generate

    return move


def _moving(combine: bool) -> Any:
    keep, stream = _mover(combine, False), _mover(combine, True)
    step = WIDTH // 8

    def move(args, tid, nt, team):
        """args: addresses of out, a and b, bytes (whole lines, all aligned to lines), whether to write past the caches, how often."""
        words = i64(args)
        out, a, b, size, past, times = words[0], words[1], words[2], words[3], words[4], words[5]
        start, stop = share(size, UNIT, tid, nt)
        for _ in range(times):
            if past != 0:
                for i in range(start, stop, step):
                    stream(out + i, a + i, b + i)
            else:
                for i in range(start, stop, step):
                    keep(out + i, a + i, b + i)

    return move


KERNELS = {"fma_peak_f32": _peak(32), "fma_peak_f64": _peak(64), "copy": _moving(False), "triad": _moving(True)}
