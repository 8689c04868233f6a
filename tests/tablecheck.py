"""What the tests generated from the table share: data for a case, layouts of memory, and the checks of gradient rules.

``tests/test_mutants.py`` proves that these checks catch wrong rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import tinygrad_notes as tn
from tinygrad_notes.dtypes import category, result_type, scalar_dtype
from tinygrad_notes.optable import TABLE, Case, Op
from tinygrad_notes.tensor import from_array

Array = np.ndarray[Any, Any]

ROWS = [op for op in TABLE.values() if op.kind not in ("leaf", "literal")]
DIFFERENTIABLE = [op for op in ROWS if any(rule is not None for rule in op.vjp)]
BINARY = [op for op in ROWS if op.kind == "elementwise" and op.args == ("x", "y")]
_BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift")
_NOT_FOR_BOOLS = ("neg", "sub", "pow", "floor_divide", "trunc_divide", "remainder", "fmod", *_BITS[3:])
REFUSED = {(name, "bool") for name in _NOT_FOR_BOOLS} | {(name, kind) for name in _BITS for kind in ("float32", "float64")}
"""Rows and dtypes that PyTorch has no meaning for either."""
LAYOUTS = ("contiguous", "strided", "negative", "broadcast", "readonly")


def pairs(ops: Sequence[Op]) -> list[tuple[Op, Case]]:
    return [(op, case) for op in ops for case in op.cases]


def pair_ids(ops: Sequence[Op]) -> list[str]:
    return [f"{op.name}-{i}" for op in ops for i in range(len(op.cases))]


def positions(op: Op, case: Case) -> list[int]:
    """The arguments of a call that have a rule."""
    return [i for i in range(len(case.arrays)) if op.rule_for(i) is not None]


# ---- data ----


def is_index(op: Op, case: Case, i: int) -> bool:
    """Whether argument i holds positions, seeds or truth values: its dtype is not the call's to choose."""
    _, low, _ = case.arrays[i]
    return low is None or (isinstance(low, int) and op.kind != "elementwise")


