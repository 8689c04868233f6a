"""Random numbers: their distributions, their errors, and that no draw leaves the stream of its generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn

N = 20_000

MOMENTS: dict[str, tuple[Callable[[], tn.Tensor], float, float]] = {
    "rand": (lambda: tn.rand(N), 0.5, 1 / 12),
    "randn": (lambda: tn.randn(N), 0.0, 1.0),
    "randint": (lambda: tn.randint(10, (N,)), 4.5, 8.25),
    "randint from": (lambda: tn.randint(-3, 3, (N,), dtype=tn.int8), -0.5, 35 / 12),
    "normal": (lambda: tn.normal(1.0, 2.0, (N,)), 1.0, 4.0),
    "normal of Tensors": (lambda: tn.normal(tn.full((N,), 3.0), tn.tensor(0.5)), 3.0, 0.25),
    "bernoulli": (lambda: tn.bernoulli(tn.full((N,), 0.3)), 0.3, 0.21),
    "bernoulli p": (lambda: tn.bernoulli(tn.zeros(N), 0.3), 0.3, 0.21),
    "uniform_": (lambda: tn.zeros(N).uniform_(2, 6), 4.0, 16 / 12),
    "normal_": (lambda: tn.zeros(N).normal_(2, 0.5), 2.0, 0.25),
    "bernoulli_": (lambda: tn.zeros(N, dtype=tn.int64).bernoulli_(0.25), 0.25, 3 / 16),
    "random_ to": (lambda: tn.zeros(N).random_(10), 4.5, 8.25),
    "random_ bool": (lambda: tn.zeros(N, dtype=tn.bool_).random_(), 0.5, 0.25),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments(name: str) -> None:
    """Mean and variance within five standard errors."""
    draw, mean, variance = MOMENTS[name]
    x = draw().numpy().astype(np.float64)
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / N)
    assert abs(x.var() - variance) < 5 * variance * np.sqrt(8 / N)
    assert not np.array_equal(draw().numpy(), draw().numpy())


def test_random_covers_every_integer_of_the_dtype() -> None:
    for dtype, top in ((tn.uint8, 256), (tn.int8, 128)):
        found = tn.zeros(N, dtype=dtype).random_().numpy()
        assert set(found.tolist()) == set(range(top))
    wide = tn.zeros(N, dtype=tn.int64).random_().numpy()
    assert wide.min() >= 0
    assert wide.max() > 2**62
    assert tn.zeros(N, dtype=tn.float64).random_().numpy().max() > 2**52


def test_a_draw_into_a_tensor_is_recorded_and_blocks_its_gradient() -> None:
    x = tn.ones(3, requires_grad=True)
    y = x * 2
    y.uniform_()
    (g,) = tn.autograd.grad((y * x).sum(), [x])
    np.testing.assert_array_equal(g.numpy(), y.detach().numpy())
    with pytest.raises(RuntimeError, match="leaf that requires grad"):
        x.normal_()


def test_multinomial_draws_by_weight() -> None:
    weights = tn.tensor([[1.0, 0.0, 3.0, 4.0], [2.0, 2.0, 0.0, 4.0]])
    share = weights.numpy() / 8
    again = tn.multinomial(weights, N, replacement=True).numpy()
    first = np.stack([tn.multinomial(row[None].expand(N, 4), 2).numpy() for row in weights])
    for row in range(2):
        for drawn in (again[row], first[row, :, 0]):
            found = np.bincount(drawn, minlength=4) / N
            assert (np.abs(found - share[row]) <= 5 * np.sqrt(share[row] / N)).all()
        assert (first[row, :, 0] != first[row, :, 1]).all()
        for a in np.flatnonzero(share[row]):  # the second, given the first: by what is left of the weights
            second = first[row, first[row, :, 0] == a, 1]
            left = np.where(np.arange(4) == a, 0, share[row])
            expected = left / left.sum()
            found = np.bincount(second, minlength=4) / second.size
            assert (np.abs(found - expected) <= 5 * np.sqrt(expected / second.size)).all()
    assert sorted(tn.multinomial(weights[0], 3).tolist()) == [0, 2, 3]


def test_a_permutation_is_fresh_at_every_replay() -> None:
    with tn.Tape() as tape:
        order = tn.randperm(50)
        chosen = tn.multinomial(tn.ones(50), 50)
    seen = [order.tolist(), chosen.tolist()]
    for _ in range(2):
        for value in tape.replay(order, chosen):
            assert sorted(value.tolist()) == list(range(50))
            assert value.tolist() not in seen
            seen.append(value.tolist())
    places = np.stack([tn.randperm(4).numpy() for _ in range(2000)])
    assert (np.abs((places == np.arange(4)).mean(0) - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 2000)).all()


RANGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "randint": (lambda m: m.randint(3, 3, (2,)), r"\[3, 3\) is empty"),
    "randint dtype": (
        lambda m: m.randint(0, 300, (2,), dtype=m.uint8),
        r"\[0, 300\) does not fit into uint8, which holds 0 to 255",
    ),
    "normal": (lambda m: m.normal(0.0, -1.0, (2,)), "cannot be negative"),
    "normal Tensor": (lambda m: m.normal(0.0, m.tensor([1.0, -1.0])), "cannot be negative"),
    "normal_": (lambda m: m.zeros(2).normal_(0, -1), "cannot be negative, got -1"),
    "uniform_": (lambda m: m.zeros(2).uniform_(1, 0), r"\[1, 0\) is empty"),
    "bernoulli": (lambda m: m.bernoulli(m.tensor([0.5, 1.5])), r"lies in \[0, 1\], got \[0.5, 1.5\]"),
    "bernoulli integers": (lambda m: m.bernoulli(m.tensor([0, 1])), r"probabilities are floats, got Tensor i64\[2\]"),
    "bernoulli_": (lambda m: m.zeros(2).bernoulli_(-0.1), r"lies in \[0, 1\], got \[-0.1\]"),
    "multinomial negative": (lambda m: m.multinomial(m.tensor([1.0, -1.0]), 1), "finite and not negative"),
    "multinomial nan": (lambda m: m.multinomial(m.tensor([1.0, float("nan")]), 1), "finite and not negative"),
    "multinomial zeros": (lambda m: m.multinomial(m.zeros(2), 1), "some of each row above 0"),
    "multinomial too many": (lambda m: m.multinomial(m.ones(2), 3), "fewer than 3 categories can be drawn; replacement=True"),
    "multinomial none": (lambda m: m.multinomial(m.ones(2), 0), "must be positive, got 0"),
    "multinomial axes": (
        lambda m: m.multinomial(m.ones(1, 1, 2), 1),
        r"\(n,\) or \(rows, n\) with n > 0, got Tensor f32\[1,1,2\]",
    ),
    "multinomial integers": (lambda m: m.multinomial(m.arange(2), 1), r"the weights are floats, got Tensor i64\[2\]"),
    "randperm": (lambda m: m.randperm(-1), "randperm: a shape holds non-negative integers"),
    "random_": (lambda m: m.zeros(2).random_(3, 2), r"random_: the range \[3, 2\) is empty"),
    "arange step": (lambda m: m.arange(1, 2, 0), "arange: the step cannot be 0"),
    "arange away": (lambda m: m.arange(1, 5, -1), "steps of -1 lead from 1 away from 5"),
    "linspace": (lambda m: m.linspace(0, 1, -1), "linspace: the number of steps cannot be negative, got -1"),
    "logspace": (lambda m: m.logspace(0, 1, -1), "logspace: the number of steps cannot be negative, got -1"),
    "one_hot": (lambda m: m.nn.functional.one_hot(m.tensor([0, 3]), 3), r"classes from 0 to 3, not in \[0, 3\)"),
    "one_hot nothing": (
        lambda m: m.nn.functional.one_hot(m.zeros(0, dtype=m.int64)),
        "holds no class to count; say num_classes",
    ),
    "one_hot floats": (lambda m: m.nn.functional.one_hot(m.zeros(2)), r"must be int64, got Tensor f32\[2\]; use \.long\(\)"),
    "meshgrid axes": (lambda m: m.meshgrid(m.zeros(2, 2), indexing="ij"), r"at most one axis, got \['Tensor f32\[2,2\]'\]"),
    "meshgrid dtypes": (lambda m: m.meshgrid(m.zeros(2), m.arange(2), indexing="ij"), "all need one dtype"),
    "meshgrid indexing": (lambda m: m.meshgrid(m.zeros(2), indexing="xx"), '"ij" or "xy", got \'xx\''),
}


@pytest.mark.parametrize("name", RANGES)
def test_errors(name: str) -> None:
    act, message = RANGES[name]
    with pytest.raises(RuntimeError, match=message):
        act(tn)


@pytest.mark.torch
@pytest.mark.parametrize("name", RANGES)
def test_errors_have_torchs_class(name: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError):
        RANGES[name][0](torch)


def test_arguments_that_make_no_call() -> None:
    for act, message in (
        (lambda: tn.randint(3), "needs a bound"),
        (lambda: tn.randint(), "needs a size"),
        (lambda: tn.normal(0.0, 1.0), "need a size"),
        (lambda: tn.full((2,), tn.zeros(1, 2)), r"a number or a 0-d Tensor, got Tensor f32\[1,2\]"),
        (lambda: tn.normal(tn.zeros(2), 1.0, (2,)), "tell size and dtype themselves"),
    ):
        with pytest.raises(TypeError, match=message):
            act()
    with pytest.raises(ValueError, match=r"list cannot become Tensor f32\[1\] without a copy"):
        tn.asarray([1.0], copy=False)
