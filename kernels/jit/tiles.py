"""Register tiles of the matrix product, in vector instructions of a chosen width.

A tile keeps rows × vectors sums in registers. For each k it loads the vectors of B once, spreads one element of A per row, and
does rows × vectors fused multiply-adds; with 27 sums in flight both FMA units of an AVX-512 core stay busy (latency 4, so 8 are the
least), with 12 those of an AVX2 core. Loading from A and B through strides makes one tile fit every layout.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["I64", "TILES", "Vector", "block_transposer", "call_tile", "copier", "family", "masked_copier"]

TILES = {256: (4, 3), 512: (9, 3)}
"""Rows and vectors of the largest tile by the registers' width: with the vectors of B and one of A they fill 16 and 32 registers."""

I1, I8, I32, I64 = (ir.IntType(n) for n in (1, 8, 32, 64))
BYTE = I8.as_pointer()


class Vector:
    """Vectors of floats in LLVM: their types, and how to load, store, spread and multiply them."""

    def __init__(self, bits: int, width: int) -> None:
        self.lanes, self.bytes, self.size = width // bits, bits // 8, width // 8
        self.scalar = ir.FloatType() if bits == 32 else ir.DoubleType()
        self.type = ir.VectorType(self.scalar, self.lanes)
        self.suffix = f"v{self.lanes}f{bits}"
        self.zero = ir.Constant(self.type, [0.0] * self.lanes)

    def function(self, module: ir.Module, name: str, returns: ir.Type, arguments: list[ir.Type]) -> Any:
        """LLVM's own function of that name, for these vectors."""
        full = f"llvm.{name}.{self.suffix}" + (".p0" if name.startswith("masked") else "")
        return module.globals.get(full) or ir.Function(module, ir.FunctionType(returns, arguments), full)

    def fma(self, b: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
        return b.call(self.function(b.module, "fma", self.type, [self.type] * 3), [x, y, z])

    def load(self, b: ir.IRBuilder, pointer: Any) -> Any:
        got = b.load(b.bitcast(pointer, self.type.as_pointer()))
        got.align = self.bytes
        return got

    def store(self, b: ir.IRBuilder, value: Any, pointer: Any) -> None:
        b.store(value, b.bitcast(pointer, self.type.as_pointer())).align = self.bytes

    def spread(self, b: ir.IRBuilder, value: Any, kind: ir.Type | None = None) -> Any:
        """A vector of one value."""
        none = ir.Constant(kind or self.type, ir.Undefined)
        picked = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
        return b.shuffle_vector(b.insert_element(none, value, I32(0)), none, picked)

    def first(self, b: ir.IRBuilder, count: Any) -> Any:
        """The mask of the first ``count`` lanes."""
        kind = ir.VectorType(I32, self.lanes)
        return b.icmp_signed("<", ir.Constant(kind, list(range(self.lanes))), self.spread(b, b.trunc(count, I32), kind))

    def masked_load(self, b: ir.IRBuilder, pointer: Any, mask: Any) -> Any:
        function = self.function(b.module, "masked.load", self.type, [self.type.as_pointer(), I32, mask.type, self.type])
        return b.call(function, [b.bitcast(pointer, self.type.as_pointer()), I32(self.bytes), mask, self.zero])

    def masked_store(self, b: ir.IRBuilder, value: Any, pointer: Any, mask: Any) -> None:
        function = self.function(b.module, "masked.store", ir.VoidType(), [self.type, self.type.as_pointer(), I32, mask.type])
        b.call(function, [value, b.bitcast(pointer, self.type.as_pointer()), I32(self.bytes), mask])


def _step(b: ir.IRBuilder, pointer: Any, *offsets: Any) -> Any:
    for offset in offsets:
        pointer = b.gep(pointer, [offset])
    return pointer


def _own_function(module: ir.Module, name: str, count: int) -> tuple[Any, bool]:
    """A function of ``count`` int64 arguments that is not inlined, and whether it is new."""
    if name in module.globals:
        return module.globals[name], False
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * count), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    set.add(function.attributes, '"prefer-vector-width"="512"')
    return function, True


ARGUMENTS = 11
AHEAD = 8
"""Rows of B that are asked for before their turn: about 100 cycles, what the second cache takes and part of what the third does."""
GROUP = 3
"""Rows reached from one pointer: base, base + stride and base + 2 stride are addresses that x86 forms by itself."""


