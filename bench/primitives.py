"""Every primitive of the table, from 16 elements to beyond the last cache, against numpy and torch; users' call, no gradient.

What a row is called with comes from its first case: the domains and the parameters. Elementwise rows and reductions take any
size; the arguments of the others are scaled by ``SCALED`` below; a row that is in neither is measured as its case has it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import isqrt, prod
from typing import Any

import numpy as np

import tinygrad_notes as tn
from tinygrad_notes.optable import TABLE, Case, Op

from .equivalents import numpy_form, operations, our_form, torch_form
from .machine import CACHES
from .peers import torch
from .workloads import Bench, Workload, bench

LAST = 1 << (6 * max(CACHES.values()) // 16 - 1).bit_length()
"""So many float32 are half as much again as the last cache, rounded up to a power of 2."""
SIZES = (16, 1 << 10, 1 << 15, 1 << 20, LAST)
QUICK = (1 << 10, 1 << 20)
KINDS = ("view", "elementwise", "reduce", "move", "index", "matmul", "random", "state")
"""The order of the tables."""
COLUMNS = 64
"""The last dimension of what is indexed; of what is reduced: 1024."""


def _matrix(n: int) -> tuple[int, int]:
    d = min(COLUMNS, n // 4)
    return n // d, d


def _scaled_index(n: int, **params: Any) -> Case:
    m, d = _matrix(n)
    return Case((((m, d), -2.0, 2.0), ((m,), 0, m)), {"dim": 0, **params})


def _scaled_along(n: int, **params: Any) -> Case:
    m, d = _matrix(n)
    return Case((((m, d), -2.0, 2.0), ((m, d), 0, m)), {"dim": 0, **params})


def _floats(*shapes: tuple[int, ...], **params: Any) -> Case:
    return Case(tuple((shape, -2.0, 2.0) for shape in shapes), params)


SCALED: dict[str, Callable[[int], Case]] = {
    "take": _scaled_index,
    "put_add": lambda n: _scaled_index(n, size=_matrix(n)[0]),
    "gather": _scaled_along,
    "scatter_add": lambda n: _scaled_along(n, shape=_matrix(n)),
    "searchsorted": lambda n: Case((((1024,), 0.5, 0.5), ((n,), -2.0, 2.0)), {"right": False}),
    "matmul": lambda n: _floats((isqrt(n), isqrt(n)), (isqrt(n), isqrt(n))),
    "unslice": lambda n: _floats((n // 2,), index=(slice(0, n // 2),), shape=(n,)),
    "concatenate": lambda n: _floats((n // 2,), (n // 2,), dim=0, offsets=(0, n // 2)),
    "clone": lambda n: _floats((n,)),
    "undiagonal": lambda n: _floats((isqrt(n),), offset=0, dim1=0, dim2=1, shape=(isqrt(n), isqrt(n))),
    "unwindows": lambda n: _floats((n // 4, 4), dim=0, size=4, step=2, shape=(n // 2 + 2,)),
    "assign": lambda n: _floats((n,), (n,), path=(), visible=True),
    "assign_at": lambda n: Case(
        ((_matrix(n), -2.0, 2.0), (_matrix(n), -2.0, 2.0), (_matrix(n)[:1], None, None)),
        {"path": (), "axes": 1, "visible": True},
    ),
    "random_bits": lambda n: Case((((), 0, 9), ((), 0, 9)), {"shape": (n,), "width": 32}),
}


def scaled(op: Op, n: int) -> Case | None:
    """The arguments of a row for n elements; None if its cost does not depend on them, or is not known to."""
    if op.name in SCALED:
        return SCALED[op.name](n)
    first = op.cases[0]
    if op.kind == "elementwise":
        return Case(tuple(((n,), low, high) for _, low, high in first.arrays), first.params)
    if op.kind == "reduce":
        fitting = [c for c in op.cases if len(c.arrays[0][0]) == 2 and c.params.get("dim") in (1, (1,), -1, (-1,))]
        if fitting:
            inner = min(1024, n // 2)
            return Case((((n // inner, inner), *fitting[0].arrays[0][1:]),), fitting[0].params)
    return None


@cache
def _drawn(number: int) -> Any:
    """A million numbers from [0, 1), others for every argument."""
    return np.random.default_rng(number).random(1 << 20)


def data(op: Op, case: Case, dtype: str) -> list[Any]:
    """The arrays of a case: a million values drawn at random, over and over."""
    arrays = []
    for number, (shape, low, high) in enumerate(case.arrays):
        size = prod(shape)
        drawn = _drawn(number)[: max(size, 1)]
        if op.name == "assign_at" and low is None:
            array = np.random.default_rng(0).permutation(size)  # writing one place twice has no defined result
        elif low is None:
            array = np.resize(drawn < 0.5, size)
        elif isinstance(low, int):
            kind = "u8" if op.kind == "random" else "i8" if op.kind == "index" or op.name.startswith("bitwise") else dtype
            array = np.resize((low + np.floor(drawn * (high - low))).astype(kind), size)
        elif low == high:  # where a search goes through: rising
            array = np.linspace(-2, 2, size, dtype=dtype)
        else:
            array = np.resize((drawn * (high - low) + low).astype(dtype), size)
        arrays.append(array.reshape(shape))
    return arrays


def sides_of(op: Op, case: Case, dtype: str) -> dict[str, Callable[[], Any]]:
    """A row and what it is measured against, on the same data."""
    arrays, params = data(op, case, dtype), case.params
    own = arrays if op.kind == "random" else [tn.from_numpy(a.copy() if op.writes else a) for a in arrays]
    ours = our_form(op)
    made: dict[str, Callable[[], Any]] = {"ours": lambda: ours(*own, **params)}
    if (of_numpy := numpy_form(op.name)) is not None:
        made["numpy"] = lambda: of_numpy(*arrays, **params)
    if (of_torch := torch_form(op.name)) is not None:
        theirs = [] if op.kind == "random" else [torch.from_numpy(a.copy() if op.writes else a) for a in arrays]
        given = theirs or [None, None]
        made["torch"] = lambda: of_torch(*given, **params)
    return made


UNCOMPARED = ("argsort", "argtopk", "cumargmax", "random_bits")
"""Rows of which the others may rightly give something else: equal values in another order, other random numbers."""


def workload(op: Op, case: Case, dtype: str, column: str, n: int, label: str, rounds: int | None) -> Workload:
    """A row at one size."""
    shapes = [shape for shape, _, _ in case.arrays]
    dtypes = [np.dtype("i8" if isinstance(low, int) else "?" if low is None else dtype) for _, low, _ in case.arrays]
    shape, result = op.result(shapes, dtypes, case.params)
    size = sum(prod(s) * d.itemsize for s, d in zip(shapes, dtypes, strict=True)) + prod(shape) * np.dtype(result).itemsize
    count = {"elementwise": operations(op.expr) * n, "reduce": n, "matmul": 2 * isqrt(n) ** 3}.get(op.kind, 0)
    return Workload(
        f"primitives: {op.kind}, {dtype}" if column else "primitives: at the shape of their case, float32",
        op.name,
        lambda: sides_of(op, case, dtype),
        speed=True,
        flops=count if column else 0,
        bytes=size if column else 0,
        dtype=dtype,
        column=column,
        label=label,
        rounds=rounds,
        tolerance=None if op.name in UNCOMPARED else 1e-3,
    )


def size_name(n: int) -> str:
    """16, 32k, 16M."""
    return f"{n >> 20}M" if n >= 1 << 20 else f"{n >> 10}k" if n >= 1 << 10 else str(n)


@bench("primitives")
def primitives(quick: bool) -> Bench:
    """Every row at every size in float32; elementwise rows at a million elements in float64 as well."""
    rows = sorted((op for op in TABLE.values() if op.kind not in ("leaf", "literal")), key=lambda op: KINDS.index(op.kind))
    sizes, rounds = (QUICK, 3) if quick else (SIZES, None)
    for op in rows:
        if scaled(op, 16) is None:
            yield workload(op, op.cases[0], "float32", "", 0, "", rounds)
        for n in sizes:
            case = scaled(op, n)
            if case is not None:
                label = f"{op.name} {isqrt(n)}²" if op.kind == "matmul" else op.name if n == sizes[-1] else ""
                yield workload(op, case, "float32", size_name(n), n, label, rounds)
    if not quick:
        for op in rows:
            case = scaled(op, 1 << 20)
            if op.kind == "elementwise" and case is not None:
                yield workload(op, case, "float64", size_name(1 << 20), 1 << 20, "", rounds)
