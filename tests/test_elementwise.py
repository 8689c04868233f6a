"""Elementwise functions: at the edges as in torch, completeness of the samples, and what bad input raises."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from functioncheck import SAMPLES

import tinygrad_notes as tn
from tinygrad_notes.functions import bounds, logic, pointwise, rounding, trigonometry
from tinygrad_notes.tensor import from_array

ROOMS = (pointwise, trigonometry, rounding, logic, bounds)
inf, nan = float("inf"), float("nan")
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-20, 1e30, -1e30, inf, -inf, nan)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__.rpartition(".")[2])
def test_every_function_has_samples(room: ModuleType) -> None:
    sampled = {sample.name.removeprefix("Tensor.") for sample in SAMPLES}
    named = {*room.__all__, *room.METHODS.split(), *(name + "_" for name in room.INPLACE.split())}
    assert named - {"logsigmoid"} <= sampled
    for name in room.__all__:
        assert getattr(tn, name) is getattr(room, name)


# ---- at the edges ----

UNARY = [
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1", "floor",
    "frac", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "log", "log10", "log1p", "log2", "logit", "nan_to_num", "neg",
    "reciprocal", "round", "rsqrt", "sigmoid", "sign", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
    "logical_not",
]  # fmt: skip
PAIRS = [
    "add", "atan2", "copysign", "div", "eq", "floor_divide", "fmax", "fmin", "fmod", "heaviside", "hypot", "isclose", "logaddexp",
    "logical_and", "lt", "maximum", "minimum", "mul", "pow", "remainder", "sub",
]  # fmt: skip
SAMPLED_PAIRS = np.array(list(itertools.product(EDGES, EDGES))).T


def values(name: str, dtype: Any, *arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    torch = pytest.importorskip("torch")
    given = [a.astype(dtype) for a in arrays]
    ours = getattr(tn, name)(*(from_array(a) for a in given)).numpy()
    theirs = [getattr(torch, name)(*(torch.tensor(v) for v in row)).numpy() for row in zip(*given, strict=True)]
    return ours, np.stack(theirs)  # one by one: its vector code gives NaN for some remainders


@pytest.mark.torch
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*UNARY, *PAIRS])
def test_values_at_the_edges_as_torch(name: str, dtype: Any) -> None:
    with np.errstate(over="ignore"):
        ours, theirs = values(name, dtype, *((np.array(EDGES),) if name in UNARY else SAMPLED_PAIRS))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5 if dtype is np.float32 else 1e-12, atol=0)
    if ours.dtype.kind == "f" and name not in SIGNS_OF_ZERO:
        np.testing.assert_array_equal(np.signbit(ours[~np.isnan(ours)]), np.signbit(theirs[~np.isnan(theirs)]))


SIGNS_OF_ZERO = {
    "maximum": "of 0 and -0, which are equal, either",
    "minimum": "of 0 and -0, which are equal, either",
    "remainder": "a remainder of 0 has the sign of the divisor, as any other; in torch that of the dividend",
}


def slopes(m: Any, function: Callable[..., Any], *inputs: float) -> list[float]:
    xs = [m.tensor(x, dtype=m.float64, requires_grad=True) for x in inputs]
    out = function(m, *xs)
    found = m.autograd.grad(out, xs, allow_unused=True) if out.requires_grad else [None] * len(xs)
    return [0.0 if g is None else g.item() for g in found]


FINITE = (0.0, 1.0, -1.0, 0.5, -2.5, 1e10)
HERE = {
    ("copysign", inf): "torch divides inf by inf",
    ("copysign", -inf): "torch divides inf by inf",
    ("hypot", 0.0, 0.0): "the slope at the origin is 0",
    ("floor_divide",): "torch has no derivative",
    ("heaviside",): "torch has no derivative",
    ("logaddexp", inf, inf): "equal infinities share the gradient",
    ("logaddexp", -inf, -inf): "equal infinities share the gradient",
}


@pytest.mark.torch
@pytest.mark.parametrize("name", UNARY)
def test_slopes_at_the_edges_as_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for x in (*FINITE, inf, -inf):
        if np.isnan(getattr(tn, name)(tn.tensor(x)).item()):
            continue  # outside the domain
        ours, theirs = (slopes(m, lambda m, x: getattr(m, name)(x), x) for m in (tn, torch))
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, err_msg=f"{name}({x})")


@pytest.mark.torch
@pytest.mark.parametrize("name", PAIRS)
def test_slopes_of_pairs_as_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for x, y in itertools.product((*FINITE, inf, -inf), repeat=2):
        if {(name,), (name, x), (name, x, y)} & set(HERE):
            continue
        ours, theirs = (slopes(m, lambda m, x, y: getattr(m, name)(x, y), x, y) for m in (tn, torch))
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, err_msg=f"{name}({x}, {y})")
