"""Activations at their kinks and far out: like torch where torch has a number, and the limit where it has not."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_notes as tn

F = tn.nn.functional
INF, NAN = float("inf"), float("nan")

KINKS = {
    "relu": (0, INF, -INF, NAN),
    "relu6": (0, 6, INF, -INF, NAN),
    "leaky_relu": (0, INF, -INF, NAN),
    "hardtanh": (-1, 1, INF, -INF, NAN),
    "elu": (0, 1e4, -1e4, INF, -INF, NAN),
    "selu": (0, 1e4, -1e4, INF, -INF, NAN),
    "celu": (0, 1e4, -1e4, INF, -INF, NAN),
    "gelu": (0, 1e4, -1e4, 39, 41, -39, -41, NAN),
    "silu": (0, 1e4, -1e4, 39, 801, -799, -801, NAN),
    "mish": (0, 1e4, -1e4, 39, 801, -799, -801, NAN),
    "softsign": (0, 1e4, -1e4, NAN),
    "hardswish": (-3, 3, 0, INF, NAN),
    "hardsigmoid": (-3, 3, INF, -INF, NAN),
    "hardshrink": (-0.5, 0.5, INF, -INF, NAN),
    "softshrink": (-0.5, 0.5, INF, -INF, NAN),
    "softplus": (0, 20, 21, 1e4, -1e4, INF, -INF, NAN),
    "logsigmoid": (0, 1e4, -1e4, INF, -INF, NAN),
    "tanhshrink": (0, 1e4, -1e4, INF, -INF, NAN),
    "sigmoid": (0, 1e4, -1e4, INF, -INF, NAN),
    "tanh": (0, 1e4, -1e4, INF, -INF, NAN),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", KINKS)
def test_values_and_slopes_at_the_special_points_are_those_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    points = np.array(KINKS[name], np.float64)
    ours, theirs = tn.tensor(points, requires_grad=True), torch.tensor(points, requires_grad=True)
    a, b = getattr(F, name)(ours), getattr(torch.nn.functional, name)(theirs)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-15)
    a.sum().backward()
    b.sum().backward()
    finite = ~np.isnan(points)
    np.testing.assert_allclose(ours.grad.numpy()[finite], theirs.grad.numpy()[finite], rtol=1e-10, atol=1e-15)


LIMITS = [  # name, x, value, slope: PyTorch has NaN here
    ("gelu", INF, INF, 1.0),
    ("gelu", -INF, 0.0, 0.0),
    ("silu", INF, INF, 1.0),
    ("silu", -INF, 0.0, 0.0),
    ("mish", INF, INF, 1.0),
    ("mish", -INF, 0.0, 0.0),
    ("softsign", INF, 1.0, 0.0),
    ("softsign", -INF, -1.0, 0.0),
    ("hardswish", -INF, 0.0, 0.0),
]


def _derivatives(name: str, at: float, dtype: str = "float64", **settings: str) -> tuple[float, float, float]:
    x = tn.tensor(at, dtype=dtype, requires_grad=True)
    value = getattr(F, name)(x, **settings)
    (first,) = tn.autograd.grad(value, x, create_graph=True)
    (second,) = tn.autograd.grad(first, x, materialize_grads=True) if first.requires_grad else (tn.zeros(()),)
    return value.item(), first.item(), second.item()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "at", "value", "slope"), LIMITS)
def test_limits(name: str, at: float, value: float, slope: float, dtype: str) -> None:
    settings = [{"approximate": kind} for kind in ("none", "tanh")] if name == "gelu" else [{}]
    for setting in settings:
        assert _derivatives(name, at, dtype, **setting) == (value, slope, 0.0)


SECOND = [  # at 0 and far out: the second derivative as the mathematics has it
    ("softplus", 0.0, 0.25),
    ("softplus", 1e4, 0.0),
    ("softplus", -1e4, 0.0),
    ("logsigmoid", 0.0, -0.25),
    ("tanhshrink", 0.0, 0.0),
    ("relu", 0.0, 0.0),
    ("gelu", 0.0, 2 / np.sqrt(2 * np.pi)),
    ("gelu", 1e4, 0.0),
    ("gelu", -1e4, 0.0),
    ("silu", 0.0, 0.5),
    ("silu", 1e4, 0.0),
    ("silu", -1e4, 0.0),
    ("mish", 0.0, 0.64),
    ("mish", 1e4, 0.0),
    ("mish", -1e4, 0.0),
    ("elu", -1e4, 0.0),
    ("elu", 1e4, 0.0),
    ("softsign", 1e4, -2 / (1 + 1e4) ** 3),
]


@pytest.mark.parametrize(("name", "at", "expected"), SECOND)
def test_second_derivatives_at_special_points(name: str, at: float, expected: float) -> None:
    assert _derivatives(name, at)[2] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_softmax_of_masked_rows() -> None:
    x = tn.tensor([[0.0, -INF, 0.0], [-INF, -INF, -INF]], dtype=tn.float64, requires_grad=True)
    y = tn.softmax(x, 1)
    np.testing.assert_array_equal(y.detach().numpy(), [[0.5, 0, 0.5], [NAN] * 3])
    (y[0] * tn.tensor([1.0, 2.0, 3.0], dtype=tn.float64)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy()[0], [-0.5, 0, 0.5])


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: tn.relu(tn.tensor([True])), RuntimeError, r"relu: Tensor bool\[1\] holds no numbers"),
        (lambda: tn.softmax(tn.tensor([1, 2]), 0), RuntimeError, r"softmax: Tensor i64\[2\] is not floating-point"),
        (lambda: tn.softmax(tn.ones(2), 1), IndexError, r"softmax: dim=1 is out of range for Tensor f32\[2\]"),
        (lambda: F.hardtanh(tn.ones(2), 1, -1), ValueError, "min_val=1 lies above max_val=-1"),
        (lambda: F.softshrink(tn.ones(2), -1), RuntimeError, "lambd must not be negative"),
        (lambda: tn.celu(tn.ones(2), 0), RuntimeError, "celu: alpha cannot be 0"),
        (lambda: F.gelu(tn.ones(2), "erf"), RuntimeError, "must be 'none' or 'tanh', got 'erf'"),
        (lambda: F.glu(tn.ones(3)), RuntimeError, r"f32\[3\] cannot be halved along dim=-1"),
        (lambda: F.glu(tn.ones(2, 2), 2), IndexError, r"dim=2 is out of range"),
        (lambda: tn.prelu(tn.ones(2, 3), tn.ones(2)), RuntimeError, r"has 3 channels, but weight is Tensor f32\[2\]"),
        (lambda: tn.prelu(tn.ones(2, 3), tn.ones(1, 3)), RuntimeError, r"one per channel, got Tensor f32\[1,3\]"),
        (lambda: F.relu(tn.tensor([1.0], requires_grad=True), inplace=True), RuntimeError, "relu_: .*leaf that requires grad"),
    ],
)
def test_bad_input(call, error, match) -> None:
    with pytest.raises(error, match=match):
        call()
