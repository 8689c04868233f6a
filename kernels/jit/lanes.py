"""Numbers under construction in LLVM's language: one scalar, or several vectors side by side, by the same source.

A formula (``formulas.py``) is a plain Python function over ``Lanes``; running it writes the instructions. Every operation is
written for all vectors of a value in turn, so that independent chains of instructions stand interleaved and hide each other's
latency. No fast-math flags anywhere: each lane computes what the scalar computes, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llvmlite import ir

__all__ = [
    "Lanes", "absolute", "bits", "converted", "copysign", "fma", "largest", "number", "polynomial", "rarely", "smallest",
    "where",
]  # fmt: skip

_INTEGERS = {"float": ir.IntType(32), "double": ir.IntType(64)}
_FLOATS = {32: ir.FloatType(), 64: ir.DoubleType()}
_SUFFIXES = {"float": "f32", "double": "f64"}


class Lanes:
    """A scalar or some vectors of float, integer or truth values; operators write instructions."""

    __slots__ = ("builder", "values")

    def __init__(self, builder: ir.IRBuilder, values: Sequence[ir.Value]) -> None:
        self.builder, self.values = builder, tuple(values)

    @property
    def element(self) -> ir.Type:
        """The LLVM type of one lane."""
        kind = self.values[0].type
        return kind.element if isinstance(kind, ir.VectorType) else kind

    def each(self, write: Callable[..., ir.Value], *others: Lanes | float | int) -> Lanes:
        """``write`` of every vector of this value and of the others; Python numbers are the same in every lane."""
        columns = [o.values if isinstance(o, Lanes) else [_same(o, v.type) for v in self.values] for o in others]
        return Lanes(self.builder, [write(*row) for row in zip(self.values, *columns, strict=True)])

    def __add__(self, other: Lanes | float | int) -> Lanes:
        return self.each(self.builder.add if _whole(self) else self.builder.fadd, other)

    def __sub__(self, other: Lanes | float | int) -> Lanes:
        return self.each(self.builder.sub if _whole(self) else self.builder.fsub, other)

    def __mul__(self, other: Lanes | float | int) -> Lanes:
        return self.each(self.builder.fmul, other)

    def __rsub__(self, other: float | int) -> Lanes:
        subtract = self.builder.sub if _whole(self) else self.builder.fsub
        return self.each(lambda a, b: subtract(b, a), other)

    def __truediv__(self, other: Lanes | float | int) -> Lanes:
        return self.each(self.builder.fdiv, other)

    def __neg__(self) -> Lanes:
        return self.each(self.builder.fneg)

    def __and__(self, other: Lanes | int) -> Lanes:
        return self.each(self.builder.and_, other)

    def __or__(self, other: Lanes | int) -> Lanes:
        return self.each(self.builder.or_, other)

    def __xor__(self, other: Lanes | int) -> Lanes:
        return self.each(self.builder.xor, other)

    def __lshift__(self, places: int) -> Lanes:
        return self.each(self.builder.shl, places)

    def __rshift__(self, places: int) -> Lanes:
        """Shifted right, the sign kept."""
        return self.each(self.builder.ashr, places)

    def __lt__(self, other: Lanes | float) -> Lanes:
        return self._compare("<", other)

    def __gt__(self, other: Lanes | float) -> Lanes:
        return self._compare(">", other)

    def __ge__(self, other: Lanes | float) -> Lanes:
        return self._compare(">=", other)

    def equals(self, other: Lanes | float) -> Lanes:
        """Where both are the same number."""
        return self._compare("==", other)

    def beyond(self, top: int) -> Lanes:
        """Where an integer, seen as without a sign, is larger than ``top``."""
        return self.each(lambda a, b: self.builder.icmp_unsigned(">", a, b), top)

    def _compare(self, sign: str, other: Lanes | float) -> Lanes:
        """False where one is NaN."""
        if _whole(self):
            return self.each(lambda a, b: self.builder.icmp_signed(sign, a, b), other)
        return self.each(lambda a, b: self.builder.fcmp_ordered(sign, a, b), other)


def _whole(x: Lanes) -> bool:
    return isinstance(x.element, ir.IntType)


def _same(number: float | int, kind: ir.Type) -> ir.Constant:
    """The number in every lane of the type."""
    if isinstance(kind, ir.VectorType):
        return ir.Constant(kind, [_same(number, kind.element)] * kind.count)
    return ir.Constant(kind, number if isinstance(kind, ir.IntType) else float(number))


def _like(kind: ir.Type, element: ir.Type) -> ir.Type:
    return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element


def _named(x: Lanes, name: str, *others: Lanes | float) -> Lanes:
    """LLVM's intrinsic function of that name."""
    kind = x.values[0].type
    suffix = _SUFFIXES[str(x.element)]
    full = f"llvm.{name}.{f'v{kind.count}{suffix}' if isinstance(kind, ir.VectorType) else suffix}"
    module = x.builder.module
    function = module.globals.get(full)
    if function is None:
        function = ir.Function(module, ir.FunctionType(kind, [kind] * (1 + len(others))), full)
    return x.each(lambda *row: x.builder.call(function, row), *others)


