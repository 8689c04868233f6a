"""Buffers of gradients: in the order of what they belong to, handed on without a copy, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn

F = nn.functional


def leaves() -> tuple[tn.Tensor, tn.Tensor]:
    rng = np.random.default_rng(0)
    made = [tn.from_numpy(rng.standard_normal(shape).astype("f4")) for shape in ((5, 7), (3, 7))]
    return made[0].requires_grad_(), made[1].requires_grad_()


PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {
    "a transposed factor": lambda x, w: x @ w.T,
    "a transposed left factor": lambda x, w: (w @ x.T).T,
    "both": lambda x, w: (x.T.T @ w.T).T.T,
    "of a stack": lambda x, w: x.expand(2, 5, 7) @ w.T,
    "stacks": lambda x, w: x.expand(2, 5, 7) @ w.expand(2, 3, 7).transpose(-2, -1),
    "a view of a view": lambda x, w: x @ w.reshape(3, 7).T.reshape(7, 3),
    "used twice": lambda x, w: x @ w.T + x.tanh() @ w.T,
    "in two shapes": lambda x, w: (x @ w.T).sum(0) + w.T.sum(0),
}


@pytest.mark.parametrize("product", PRODUCTS)
def test_gradients_are_those_of_numbers_written_out(product: str) -> None:
    x, w = leaves()
    out = PRODUCTS[product](x, w)
    out.backward(tn.ones(out.shape))
    wide = [t.detach().double().requires_grad_() for t in (x, w)]

    def written_out(x: Any, w: Any) -> Any:  # elementwise, without any product of matrices
        a, b = x.reshape(5, 1, 7), w.reshape(1, 3, 7)
        one = (a * b).sum(-1)
        if product == "used twice":
            return one + (a.tanh() * b).sum(-1)
        if product == "in two shapes":
            return one.sum(0) + w.sum(1)
        return one if one.shape == out.shape else one.expand(*out.shape)

    again = written_out(*wide)
    again.backward(tn.ones(again.shape, dtype=tn.float64))
    for leaf, reference in zip((x, w), wide, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), reference.grad.numpy(), rtol=2e-5, atol=1e-5)
        assert leaf.grad.numpy().flags.c_contiguous
        assert leaf.grad.numpy().flags.writeable


def test_a_weights_gradient_is_the_product_itself() -> None:
    """No copy: the memory is the product's, which nobody else holds."""
    x, w = leaves()
    (x @ w.T).sum().backward()
    memory = w.grad.numpy().base
    assert memory.shape == (3, 7)
    assert not np.shares_memory(memory, w.detach().numpy())


def test_gradients_of_two_leaves_share_nothing() -> None:
    a, b = tn.zeros(4, 4, requires_grad=True), tn.zeros(4, 4, requires_grad=True)
    ((a + b).T @ tn.ones(4, 2)).sum().backward()
    assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())
    a.grad.zero_()
    np.testing.assert_array_equal(b.grad.numpy(), 2)


def seen_by_retain(h: tn.Tensor, seen: list[tn.Tensor]) -> None:
    h.retain_grad()
    seen.append(h)


def seen_by_hook(h: tn.Tensor, seen: list[tn.Tensor]) -> None:
    h.register_hook(lambda g: seen.append(g))


@pytest.mark.parametrize("look", [seen_by_retain, seen_by_hook])
def test_what_was_seen_on_the_way_stays_as_it_was(look: Callable[..., None]) -> None:
    """The view's base gets a second contribution, added in place to buffers that the pass owns: not to one that was seen."""
    w = tn.ones(3, 3, requires_grad=True)
    base = w * 1
    first = base.sum() * 10  # backward comes to it after h
    h = base.T
    seen: list[tn.Tensor] = []
    look(h, seen)
    (first + (tn.ones(2, 3) @ h).sum()).backward()
    got = seen[0].grad if look is seen_by_retain else seen[0]
    np.testing.assert_array_equal(got.numpy(), 2)
    np.testing.assert_array_equal(w.grad.numpy(), 12)


def test_what_was_asked_for_stays_as_it_was() -> None:
    w = tn.ones(3, 3, requires_grad=True)
    base = w * 1
    first = base.sum() * 10
    h = base.T
    loss = first + (tn.ones(2, 3) @ h).sum()
    of_h, of_w = tn.autograd.grad(loss, (h, w))
    np.testing.assert_array_equal(of_h.numpy(), 2)
    np.testing.assert_array_equal(of_w.numpy(), 12)


def test_a_users_cotangent_is_not_written() -> None:
    w = tn.ones(3, 2, requires_grad=True)
    g = tn.ones(2, 3)
    w.T.backward(g)
    w.grad.mul_(5.0)
    np.testing.assert_array_equal(g.numpy(), 1)


def test_a_retained_graph_gives_the_same_again() -> None:
    x, w = leaves()
    loss = F.relu(x @ w.T).square().sum()
    loss.backward(retain_graph=True)
    first = w.grad.numpy().copy()
    loss.backward()
    np.testing.assert_array_equal(w.grad.numpy(), first + first)


def test_recorded_and_eager_gradients_have_the_same_bits() -> None:
    x, w = leaves()
    F.relu(x @ w.T).square().sum().backward()
    eager = [x.grad.numpy().copy(), w.grad.numpy().copy()]
    x.grad = w.grad = None
    with tn.Tape() as tape:
        loss = F.relu(x @ w.T).square().sum()
        loss.backward()
    for leaf, want in zip((x, w), eager, strict=True):
        np.testing.assert_array_equal(leaf.grad.numpy(), want)
        np.testing.assert_array_equal(tape.replay(leaf.grad)[0], want)


def test_a_weight_may_be_written_before_backward_if_its_input_needs_no_gradient() -> None:
    x, w = leaves()
    out = x.detach() @ w.T
    with tn.no_grad():
        w.zero_()
    out.sum().backward()
    assert np.all(np.isfinite(w.grad.numpy()))