def _tile(module: ir.Module, v: Vector, rows: int, vectors: int) -> Any:
    """``c[rows, n] = (or +=) a[rows, k] @ b[k, n]``, ``n <= vectors * lanes``; strides in bytes.

    Arguments: a, its row and column stride, b, its stride from vector to vector and from k to k, c, its row stride, k, n, whether
    to add to c. Every sum is one chain of fused multiply-adds in the order of k: the same bits from every tile.
    """
    function, new = _own_function(module, f"tile.{v.suffix}.{rows}x{vectors}", ARGUMENTS)
    if not new:
        return function
    a, a_row, a_k, b_, b_vector, b_k, c, c_row, k, n, add = function.args
    entry, adding, load_whole, load_part, first, loop, done, store_whole, store_part, end = (
        function.append_basic_block(name)
        for name in ("entry", "adding", "load_whole", "load_part", "first", "loop", "done", "store_whole", "store_part", "end")
    )
    fetch_type = ir.FunctionType(ir.VoidType(), [BYTE, I32, I32, I32])
    fetch = module.globals.get("llvm.prefetch.p0") or ir.Function(module, fetch_type, "llvm.prefetch.p0")
    each = [(m, j) for m in range(rows) for j in range(vectors)]

    b = ir.IRBuilder(entry)
    a_bases = [_step(b, b.inttoptr(a, BYTE), b.mul(I64(m), a_row)) for m in range(0, rows, GROUP)]
    a_steps = [b.mul(I64(i), a_row) for i in range(GROUP)]
    b_steps = [b.mul(I64(j), b_vector) for j in range(vectors)]
    c_rows = [_step(b, b.inttoptr(c, BYTE), b.mul(I64(m), c_row)) for m in range(rows)]
    c_at = {(m, j): (lambda m=m, j=j: _step(b, c_rows[m], I64(j * v.size))) for m, j in each}
    masks = [v.first(b, b.sub(n, I64(j * v.lanes))) for j in range(vectors)]
    b_ahead = [b.add(step, b.mul(b_k, I64(AHEAD))) for step in b_steps]
    b_start = b.inttoptr(b_, BYTE)
    full = b.icmp_signed(">=", n, I64(vectors * v.lanes))
    b.cbranch(b.icmp_signed("!=", add, I64(0)), adding, first)
    b.position_at_end(adding)
    b.cbranch(full, load_whole, load_part)
    b.position_at_end(load_whole)
    from_whole = {at: v.load(b, c_at[at]()) for at in each}
    b.branch(first)
    b.position_at_end(load_part)
    from_part = {at: v.masked_load(b, c_at[at](), masks[at[1]]) for at in each}
    b.branch(first)

    b.position_at_end(first)
    begin = {}
    for at in each:
        begin[at] = b.phi(v.type)
        for value, block in ((v.zero, entry), (from_whole[at], load_whole), (from_part[at], load_part)):
            begin[at].add_incoming(value, block)

    def rounds(loop: Any, before: Any, after: Any, start: list[Any], count: Any, unrolled: int) -> list[Any]:
        """``count`` rounds of ``unrolled`` steps of k from the state ``start``; the state after them."""
        b.cbranch(b.icmp_signed(">", count, I64(0)), loop, after)
        b.position_at_end(loop)
        left = b.phi(I64)
        state = [b.phi(value.type) for value in start]
        b_now, *rest = state
        a_now, sums = rest[: len(a_bases)], dict(zip(each, rest[len(a_bases) :], strict=True))
        for _ in range(unrolled):
            b_vectors = [v.load(b, _step(b, b_now, b_steps[j])) for j in range(vectors)]
            for step in b_ahead:
                b.call(fetch, [_step(b, b_now, step), I32(0), I32(3), I32(1)])
            for m in range(rows):
                element = b.load(b.bitcast(_step(b, a_now[m // GROUP], a_steps[m % GROUP]), v.scalar.as_pointer()))
                element.align = v.bytes
                spread = v.spread(b, element)
                for j in range(vectors):
                    sums[m, j] = v.fma(b, spread, b_vectors[j], sums[m, j])
            a_now, b_now = [_step(b, now, a_k) for now in a_now], _step(b, b_now, b_k)
        following = [b_now, *a_now, *sums.values()]
        less = b.sub(left, I64(1))
        for phi, first_value, next_value in ((left, count, less), *zip(state, start, following, strict=True)):
            phi.add_incoming(first_value, before)
            phi.add_incoming(next_value, loop)
        b.cbranch(b.icmp_signed(">", less, I64(0)), loop, after)
        b.position_at_end(after)
        result = [b.phi(value.type) for value in start]
        for phi, first_value, next_value in zip(result, start, following, strict=True):
            phi.add_incoming(first_value, before)
            phi.add_incoming(next_value, loop)
        return result

    state = [b_start, *a_bases, *begin.values()]
    if vectors < 3:
        half, odd = function.append_basic_block("half"), function.append_basic_block("odd")
        state = rounds(loop, first, half, state, b.ashr(k, I64(1)), 2)
        state = rounds(odd, half, done, state, b.and_(k, I64(1)), 1)
    else:
        state = rounds(loop, first, done, state, k, 1)
    result = dict(zip(each, state[1 + len(a_bases) :], strict=True))
    b.cbranch(full, store_whole, store_part)
    b.position_at_end(store_whole)
    for at in each:
        v.store(b, result[at], c_at[at]())
    b.branch(end)
    b.position_at_end(store_part)
    for at in each:
        v.masked_store(b, result[at], c_at[at](), masks[at[1]])
    b.branch(end)
    b.position_at_end(end)
    b.ret_void()
    return function


def family(bits: int, width: int, symbol: str) -> str:
    """LLVM's text of the function ``symbol(rows, vectors, ...)`` that runs the tile of that many rows and vectors.

    Straight from here to machine code: thirty large functions would take Numba's pipeline many seconds and gain nothing by it.
    """
    v = Vector(bits, width)
    most_rows, most_vectors = TILES[width]
    module = ir.Module(symbol)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * (ARGUMENTS + 2)), symbol)
    rows, vectors, *rest = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    end = function.append_basic_block("end")
    switch = b.switch(b.add(b.mul(rows, I64(most_vectors)), vectors), end)
    for m in range(1, most_rows + 1):
        for j in range(1, most_vectors + 1):
            block = function.append_basic_block("case")
            switch.add_case(I64(m * most_vectors + j), block)
            b.position_at_end(block)
            b.call(_tile(module, v, m, j), rest)
            b.branch(end)
    b.position_at_end(end)
    b.ret_void()
    return str(module)


@intrinsic
def call_tile(
    context: Any,
    address: Any,
    rows: Any,
    vectors: Any,
    a: Any,
    a_row: Any,
    a_k: Any,
    b: Any,
    b_vector: Any,
    b_k: Any,
    c: Any,
    c_row: Any,
    k: Any,
    n: Any,
    add: Any,
) -> Any:
    """Call the family of tiles there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [I64] * (ARGUMENTS + 2))
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), list(arguments[1:]))
        return context.get_dummy_value()

    return types.void(*[types.int64] * (ARGUMENTS + 3)), generate


def copier(bits: int, width: int) -> Any:
    """``copy(to, from)``: one vector."""
    v = Vector(bits, width)

    @intrinsic
    def copy(context: Any, to: Any, source: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            to, source = (builder.inttoptr(x, BYTE) for x in arguments)
            v.store(builder, v.load(builder, source), to)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 2), generate

    return copy


def masked_copier(bits: int, width: int) -> Any:
    """``copy(to, from, n)``: n elements, at most one vector."""
    v = Vector(bits, width)

    @intrinsic
    def copy(context: Any, to: Any, source: Any, n: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            to, source, n = arguments
            mask = v.first(builder, n)
            v.masked_store(
                builder, v.masked_load(builder, builder.inttoptr(source, BYTE), mask), builder.inttoptr(to, BYTE), mask
            )
            return context.get_dummy_value()

        return types.void(*[types.int64] * 3), generate

    return copy


def block_transposer(bits: int, width: int) -> Any:
    """``transpose(to, to_row, from, from_row)``: a square of lanes × lanes elements; strides in bytes."""
    v = Vector(bits, width)
    lanes = v.lanes

    @intrinsic
    def transpose(context: Any, to: Any, to_row: Any, source: Any, source_row: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            b = builder
            to, to_row, source, source_row = arguments
            start, target = b.inttoptr(source, BYTE), b.inttoptr(to, BYTE)
            rows = [v.load(b, _step(b, start, b.mul(I64(i), source_row))) for i in range(lanes)]
            half = 1
            while half < lanes:  # exchange the off-diagonal blocks of half × half in every square of 2 half × 2 half
                upper = [i if not i & half else lanes + i - half for i in range(lanes)]
                lower = [i + half if not i & half else lanes + i for i in range(lanes)]
                mixed = list(rows)
                for i in range(lanes):
                    if not i & half:
                        one, two = rows[i], rows[i + half]
                        mixed[i] = b.shuffle_vector(one, two, ir.Constant(ir.VectorType(I32, lanes), upper))
                        mixed[i + half] = b.shuffle_vector(one, two, ir.Constant(ir.VectorType(I32, lanes), lower))
                rows = mixed
                half *= 2
            for i, row in enumerate(rows):
                v.store(b, row, _step(b, target, b.mul(I64(i), to_row)))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), generate

    return transpose