def fma(x: Lanes, y: Lanes | float, z: Lanes | float) -> Lanes:
    """``x * y + z``, rounded once."""
    return _named(x, "fma", y, z)


def absolute(x: Lanes) -> Lanes:
    """``|x|``."""
    return _named(x, "fabs")


def copysign(x: Lanes, sign: Lanes) -> Lanes:
    """``|x|`` with the sign of the other."""
    return _named(x, "copysign", sign)


def where(mask: Lanes, x: Lanes | float, y: Lanes | float) -> Lanes:
    """``x`` where the mask holds, else ``y``; one of the two is no plain number."""
    like = x if isinstance(x, Lanes) else y
    assert isinstance(like, Lanes)
    return like.each(lambda _, m, a, b: like.builder.select(m, a, b), mask, x, y)


def rarely(mask: Lanes, fast: Callable[[], Lanes], full: Callable[[], Lanes]) -> Lanes:
    """``fast()``, but ``full()`` if the mask holds anywhere; both give the same bits where it does not hold.

    A scalar is always ``full()``: without a branch, loops over it can become vector instructions.
    """
    builder, kind = mask.builder, mask.values[0].type
    if not isinstance(kind, ir.VectorType):
        return full()
    words = [builder.bitcast(m, ir.IntType(kind.count)) for m in mask.values]
    somewhere = words[0]
    for word in words[1:]:
        somewhere = builder.or_(somewhere, word)
    rare, common, after = (builder.append_basic_block(name) for name in ("rare", "common", "after"))
    builder.cbranch(builder.icmp_unsigned("!=", somewhere, somewhere.type(0)), rare, common)
    results = []
    for block, write in ((rare, full), (common, fast)):
        builder.position_at_end(block)
        results.append((write().values, builder.block))
        builder.branch(after)
    builder.position_at_end(after)
    joined = []
    for i, value in enumerate(results[0][0]):
        joined.append(builder.phi(value.type))
        for values, block in results:
            joined[-1].add_incoming(values[i], block)
    return Lanes(builder, joined)


def smallest(x: Lanes, top: float) -> Lanes:
    """x, at most ``top``; NaN stays NaN (one instruction: ``minps`` returns its second operand where one is NaN)."""
    return x.each(lambda a, b: x.builder.select(x.builder.fcmp_ordered("<", b, a), b, a), top)


def largest(x: Lanes, bottom: float) -> Lanes:
    """x, at least ``bottom``; NaN stays NaN."""
    return x.each(lambda a, b: x.builder.select(x.builder.fcmp_ordered(">", b, a), b, a), bottom)


def bits(x: Lanes) -> Lanes:
    """The bits of a floating-point number, as an integer of its width."""
    return x.each(lambda a: x.builder.bitcast(a, _like(a.type, _INTEGERS[str(x.element)])))


def number(n: Lanes) -> Lanes:
    """The floating-point number of these bits."""
    return n.each(lambda a: n.builder.bitcast(a, _like(a.type, _FLOATS[n.element.width])))


def converted(n: Lanes) -> Lanes:
    """The integer as a floating-point number of its width."""
    return n.each(lambda a: n.builder.sitofp(a, _like(a.type, _FLOATS[n.element.width])))


def polynomial(x: Lanes, coefficients: Sequence[float]) -> Lanes:
    """Horner's scheme, lowest coefficient first."""
    *rest, total = coefficients
    found: Lanes = fma(x, total, rest.pop())
    for c in reversed(rest):
        found = fma(found, x, c)
    return found
