"""What the tests generated from the table share. The checks themselves live in ``tinygrad_notes.testing``, where users'
primitives have them too; ``tests/test_mutants.py`` proves that they catch wrong rules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import tinygrad_notes as tn
from tinygrad_notes.optable import TABLE, Case, Op
from tinygrad_notes.testing import (
    LAYOUTS,
    arrays_for,
    caller,
    check_both_ways,
    check_order_1,
    check_order_2,
    check_special,
    check_types,
    check_vmap,
    inputs_for,
    laid_out,
    positions,
    promoted_dtypes,
)

__all__ = [
    "BINARY", "CHECKS", "DIFFERENTIABLE", "LAYOUTS", "REFUSED", "ROWS", "arrays_for", "caller", "check_order_1", "check_order_2",
    "check_same_bits", "check_special", "check_ties", "check_types", "check_vmap", "inputs_for", "laid_out", "pair_ids", "pairs",
    "positions", "promoted_dtypes",
]  # fmt: skip

ROWS = [op for op in TABLE.values() if op.kind not in ("leaf", "literal")]
DIFFERENTIABLE = [op for op in ROWS if any(rule is not None for rule in op.vjp)]
BINARY = [op for op in ROWS if op.kind == "elementwise" and op.args == ("x", "y")]
_BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift")
_NOT_FOR_BOOLS = ("neg", "sub", "pow", "floor_divide", "trunc_divide", "remainder", "fmod", *_BITS[3:])
REFUSED = {(name, "bool") for name in _NOT_FOR_BOOLS} | {(name, kind) for name in _BITS for kind in ("float32", "float64")}
"""Rows and dtypes that PyTorch has no meaning for either."""


def pairs(ops: Sequence[Op]) -> list[tuple[Op, Case]]:
    return [(op, case) for op in ops for case in op.cases]


def pair_ids(ops: Sequence[Op]) -> list[str]:
    return [f"{op.name}-{i}" for op in ops for i in range(len(op.cases))]


def check_ties(op: Op) -> None:
    """Where values tie, shares add up to the whole and are equal."""
    if op.name != "amax":
        return
    for dtype in (np.float32, np.float64):
        x = tn.tensor([[3.0, 1.0, 3.0, 3.0], [2.0, 2.0, 0.0, 1.0]], dtype=dtype, requires_grad=True)
        (g,) = tn.autograd.grad(op.bind(x, dim=(1,), keepdim=False), [x], tn.tensor([3.0, 4.0], dtype=dtype))
        np.testing.assert_allclose(g.numpy(), [[1, 0, 1, 1], [2, 2, 0, 0]], rtol=1e-6)


def check_same_bits(op: Op) -> None:
    """A rule gives the same bits and dtype on raw arrays and on Tensors."""
    check_both_ways(op, ulps=0)


CHECKS = (check_types, check_special, check_ties, check_same_bits, check_order_1, check_order_2)
"""The checks of gradient rules, from the cheapest to the dearest."""
