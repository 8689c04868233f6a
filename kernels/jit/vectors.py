"""Vectors of 512 bits as values of Numba: what a kernel says is what the processor does, whatever LLVM's vectoriser thinks of it.

Operators and functions work lane by lane and round as scalars do (no fast-math flag anywhere), so the last, partial vector of an
array, read by ``load_some``, gives the same bits as a whole one. Processors with shorter registers take two for one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

__all__ = [
    "BYTES", "LANES", "any_of", "equal", "first_of", "fma", "larger", "load", "load_some", "only", "prefetch", "smaller", "splat",
    "sqrt", "store", "store_some", "stream", "total", "unordered", "where",
]  # fmt: skip

BYTES = 64
LANES = {types.float32: 16, types.float64: 8}


class Vector(types.Type):
    """So many of an element side by side."""

    def __init__(self, element: Any, count: int) -> None:
        self.element, self.count = element, count
        super().__init__(f"vector({count} x {element})")


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(manager[kind.element].get_value_type(), kind.count))


_OF = {element: Vector(element, count) for element, count in LANES.items()}
_MASKS = {kind: Vector(types.boolean, kind.count) for kind in _OF.values()}
LLVM = {kind: ir.VectorType(ir.FloatType() if kind.count == 16 else ir.DoubleType(), kind.count) for kind in _OF.values()}
_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def _operator(function: Any, instruction: str) -> None:
    @infer_global(function)
    class Typed(AbstractTemplate):
        def generic(self, arguments: Any, keywords: Any) -> Any:
            if len(arguments) == 2 and isinstance(arguments[0], Vector) and arguments[0] == arguments[1]:
                return signature(arguments[0], *arguments)
            return None

    @lower_builtin(function, Vector, Vector)
    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments)


for _function, _instruction in (
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv"), (operator.or_, "or_"),
    (operator.iadd, "fadd"), (operator.ior, "or_"),
):  # fmt: skip
    _operator(_function, _instruction)


def named(builder: Any, name: str, kind: Any, *arguments: Any) -> Any:
    """LLVM's intrinsic function of that name."""
    parameters = [a.type for a in arguments]
    function = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(kind, parameters), name)
    return builder.call(function, arguments)


def suffix(kind: Vector) -> str:
    return f"v{kind.count}f{512 // kind.count}"


def _spread(builder: Any, value: Any, count: int) -> Any:
    """The scalar in every lane."""
    kind = ir.VectorType(value.type, count)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _I32(0))
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_I32, count), [0] * count))


# ---- memory ----


def _pointer(builder: Any, address: Any, kind: Vector) -> Any:
    return builder.inttoptr(address, LLVM[kind].as_pointer())


def _mask(builder: Any, count: Any, kind: Vector) -> Any:
    """The first ``count`` lanes."""
    wanted = _spread(builder, builder.trunc(count, _I32), kind.count)
    places = ir.Constant(ir.VectorType(_I32, kind.count), list(range(kind.count)))
    return builder.icmp_signed("<", places, wanted)


@intrinsic
def load(context: Any, like: Any, address: Any) -> Any:
    """The vector there. like: a scalar of the dtype."""
    kind = _OF[like]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(builder, arguments[1], kind), align=4)

    return kind(like, types.int64), generate


@intrinsic
def load_some(context: Any, fill: Any, address: Any, count: Any) -> Any:
    """The first ``count`` lanes there; ``fill`` in the others, which are not read."""
    kind = _OF[fill]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        fill, address, count = arguments
        full = _spread(builder, fill, kind.count)
        mask = _mask(builder, count, kind)
        name = f"llvm.masked.load.{suffix(kind)}.p0"
        return named(builder, name, LLVM[kind], _pointer(builder, address, kind), _I32(4), mask, full)

    return kind(fill, types.int64, types.int64), generate


@intrinsic
def store(context: Any, address: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], _pointer(builder, arguments[0], vector), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, vector), generate


@intrinsic
def store_some(context: Any, address: Any, vector: Any, count: Any) -> Any:
    """Only the first ``count`` lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, value, count = arguments
        mask = _mask(builder, count, vector)
        name = f"llvm.masked.store.{suffix(vector)}.p0"
        named(builder, name, ir.VoidType(), value, _pointer(builder, address, vector), _I32(4), mask)
        return context.get_dummy_value()

    return types.void(types.int64, vector, types.int64), generate


@intrinsic
def stream(context: Any, address: Any, vector: Any) -> Any:
    """Past the caches, to an address that is a multiple of 64: what is not read again soon need not be fetched before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        written = builder.store(arguments[1], _pointer(builder, arguments[0], vector), align=BYTES)
        written.set_metadata("nontemporal", builder.module.add_metadata([_I32(1)]))
        return context.get_dummy_value()

    return types.void(types.int64, vector), generate


