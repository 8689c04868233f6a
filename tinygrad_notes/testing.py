"""The checks that a primitive passes, ours and yours: ``tn.testing.check_primitive(op)``, one line in your own tests.

Generated from the row's cases: its forward against its declared result, inputs untouched; its VJP rules on arrays and on
Tensors, against central differences in both orders, in both float dtypes; on the tape; under ``vmap``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .autograd import grad, gradcheck, gradgradcheck
from .dtypes import category, result_type, scalar_dtype
from .errors import typename
from .func.batching import reason_without
from .func.vmap import vmap
from .gradcheck import GradcheckError
from .optable import Case, Op
from .storage import root_of
from .tape import Tape
from .tensor import Tensor, from_array

__all__ = ["Case", "check_primitive"]

Array = np.ndarray[Any, Any]
Cases = Sequence[Case] | None
LAYOUTS = ("contiguous", "strided", "negative", "broadcast", "readonly")
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def check_primitive(op: Op) -> None:
    """Run every check of this room on a row. Raises AssertionError: a report of the checks that fail, and how."""
    failed = []
    for check in CHECKS:
        try:
            check(op)
        except (AssertionError, RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
            kind = "" if isinstance(error, AssertionError | GradcheckError) else f"{type(error).__name__}: "
            report = str(error).strip().replace("\n", "\n    ")
            failed.append(f"  {check.__name__}: {(check.__doc__ or '').splitlines()[0]}\n    {kind}{report}")
    require(not failed, f"primitive {op.name!r} fails {len(failed)} of {len(CHECKS)} checks:\n" + "\n".join(failed))


def require(condition: Any, message: str) -> None:
    """``assert``, also under ``python -O``."""
    if not condition:
        raise AssertionError(message)


# ---- data ----


def positions(op: Op, case: Case) -> list[int]:
    """The arguments of a call that have a rule."""
    return [i for i in range(len(case.arrays)) if op.rule_for(i) is not None]


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
        return np.asarray((low + (high - low) * steps).reshape(shape).astype(dtype))
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    start = max(int(np.ceil(low)), 0 if dtype.kind == "u" else -99)
    return rng.integers(start, max(int(np.floor(high)), start) + 1, shape).astype(dtype)


def arrays_for(op: Op, case: Case, dtype: Any = None, seed: int = 0) -> list[Array]:
    """The arguments of one call; by default of the widest dtype that the row is for."""
    dtype = dtypes_for(op)[-1] if dtype is None else dtype
    return [array_for(op, case, i, dtype, seed) for i in range(len(case.arrays))]


def dtypes_for(op: Op) -> Sequence[np.dtype[Any]]:
    """float32 and float64; integers alone for a row without gradients whose cases have integer bounds."""
    bounds = [low for case in op.cases for i, (_, low, _) in enumerate(case.arrays) if not is_index(op, case, i)]
    whole = bounds and all(isinstance(low, int) for low in bounds) and all(rule is None for rule in op.vjp)
    return (np.dtype(np.int64),) if whole else FLOATS


def laid_out(array: Array, layout: str) -> Array:
    """The values of ``array`` in other memory (``broadcast``: those of its first row, repeated at stride 0)."""
    if layout == "strided":
        wide = np.zeros((*(2 * n + 1 for n in array.shape), 3), array.dtype)
        odd: tuple[Any, ...] = (*(slice(1, None, 2) for _ in array.shape), 1, ...)
        wide[odd] = array
        out: Array = wide[odd]
        return out
    if layout == "negative":
        reverse: tuple[Any, ...] = (*(slice(None, None, -1),) * array.ndim, ...)
        return np.asarray(array[reverse].copy()[reverse])
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


def caller(op: Op, params: dict[str, Any]) -> Callable[..., Tensor]:
    """The primitive as a function of Tensors; one that writes gets a copy to write to."""
    if not op.writes:
        return lambda *xs: op.bind(*xs, **params)
    return lambda base, *rest: op.bind(base.clone(), *rest, **params)


def inputs_for(op: Op, case: Case, dtype: Any, seed: int = 0) -> list[Tensor]:
    """The arguments of one call as Tensors; those with a rule require grad."""
    tensors = [from_array(a) for a in arrays_for(op, case, dtype, seed)]
    for i in positions(op, case):
        tensors[i].requires_grad_()
    return tensors


def calls(op: Op, dtype: Any, cases: Cases = None) -> Iterator[tuple[Callable[..., Tensor], list[Tensor]]]:
    """Every differentiable call of a row: its cases, and binary rows with a Python scalar on either side."""
    for case in op.cases if cases is None else cases:
        if positions(op, case):
            yield caller(op, case.params), inputs_for(op, case, dtype)
    if op.kind == "elementwise" and op.args == ("x", "y") and op.vjp != (None, None) and not op.params and cases is None:
        for scalar in (1.25, 2):
            x, y = inputs_for(op, op.cases[0], dtype)
            yield (lambda x, s=scalar: op.bind(x, s)), [x]
            yield (lambda y, s=scalar: op.bind(s, y)), [y]


# ---- the checks: each raises AssertionError or RuntimeError where a row is wrong ----


def check_forward(op: Op, cases: Cases = None) -> None:
    """The result has the declared shape and dtype, in every layout of memory, and the inputs stay as they are."""
    for case, dtype, layout in itertools.product(op.cases if cases is None else cases, dtypes_for(op), LAYOUTS):
        arrays = [laid_out(a, layout) for a in arrays_for(op, case, dtype)]
        if op.writes:
            arrays[0] = np.array(arrays[0])
        memory = [root_of(a).tobytes() for a in arrays]
        out = op.bind(*map(from_array, arrays), **case.params)._array
        called = f"{op.name}({', '.join(typename(a.shape, a.dtype) for a in arrays)}) in {layout} memory"
        for i, (a, before) in enumerate(zip(arrays, memory, strict=True)):
            require((op.writes and i == 0) or root_of(a).tobytes() == before, f"{called} changes its argument {i}")
        shape, wanted = op.result([a.shape for a in arrays], promoted_dtypes(op, arrays), case.params)
        declared = typename(tuple(shape), np.dtype(wanted))
        require((out.shape, out.dtype) == (shape, wanted), f"{called} is {typename(out.shape, out.dtype)}, declared {declared}")


def gradients(func: Callable[..., Tensor], inputs: Sequence[Tensor], create_graph: bool = False) -> list[Tensor]:
    """The gradients of every input that requires one, for a fixed cotangent without zeros."""
    out = func(*inputs)
    g = np.linspace(0.5, 1.5, out.numel()).reshape(out.shape).astype(out.dtype)
    wanted = [x for x in inputs if x.requires_grad]
    found = grad(out, wanted, from_array(g), create_graph=create_graph)
    return [g for g in found if g is not None]


def check_types(op: Op, cases: Cases = None) -> None:
    """A gradient has the shape and dtype of its input."""
    for dtype in FLOATS:
        for func, inputs in calls(op, dtype, cases):
            wanted = [x for x in inputs if x.requires_grad]
            for g, x in zip(gradients(func, inputs), wanted, strict=True):
                fits = (g.dtype, g.shape) == (x.dtype, x.shape)
                require(fits, f"{op.name}: the gradient of {x._type()} is {g._type()}")


def check_both_ways(op: Op, cases: Cases = None, ulps: int = 8) -> None:
    """A rule gives the same values and dtype on raw arrays and on Tensors; ``ulps`` are granted in the last place."""
    for dtype in FLOATS:
        for func, inputs in calls(op, dtype, cases):
            raw = gradients(func, inputs)
            recorded = gradients(func, inputs, create_graph=True)
            for a, b in zip(raw, recorded, strict=True):
                require(a.dtype == b.dtype, f"{op.name}: {a.dtype} on arrays, {b.dtype} on Tensors")
                if ulps:  # numpy computes scalars otherwise than arrays
                    same = np.allclose(a._array, b._array, rtol=ulps * np.finfo(dtype).eps, atol=0, equal_nan=True)
                else:
                    same = a._array.tobytes() == np.ascontiguousarray(b._array).tobytes()
                require(same, f"{op.name}: {a} on arrays, {b} on Tensors")


def check_order_1(op: Op, cases: Cases = None) -> None:
    """The whole Jacobian against central differences."""
    for func, inputs in calls(op, np.float64, cases):
        gradcheck(func, inputs, atol=1e-6, rtol=1e-6)


def check_order_2(op: Op, cases: Cases = None) -> None:
    """Second derivatives against central differences of the first."""
    for func, inputs in calls(op, np.float64, cases):
        gradgradcheck(func, inputs, atol=1e-5, rtol=1e-5)


def check_special(op: Op) -> None:
    """Values and gradients at the edges, in both float dtypes."""
    for dtype, (arguments, value, expected) in itertools.product(FLOATS, op.special):
        called = f"{op.name}{arguments}"
        kinds: list[Any] = [bool if is_index(op, op.cases[0], i) else dtype for i in range(len(arguments))]
        inputs = [from_array(np.asarray(a, kind)) for a, kind in zip(arguments, kinds, strict=True)]
        for i in positions(op, op.cases[0]):
            inputs[i].requires_grad_()
        out = op.bind(*inputs)
        np.testing.assert_allclose(out.detach().numpy(), value, rtol=1e-6, err_msg=called)
        if expected is None or not out.requires_grad:
            require(expected is None, f"{called}: no gradient, though the row states one")
            continue
        flowing = [i for i, x in enumerate(inputs) if x.requires_grad]
        for create_graph in (False, True):
            found = grad(out, [inputs[i] for i in flowing], retain_graph=True, create_graph=create_graph)
            for i, g in zip(flowing, found, strict=True):
                assert g is not None
                require(g.dtype == dtype, f"{called}: the gradient of argument {i} is {g.dtype}")
                np.testing.assert_allclose(g.detach().numpy(), expected[i], rtol=1e-6, err_msg=f"{called}[{i}]")


def check_replay(op: Op, cases: Cases = None) -> None:
    """A tape with the row on it replays to the same values, with other inputs too."""
    for case in op.cases if cases is None else cases:
        inputs = [from_array(a) for a in arrays_for(op, case)]
        with Tape() as tape:
            out = caller(op, case.params)(*inputs)
        for x, other in zip(inputs, arrays_for(op, case, seed=1), strict=True):
            x._array[...] = other
        fresh = caller(op, case.params)(*inputs)
        same = np.array_equal(tape.replay(out)[0], fresh._array, equal_nan=fresh.dtype.kind == "f")
        require(same, f"{op.name}: a replay differs from a fresh call; forward depends on more than its arguments")


def check_vmap(op: Op, cases: Cases = None) -> None:
    """``vmap`` of the row gives the values and gradients of single calls, for every way its arguments can be mapped."""
    for case in () if reason_without(op) else op.cases if cases is None else cases:
        choices = itertools.product((True, False), repeat=len(case.arrays))
        for chosen, axis in itertools.product(choices, (0, -1)):
            if any(chosen) and (chosen[0] or not op.writes):
                _check_mapped(op, case, tuple(axis if mapped else None for mapped in chosen))


def _check_mapped(op: Op, case: Case, in_dims: tuple[int | None, ...], count: int = 3) -> None:
    call = caller(op, case.params)
    each = [arrays_for(op, case, seed=seed) for seed in range(count)]
    alone = [[from_array(np.array(e[i] if d is not None else each[0][i])) for i, d in enumerate(in_dims)] for e in each]
    inputs = [from_array(each[0][i] if d is None else np.stack([e[i] for e in each], d)) for i, d in enumerate(in_dims)]
    flowing = positions(op, case)
    for x in (t for tensors in (inputs, *alone) for i, t in enumerate(tensors) if i in flowing):
        x.requires_grad_()
    what = f"vmap({op.name}, in_dims={in_dims})"

    out = vmap(call, in_dims=in_dims)(*inputs)
    expected = [call(*tensors) for tensors in alone]
    require(out.dtype == expected[0].dtype, f"{what} is {out._type()}, one call {expected[0]._type()}")
    np.testing.assert_allclose(out._array, np.stack([e._array for e in expected]), rtol=1e-13, err_msg=what)
    require(out.requires_grad == expected[0].requires_grad, f"{what}: requires_grad differs from a single call")
    if not out.requires_grad:
        return
    g = np.linspace(0.5, 1.5, out.numel()).reshape(out.shape).astype(out.dtype)
    found = grad(out, [inputs[i] for i in flowing], from_array(g), materialize_grads=True)
    parts = [
        grad(e, [tensors[i] for i in flowing], from_array(np.array(part)), materialize_grads=True)
        for e, tensors, part in zip(expected, alone, g, strict=True)
    ]
    for i, total, *grads in zip(flowing, found, *parts, strict=True):
        arrays = [h._array for h in grads if h is not None]
        d = in_dims[i]
        wanted = np.sum(arrays, 0) if d is None else np.stack(arrays, d)
        assert total is not None
        np.testing.assert_allclose(total._array, wanted, rtol=1e-12, atol=1e-12, err_msg=f"{what}: gradient of argument {i}")


CHECKS: tuple[Callable[[Op], None], ...] = (
    check_forward, check_types, check_special, check_both_ways, check_order_1, check_order_2, check_replay, check_vmap,
)  # fmt: skip
"""What ``check_primitive`` runs, from the cheapest to the dearest."""