def array_for(op: Op, case: Case, i: int, dtype: Any, seed: int = 0) -> Array:
    """Distinct values inside the domain, none of them 0 and none in two arguments: no ties, no kinks."""
    shape, low, high = case.arrays[i]
    rng = np.random.default_rng([seed, i, len(op.name)])
    size = int(np.prod(shape))
    if low is None:
        return rng.permutation(np.arange(size) % 2).reshape(shape).astype(bool)
    if is_index(op, case, i):
        found = rng.integers(low, high, shape).astype(np.uint64 if op.kind == "random" else np.int64)
        found.reshape(-1)[-1:] = high - 1  # the last position is always among them
        return found
    dtype = np.dtype(dtype)
    if dtype.kind == "f" and not isinstance(low, int):
        steps = (rng.permutation(size) + (0.37, 0.61, 0.83)[i % 3]) / max(size, 1)
        return (low + (high - low) * steps).reshape(shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    start = max(int(np.ceil(low)), 0 if dtype.kind == "u" else -99)
    return rng.integers(start, max(int(np.floor(high)), start) + 1, shape).astype(dtype)


def arrays_for(op: Op, case: Case, dtype: Any = np.float64, seed: int = 0) -> list[Array]:
    return [array_for(op, case, i, dtype, seed) for i in range(len(case.arrays))]


def laid_out(array: Array, layout: str) -> Array:
    """The values of ``array`` in other memory (``broadcast``: those of its first row, repeated at stride 0)."""
    if layout == "strided":
        wide = np.zeros((*(2 * n + 1 for n in array.shape), 3), array.dtype)
        view = wide[(*(slice(1, None, 2) for _ in array.shape), 1, ...)]
        view[...] = array
        return view
    if layout == "negative":
        reverse = (slice(None, None, -1),) * array.ndim
        return array[(*reverse, ...)].copy()[(*reverse, ...)]
    if layout == "broadcast" and array.ndim:
        return np.broadcast_to(array[:1], array.shape)
    found = np.array(array)
    found.flags.writeable = layout != "readonly"
    return found


def promoted_dtypes(op: Op, arrays: Sequence[Array]) -> list[np.dtype[Any]]:
    """The dtypes that the primitive sees, after promotion."""
    found = [a.dtype for a in arrays]
    which = range(len(arrays)) if op.variadic and op.promote else op.promote
    if which:
        dtype = result_type([arrays[i] for i in which])
        if op.floats and category(dtype) < 2:
            dtype = scalar_dtype(1.0)
        for i in which:
            found[i] = dtype
    return found


# ---- calls ----


def caller(op: Op, params: dict[str, Any]) -> Callable[..., tn.Tensor]:
    """The primitive as a function of Tensors; one that writes gets a copy to write to."""
    if not op.writes:
        return lambda *xs: op.bind(*xs, **params)
    return lambda base, *rest: op.bind(base.clone(), *rest, **params)


def inputs_for(op: Op, case: Case, dtype: Any, seed: int = 0) -> list[tn.Tensor]:
    tensors = [from_array(a) for a in arrays_for(op, case, dtype, seed)]
    for i in positions(op, case):
        tensors[i].requires_grad_()
    return tensors


def calls(
    op: Op, dtype: Any, cases: Sequence[Case] | None = None
) -> Iterator[tuple[Callable[..., tn.Tensor], list[tn.Tensor]]]:
    """Every differentiable call of a row: its cases, and binary rows with a Python scalar on either side."""
    for case in op.cases if cases is None else cases:
        yield caller(op, case.params), inputs_for(op, case, dtype)
    if op in BINARY and cases is None:
        for scalar in (1.25, 2):
            case = op.cases[0]
            x, y = inputs_for(op, case, dtype)
            yield (lambda x, s=scalar: op.bind(x, s)), [x]
            yield (lambda y, s=scalar: op.bind(s, y)), [y]


# ---- the checks of gradient rules: each raises AssertionError or RuntimeError where a rule is wrong ----


def gradients(func: Callable[..., tn.Tensor], inputs: Sequence[tn.Tensor], create_graph: bool = False) -> list[tn.Tensor]:
    """The gradients of every input that requires one, for a fixed cotangent without zeros."""
    out = func(*inputs)
    g = np.linspace(0.5, 1.5, out.numel()).reshape(out.shape).astype(out.dtype)
    wanted = [x for x in inputs if x.requires_grad]
    found = tn.autograd.grad(out, wanted, from_array(g), create_graph=create_graph)
    return [g for g in found if g is not None]


def check_types(op: Op, cases: Sequence[Case] | None = None) -> None:
    """A gradient has the shape and dtype of its input."""
    for dtype in (np.float32, np.float64):
        for func, inputs in calls(op, dtype, cases):
            wanted = [x for x in inputs if x.requires_grad]
            for g, x in zip(gradients(func, inputs), wanted, strict=True):
                assert g.dtype == x.dtype, f"{op.name}: the gradient of {x._type()} is {g._type()}"
                assert g.shape == x.shape, f"{op.name}: the gradient of {x._type()} is {g._type()}"


def check_both_ways(op: Op, cases: Sequence[Case] | None = None) -> None:
    """A rule gives the same bits and dtype on raw arrays and on Tensors."""
    for dtype in (np.float32, np.float64):
        for func, inputs in calls(op, dtype, cases):
            raw = gradients(func, inputs)
            recorded = gradients(func, inputs, create_graph=True)
            for a, b in zip(raw, recorded, strict=True):
                assert a.dtype == b.dtype, f"{op.name}: {a.dtype} on arrays, {b.dtype} on Tensors"
                same = a._array.tobytes() == np.ascontiguousarray(b._array).tobytes()
                assert same, f"{op.name}: {a} on arrays, {b} on Tensors"


def check_order_1(op: Op, cases: Sequence[Case] | None = None) -> None:
    """The whole Jacobian against central differences."""
    for func, inputs in calls(op, np.float64, cases):
        assert tn.autograd.gradcheck(func, inputs, atol=1e-6, rtol=1e-6)


def check_order_2(op: Op, cases: Sequence[Case] | None = None) -> None:
    """Second derivatives against central differences of the first."""
    for func, inputs in calls(op, np.float64, cases):
        assert tn.autograd.gradgradcheck(func, inputs, atol=1e-5, rtol=1e-5)


def check_ties(op: Op) -> None:
    """Where values tie, shares add up to the whole and are equal."""
    if op.name != "amax":
        return
    for dtype in (np.float32, np.float64):
        x = tn.tensor([[3.0, 1.0, 3.0, 3.0], [2.0, 2.0, 0.0, 1.0]], dtype=dtype, requires_grad=True)
        (g,) = tn.autograd.grad(op.bind(x, dim=(1,), keepdim=False), [x], tn.tensor([3.0, 4.0], dtype=dtype))
        np.testing.assert_allclose(g.numpy(), [[1, 0, 1, 1], [2, 2, 0, 0]], rtol=1e-6)


def check_special(op: Op) -> None:
    """Values and gradients at the edges, in both float dtypes."""
    for dtype in (np.float32, np.float64):
        for arguments, value, expected in op.special:
            inputs = [from_array(np.asarray(a, dtype)) for a in arguments]
            if op.name == "where":
                inputs[0] = from_array(inputs[0]._array.astype(bool))
            for i, x in enumerate(inputs):
                if op.rule_for(i) is not None:
                    x.requires_grad_()
            out = op.bind(*inputs)
            np.testing.assert_allclose(out.detach().numpy(), value, rtol=1e-6, err_msg=f"{op.name}{arguments}")
            if expected is None or not out.requires_grad:
                assert expected is None, f"{op.name}{arguments}: no gradient, though the row states one"
                continue
            flowing = [i for i, x in enumerate(inputs) if x.requires_grad]
            for create_graph in (False, True):
                found = tn.autograd.grad(out, [inputs[i] for i in flowing], retain_graph=True, create_graph=create_graph)
                for i, g in zip(flowing, found, strict=True):
                    assert g.dtype == np.dtype(dtype)
                    np.testing.assert_allclose(g.detach().numpy(), expected[i], rtol=1e-6, err_msg=f"{op.name}{arguments}[{i}]")


CHECKS = (check_types, check_special, check_ties, check_both_ways, check_order_1, check_order_2)
"""From the cheapest to the dearest."""