@intrinsic
def prefetch(context: Any, address: Any) -> Any:
    """Ask for the cache line, which need not exist."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        named(
            builder,
            "llvm.prefetch.p0",
            ir.VoidType(),
            builder.inttoptr(arguments[0], _I8.as_pointer()),
            _I32(0),
            _I32(3),
            _I32(1),
        )
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def only(context: Any, vector: Any, count: Any) -> Any:
    """The first ``count`` lanes; 0 in the others."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(_mask(builder, arguments[1], vector), arguments[0], ir.Constant(LLVM[vector], None))

    return vector(vector, types.int64), generate


# ---- arithmetic ----


@intrinsic
def splat(context: Any, value: Any) -> Any:
    """The scalar in every lane."""
    kind = _OF[value]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0], kind.count)

    return kind(value), generate


@intrinsic
def fma(context: Any, x: Any, y: Any, z: Any) -> Any:
    """``x * y + z``, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return named(builder, f"llvm.fma.{suffix(x)}", LLVM[x], *arguments)

    return x(x, y, z), generate


@intrinsic
def sqrt(context: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return named(builder, f"llvm.sqrt.{suffix(x)}", LLVM[x], *arguments)

    return x(x), generate


def choose(builder: Any, sign: str, x: Any, y: Any) -> Any:
    return builder.select(builder.fcmp_ordered(sign, x, y), x, y)


@intrinsic
def larger(context: Any, x: Any, y: Any) -> Any:
    """``x`` where it is larger, else ``y``: the processor's own instruction, which gives ``y`` where one is NaN."""
    return x(x, y), lambda context, builder, signature, arguments: choose(builder, ">", *arguments)


@intrinsic
def smaller(context: Any, x: Any, y: Any) -> Any:
    """``x`` where it is smaller, else ``y``."""
    return x(x, y), lambda context, builder, signature, arguments: choose(builder, "<", *arguments)


def _folded(builder: Any, value: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """All lanes made one: the upper half with the lower, again and again."""
    count = value.type.count
    while count > 1:
        count //= 2
        undefined = ir.Constant(value.type, ir.Undefined)
        halves = [
            builder.shuffle_vector(value, undefined, ir.Constant(ir.VectorType(_I32, count), list(range(start, start + count))))
            for start in (0, count)
        ]
        value = combine(*halves)
    return builder.extract_element(value, _I32(0))


@intrinsic(prefer_literal=True)
def total(context: Any, x: Any, sign: Any) -> Any:
    """All lanes made one: their sum, the largest or the smallest, by the sign "+", ">" or "<"."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if sign.literal_value == "+":
            return _folded(builder, arguments[0], builder.fadd)
        return _folded(builder, arguments[0], lambda a, b: choose(builder, sign.literal_value, a, b))

    return x.element(x, sign), generate


# ---- masks ----


@intrinsic
def unordered(context: Any, x: Any, y: Any) -> Any:
    """Where one of the two is NaN."""
    return _MASKS[x](x, y), lambda context, builder, signature, arguments: builder.fcmp_unordered("uno", *arguments)


@intrinsic
def where(context: Any, mask: Any, x: Any, y: Any) -> Any:
    """``x`` where the mask holds, else ``y``."""
    return x(mask, x, y), lambda context, builder, signature, arguments: builder.select(*arguments)


@intrinsic
def equal(context: Any, x: Any, y: Any) -> Any:
    return _MASKS[x](x, y), lambda context, builder, signature, arguments: builder.fcmp_ordered("==", *arguments)


@intrinsic
def any_of(context: Any, mask: Any) -> Any:
    """Whether any lane holds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = builder.bitcast(arguments[0], ir.IntType(mask.count))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(mask), generate


@intrinsic
def first_of(context: Any, mask: Any) -> Any:
    """The number of the first lane that holds; at least one does."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = builder.zext(builder.bitcast(arguments[0], ir.IntType(mask.count)), _I64)
        return named(builder, "llvm.cttz.i64", _I64, bits, ir.IntType(1)(0))

    return types.int64(mask), generate
