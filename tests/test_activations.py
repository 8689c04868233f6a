"""Activations at their kinks and far out: like torch where torch has a number, and the limit where it has not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn

F = tn.nn.functional
INF, NAN = float("inf"), float("nan")


def _f64(values: Any) -> tn.Tensor:
    return tn.tensor(values, dtype=tn.float64)


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


def _derivatives(name: Any, at: float, dtype: str = "float64", **settings: str) -> tuple[float, float, float]:
    x = tn.tensor(at, dtype=dtype, requires_grad=True)
    value = (getattr(F, name) if isinstance(name, str) else name)(x, **settings)
    (first,) = tn.autograd.grad(value, x, create_graph=True) if value.requires_grad else (tn.zeros(()),)
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


# ---- all of the notes' activations at 0, at ±1e4 and at ±inf: value, slope, curvature ----

AT = (0.0, 1e4, -1e4, INF, -INF)
E, ROOT_2_PI = np.e, np.sqrt(2 * np.pi)
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # of SELU
GATE = {"value": (0, 1e4, 0, INF, 0), "slope": (0.5, 1, 0, 1, 0)}  # x times a gate from 0 to 1, which is 1/2 at 0


def _leaky(slope: float) -> dict[str, tuple[float, ...]]:
    return {"value": (0, 1e4, -1e4 * slope, INF, -INF), "slope": (slope, 1, slope, 1, slope), "curvature": (0,) * 5}


def _elu(scale: float, alpha: float) -> dict[str, tuple[float, ...]]:
    below = -scale * alpha
    slopes = (-below, scale, 0, scale, 0)
    return {"value": (0, scale * 1e4, below, INF, below), "slope": slopes, "curvature": (-below, 0, 0, 0, 0)}


def _pair(x: tn.Tensor) -> tn.Tensor:
    """``(x, 0)``"""
    return tn.stack([x, tn.zeros_like(x)])


ALL = {  # the function, and what it should give at each point of AT
    "step": (F.step, {"value": (0, 1, 0, 1, 0), "slope": (0,) * 5, "curvature": (0,) * 5}),
    "sigmoid": (F.sigmoid, {"value": (0.5, 1, 0, 1, 0), "slope": (0.25, 0, 0, 0, 0), "curvature": (0,) * 5}),
    "tanh": (F.tanh, {"value": (0, 1, -1, 1, -1), "slope": (1, 0, 0, 0, 0), "curvature": (0,) * 5}),
    "relu": (F.relu, {"value": (0, 1e4, 0, INF, 0), "slope": (0, 1, 0, 1, 0), "curvature": (0,) * 5}),
    "leaky_relu": (F.leaky_relu, _leaky(0.01)),
    "prelu": (lambda x: F.prelu(x, tn.tensor(0.25, dtype=x.dtype)), _leaky(0.25)),
    "rrelu": (F.rrelu, _leaky((1 / 8 + 1 / 3) / 2)),
    "rrelu, training": (lambda x: F.rrelu(x, 0.5, 0.5, training=True), _leaky(0.5)),
    "elu": (F.elu, _elu(1, 1)),
    "selu": (F.selu, _elu(SCALE, ALPHA)),
    "gelu": (F.gelu, {**GATE, "curvature": (2 / ROOT_2_PI, 0, 0, 0, 0)}),
    "gelu, tanh": (lambda x: F.gelu(x, "tanh"), {**GATE, "curvature": (2 / ROOT_2_PI, 0, 0, 0, 0)}),
    "silu": (F.silu, {**GATE, "curvature": (0.5, 0, 0, 0, 0)}),
    "softplus": (F.softplus, {**GATE, "value": (np.log(2), 1e4, 0, INF, 0), "curvature": (0.25, 0, 0, 0, 0)}),
    "maxout": (  # of x and -x: the absolute value
        lambda x: F.maxout(tn.stack([x, -x]), 2)[0],
        {"value": (0, 1e4, 1e4, INF, INF), "slope": (0, 1, -1, 1, -1), "curvature": (0,) * 5},
    ),
    "softmax": (  # NaN at inf, as PyTorch has it: of several infinite scores there is no limit
        lambda x: F.softmax(_pair(x), 0)[0],
        {"value": (0.5, 1, 0, NAN, 0), "slope": (0.25, 0, 0, NAN, 0), "curvature": (0, 0, 0, NAN, 0)},
    ),
    "log_softmax": (
        lambda x: F.log_softmax(_pair(x), 0)[1],
        {"value": (-np.log(2), -1e4, 0, NAN, 0), "slope": (-0.5, -1, 0, NAN, 0), "curvature": (-0.25, 0, 0, NAN, 0)},
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_value_slope_and_curvature_everywhere(name: str, dtype: str) -> None:
    call, expected = ALL[name]
    found = np.array([_derivatives(call, at, dtype) for at in AT]).T
    wanted = np.array([expected[key] for key in ("value", "slope", "curvature")])
    np.testing.assert_allclose(found, wanted, rtol=1e-6 if dtype == "float32" else 1e-14, atol=1e-16)


def test_softmax_of_masked_rows() -> None:
    x = tn.tensor([[0.0, -INF, 0.0], [-INF, -INF, -INF]], dtype=tn.float64, requires_grad=True)
    y = tn.softmax(x, 1)
    np.testing.assert_array_equal(y.detach().numpy(), [[0.5, 0, 0.5], [NAN] * 3])
    (y[0] * tn.tensor([1.0, 2.0, 3.0], dtype=tn.float64)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy()[0], [-0.5, 0, 0.5])


# ---- learned and random ones ----


def test_the_weight_of_prelu_learns_from_negative_values_only() -> None:
    x = _f64([-2.0, 0.0, 3.0, INF])
    weight = tn.tensor([0.25], dtype=tn.float64, requires_grad=True)
    F.prelu(x, weight).sum().backward()
    assert weight.grad.tolist() == [-2]


def test_rrelu_draws_a_slope_for_each_value_and_passes_it_back() -> None:
    tn.manual_seed(0)
    layer = tn.nn.RReLU(0.1, 0.6)
    x = tn.full((4000,), -2.0, dtype=tn.float64, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    slopes = x.grad.numpy()
    np.testing.assert_allclose(y.detach().numpy(), -2 * slopes)
    assert (slopes.min() >= 0.1, slopes.max() < 0.6) == (True, True)
    assert slopes.mean() == pytest.approx(0.35, abs=0.01)
    assert slopes.std() == pytest.approx(0.5 / np.sqrt(12), rel=0.03)
    np.testing.assert_allclose(layer.eval()(x).detach().numpy(), -0.7)
    given = [F.rrelu(x, training=True, generator=tn.Generator(3)).tolist() for _ in range(2)]
    assert given[0] == given[1]


def test_maxout_is_the_largest_linear_function_and_approximates_a_parabola() -> None:
    layer = tn.nn.Maxout(1, 2, pieces=3, dtype=tn.float64)
    x = tn.linspace(-1, 1, 5, dtype=tn.float64).unsqueeze(1)
    w, b = (p.detach().numpy() for p in layer.parameters())
    np.testing.assert_allclose(layer(x).detach().numpy(), (x.numpy() @ w.T + b).reshape(5, 2, 3).max(2))
    with tn.no_grad():  # tangents of x² at -1, 0 and 1
        layer.linear.weight.copy_(_f64([-2, 0, 2, -2, 0, 2]).unsqueeze(1))
        layer.linear.bias.copy_(_f64([-1, 0, -1, -1, 0, -1]))
    np.testing.assert_allclose(layer(x).detach().numpy()[:, 0], [1, 0, 0, 0, 1])


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
        (lambda: F.rrelu(tn.ones(2), 0.5, 0.25), RuntimeError, "lower=0.5 lies above upper=0.25"),
        (lambda: F.maxout(tn.ones(2, 3), 2), RuntimeError, r"dim=-1 of Tensor f32\[2,3\] does not divide into units of 2"),
        (lambda: F.maxout(tn.ones(2, 3), 0), RuntimeError, "units of 0 pieces"),
        (lambda: F.maxout(tn.ones(2, 3), 1, 2), IndexError, "dim=2 is out of range"),
        (lambda: tn.nn.Maxout(2, 3, 0), ValueError, "at least one piece per unit, got 0"),
        (lambda: F.step(tn.ones(2, requires_grad=True)).sum().backward(), RuntimeError, "does not require grad|no gradient"),
    ],
)
def test_bad_input(call, error, match) -> None:
    with pytest.raises(error, match=match):
        call()
