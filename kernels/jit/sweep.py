"""The native side of ``sweep.py``: a program's text as LLVM's, on vectors of 512 bits, two for one where registers are shorter.

Arguments of a kernel: the number of rows; the program's numbers, of float64; then per row its elements and its arrays (numpy
objects). Every thread takes its part of each row. A short end goes through the same instructions, masked.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from ..sweep import Program, parsed

__all__ = ["TEXTS"]

UNIT = 1024
"""Elements that no split divides: whole vectors and cache lines."""
BYTES = 64

_I1, _I32, _I64, _F64 = ir.IntType(1), ir.IntType(32), ir.IntType(64), ir.DoubleType()
_DATA = object.__basicsize__
"""Where a numpy array's object has the address of its first element."""
_OPERATORS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv", ast.Or: "or_", ast.And: "and_"}
_SIGNS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class _Writer:
    """Writes one program as a function of a module."""

    def __init__(self, program: Program, symbol: str) -> None:
        self.program = program
        self.element, self.scalar, self.size = (
            (ir.FloatType(), np.float32, 4) if program.dtype == "f32" else (ir.DoubleType(), np.float64, 8)
        )
        self.lanes = BYTES // self.size
        self.vector = ir.VectorType(self.element, self.lanes)
        self.module = ir.Module(symbol)
        self.function = ir.Function(self.module, ir.FunctionType(_I64, [_I64] * 4), symbol)
        set.add(self.function.attributes, '"prefer-vector-width"="512"')  # the set's own `add` knows no such attributes
        self.builder = ir.IRBuilder(self.function.append_basic_block("entry"))

    def word(self, address: Any, kind: Any = _I64) -> Any:
        return self.builder.load(self.builder.inttoptr(address, kind.as_pointer()))

    def after(self, address: Any, words: int) -> Any:
        return self.builder.add(address, _I64(8 * words))

    def spread(self, value: Any) -> Any:
        """The scalar in every lane."""
        kind = ir.VectorType(value.type, self.lanes)
        one = self.builder.insert_element(ir.Constant(kind, ir.Undefined), value, _I32(0))
        places = ir.Constant(ir.VectorType(_I32, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), places)

    def named(self, name: str, kind: Any, *arguments: Any) -> Any:
        """A call of LLVM's intrinsic function of that name."""
        parameters = [a.type for a in arguments]
        found = self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(kind, parameters), name)
        return self.builder.call(found, arguments)

    # ---- the loops ----

    def write(self) -> str:
        b = self.builder
        args, tid, threads, _ = self.function.args
        numbers = {}
        for k, name in enumerate(self.program.numbers):
            value = self.word(self.after(args, 1 + k), _F64)
            numbers[name] = self.spread(value if self.size == 8 else b.fptrunc(value, self.element))
        rows, first = self.word(args), self.after(args, 1 + len(numbers))
        entry = b.block
        head, row, whole, some, following, end = (
            self.function.append_basic_block(name) for name in ("head", "row", "whole", "some", "following", "end")
        )
        b.branch(head)

        b.position_at_end(head)
        left, at = b.phi(_I64), b.phi(_I64)
        left.add_incoming(rows, entry)
        at.add_incoming(first, entry)
        b.cbranch(b.icmp_signed(">", left, _I64(0)), row, end)

        b.position_at_end(row)
        places = [self.word(b.add(self.word(self.after(at, 1 + k)), _I64(_DATA))) for k in range(len(self.program.arrays))]
        start, stop = self.share(self.word(at), tid, threads)
        last = b.sub(stop, _I64(self.lanes))
        loop = self.function.append_basic_block("loop")
        b.branch(loop)

        b.position_at_end(loop)
        i = b.phi(_I64)
        i.add_incoming(start, row)
        b.cbranch(b.icmp_signed("<=", i, last), whole, some)

        b.position_at_end(whole)
        self.body(numbers, places, i, None)
        i.add_incoming(b.add(i, _I64(self.lanes)), whole)
        b.branch(loop)

        b.position_at_end(some)
        rest = self.function.append_basic_block("rest")
        b.cbranch(b.icmp_signed("<", i, stop), rest, following)
        b.position_at_end(rest)
        counted = self.spread(b.trunc(b.sub(stop, i), _I32))
        numbered = ir.Constant(ir.VectorType(_I32, self.lanes), list(range(self.lanes)))
        self.body(numbers, places, i, b.icmp_signed("<", numbered, counted))
        b.branch(following)

        b.position_at_end(following)
        left.add_incoming(b.sub(left, _I64(1)), following)
        at.add_incoming(self.after(at, 1 + len(places)), following)
        b.branch(head)

        b.position_at_end(end)
        b.ret(_I64(0))
        return str(self.module)

    def share(self, n: Any, tid: Any, threads: Any) -> tuple[Any, Any]:
        """The thread's part of n elements: ``memory.share``."""
        b = self.builder
        units = b.sdiv(b.add(n, _I64(UNIT - 1)), _I64(UNIT))

        def bound(number: Any) -> Any:
            found = b.mul(b.sdiv(b.mul(units, number), threads), _I64(UNIT))
            return b.select(b.icmp_signed("<", found, n), found, n)

        return bound(tid), bound(b.add(tid, _I64(1)))

    # ---- a vector of elements ----

    def body(self, numbers: dict[str, Any], places: list[Any], i: Any, mask: Any) -> None:
        """Load, compute, store: the vector from element i on, or the lanes of it that the mask names."""
        b, suffix = self.builder, f"v{self.lanes}f{8 * self.size}.p0"
        offset = b.mul(i, _I64(self.size))
        pointers = {
            name: b.inttoptr(b.add(place, offset), self.vector.as_pointer())
            for name, place in zip(self.program.arrays, places, strict=True)
        }
        values = dict(numbers)
        for name, pointer in pointers.items():
            if mask is None:
                values[name] = b.load(pointer, align=self.size)
            else:
                zeros = ir.Constant(self.vector, None)
                values[name] = self.named(f"llvm.masked.load.{suffix}", self.vector, pointer, _I32(self.size), mask, zeros)
        for name, expression in self.program.steps:
            values[name] = self.value(expression, values)
        for name, of in self.program.written.items():
            if mask is None:
                b.store(values[of], pointers[name], align=self.size)
            else:
                self.named(f"llvm.masked.store.{suffix}", ir.VoidType(), values[of], pointers[name], _I32(self.size), mask)

    def value(self, e: ast.expr, values: dict[str, Any]) -> Any:
        """The vector of an expression, or the mask of a condition."""
        b = self.builder

        def of(part: ast.expr) -> Any:
            return self.value(part, values)

        match e:
            case ast.Name(name):
                return values[name]
            case ast.Constant(number):
                return ir.Constant(self.vector, [ir.Constant(self.element, float(self.scalar(number)))] * self.lanes)
            case ast.BinOp(left, operator, right):
                return getattr(b, _OPERATORS[type(operator)])(of(left), of(right))
            case ast.UnaryOp(_, operand):
                return b.fneg(of(operand))
            case ast.BoolOp(operator, parts):
                found = of(parts[0])
                for part in parts[1:]:
                    found = getattr(b, _OPERATORS[type(operator)])(found, of(part))
                return found
            case ast.Compare(left, [operator], [right]):
                compare = b.fcmp_unordered if isinstance(operator, ast.NotEq) else b.fcmp_ordered
                return compare(_SIGNS[type(operator)], of(left), of(right))
            case ast.IfExp(test, body, orelse):
                return b.select(of(test), of(body), of(orelse))
            case ast.Call(ast.Name(name), [operand]):
                return self.named(f"llvm.{name}.v{self.lanes}f{8 * self.size}", self.vector, of(operand))
        raise AssertionError(ast.dump(e))


class _Programs(dict[str, Callable[[str], str]]):
    """A program's text -> what writes its function under a symbol's name. Every program is there."""

    def __contains__(self, text: object) -> bool:
        return True

    def __missing__(self, text: str) -> Callable[[str], str]:
        return lambda symbol: _Writer(parsed(text), symbol).write()


TEXTS = _Programs()
