"""Gradient clipping against torch: norms, values, what is not finite; replays; bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.nn import utils

RNG = np.random.default_rng(0)
GRADIENTS = [RNG.standard_normal((3, 2)), RNG.standard_normal(4), np.array(-1.5), np.zeros(3)]


def owners(lib, gradients=GRADIENTS) -> list:
    """Parameters with these gradients, and one without."""
    tensors = [lib.zeros(g.shape, dtype=lib.float64).requires_grad_() for g in gradients]
    for tensor, g in zip(tensors, gradients, strict=True):
        tensor.grad = lib.from_numpy(g.copy())
    return [*tensors, lib.zeros(2).requires_grad_()]


def clipped(lib, function: str, *args, gradients=GRADIENTS) -> list[np.ndarray]:
    parameters = owners(lib, gradients)
    total = getattr(lib.nn.utils, function)(parameters, *args)
    return [p.grad.numpy() for p in parameters[:-1]] + ([] if total is None else [total.numpy()])


@pytest.mark.torch
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 100.0])
@pytest.mark.parametrize("order", [2.0, 1.0, 3.0, 0.5, math.inf])
def test_norms_are_torchs(max_norm: float, order: float) -> None:
    torch = pytest.importorskip("torch")
    for a, b in zip(*(clipped(lib, "clip_grad_norm_", max_norm, order) for lib in (tn, torch)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("value", [0.0, 0.5, 2])
def test_values_are_torchs(value: float) -> None:
    torch = pytest.importorskip("torch")
    gradients = [*GRADIENTS, np.array([np.nan, np.inf, -np.inf])]
    for a, b in zip(*(clipped(lib, "clip_grad_value_", value, gradients=gradients) for lib in (tn, torch)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.torch
@pytest.mark.parametrize("fault", [np.nan, np.inf])
@pytest.mark.parametrize("order", [2.0, math.inf])
def test_what_is_not_finite_is_torchs(fault: float, order: float) -> None:
    torch = pytest.importorskip("torch")
    gradients = [np.array([1.0, fault]), np.ones(2)]
    for a, b in zip(*(clipped(lib, "clip_grad_norm_", 1.0, order, gradients=gradients) for lib in (tn, torch)), strict=True):
        np.testing.assert_array_equal(a, b)
    for lib in (tn, torch):
        with pytest.raises(RuntimeError, match="norm"):
            clipped(lib, "clip_grad_norm_", 1.0, order, True, gradients=gradients)


@pytest.mark.torch
def test_the_parts_are_torchs() -> None:
    torch = pytest.importorskip("torch")
    for order in (2.0, 1.0, math.inf):
        totals = [lib.nn.utils.get_total_norm([p.grad for p in owners(lib)[:-1]], order).item() for lib in (tn, torch)]
        assert totals[0] == pytest.approx(totals[1], rel=1e-12)
    results = []
    for lib in (tn, torch):
        parameters = owners(lib)
        lib.nn.utils.clip_grads_with_norm_(parameters, 0.5, lib.tensor(2.0, dtype=lib.float64))
        results.append([p.grad.numpy() for p in parameters[:-1]])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_clipped_norm_is_the_bound() -> None:
    parameters = owners(tn)
    utils.clip_grad_norm_(parameters, 0.5)
    assert utils.get_total_norm([p.grad for p in parameters[:-1]]).item() == pytest.approx(0.5, rel=1e-5)
    assert utils.get_total_norm([]).item() == 0


@pytest.mark.parametrize("order", [2.0, 0.5, math.inf])
def test_empty_gradients_do_not_count(order: float) -> None:
    empty = [np.zeros((2, 0))]
    assert np.array_equal(
        clipped(tn, "clip_grad_norm_", 1.0, order)[-1],
        clipped(tn, "clip_grad_norm_", 1.0, order, gradients=GRADIENTS + empty)[-1],
    )
    assert clipped(tn, "clip_grad_norm_", 1.0, order, gradients=empty)[-1] == 0


def test_a_single_tensor_and_a_generator() -> None:
    (a, *_) = owners(tn)
    utils.clip_grad_value_(a, 0.1)
    assert np.abs(a.grad.numpy()).max() == 0.1
    found = [utils.clip_grad_norm_(p, 0.1).item() for p in (owners(tn), (q for q in owners(tn)))]
    assert found[0] == found[1]
    generator = owners(tn)
    utils.clip_grad_norm_((q for q in generator), 0.1)
    assert utils.get_total_norm([p.grad for p in generator[:-1]]).item() == pytest.approx(0.1, rel=1e-4)


@pytest.mark.parametrize("clip", [lambda p: utils.clip_grad_norm_(p, 1.0), lambda p: utils.clip_grad_value_(p, 0.3)])
def test_replays_clip_what_is_there(clip) -> None:
    g = tn.tensor([0.1, 0.2])
    x = tn.zeros(2, requires_grad=True)

    def step() -> tn.Tensor:
        x.grad = None
        (x * g).sum().backward()
        clip([x])
        return x.grad * 1.0

    with tn.Tape() as tape:
        out = step()
    g.copy_(tn.tensor([3.0, -4.0]))
    assert tape.replay(out)[0].tolist() == step().tolist() != [3.0, -4.0]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: utils.clip_grad_norm_([], -1.0), ValueError, "max_norm must be 0 or more, got -1.0"),
        (lambda: utils.clip_grad_norm_([], math.nan), ValueError, "max_norm"),
        (lambda: utils.clip_grad_norm_([], 1.0, 0), ValueError, "norm_type must be positive"),
        (lambda: utils.clip_grad_value_([], -0.5), ValueError, "clip_value must be 0 or more"),
        (lambda: utils.get_total_norm([tn.ones(1)], -1), ValueError, "norm_type"),
    ],
)
def test_bad_input(call, error, match) -> None:
    with pytest.raises(error, match=match):
        call()
