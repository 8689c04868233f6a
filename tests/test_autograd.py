"""Asking for gradients: backward, grad, hooks, retain_grad, and the modes, each with PyTorch's semantics."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn


def leaf(*values: float, dtype: Any = tn.float32) -> tn.Tensor:
    return tn.tensor(values, dtype=dtype, requires_grad=True)


# ---- backward ----


def test_a_second_backward_raises_and_retain_graph_allows_it() -> None:
    x = leaf(1, 2)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8]
    with pytest.raises(RuntimeError, match=r"sum f32\[\] was already used.*retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [4, 8]


def test_non_scalar_backward_needs_a_cotangent() -> None:
    x = leaf(1, 2)
    with pytest.raises(RuntimeError, match=r"f32\[2\] with 2 elements needs a cotangent"):
        (x * x).backward()
    (x * x).backward(tn.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2, 40]
    leaf(3).mul(2).backward()  # one element is enough


def test_gradients_accumulate_in_place() -> None:
    x = leaf(1, 2)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first
    assert first.tolist() == [5, 5]


def test_no_two_leaves_share_a_gradient() -> None:
    uses: tuple[Callable[[tn.Tensor, tn.Tensor], tn.Tensor], ...] = (
        lambda x, y: x + y, lambda x, y: (x + y) + (x + y), lambda x, y: tn.cat([x, y]), lambda x, y: x.reshape(1, 2) + y,
        lambda x, y: x.expand(3, 2) + y, lambda x, y: tn.stack([x, y, x]), lambda x, y: x.clone() + y.T,
    )  # fmt: skip
    for use in uses:
        x, y = leaf(1, 2), leaf(3, 4)
        out = use(x, y)
        g = tn.ones(*out.shape)
        out.backward(g)
        for a, b in ((x.grad, y.grad), (x.grad, g), (y.grad, g), (x.grad, x.detach())):
            assert not np.shares_memory(a.numpy(), b.numpy())
        for t in (x, y):
            assert t.grad.numpy().flags.writeable
            assert t.grad.numpy().flags.c_contiguous
        x.grad.zero_()
        assert (y.grad.numpy() != 0).all()


def test_backward_of_several_and_into_chosen_inputs() -> None:
    x, y = leaf(1, 2), leaf(3, 4)
    tn.autograd.backward([(x * y).sum(), x * 1], [None, tn.tensor([10.0, 20.0])])
    assert (x.grad.tolist(), y.grad.tolist()) == ([13, 24], [1, 2])
    x, y = leaf(1, 2), leaf(3, 4)
    z = x * y
    (z * z).sum().backward(inputs=[x, z])
    assert (x.grad.tolist(), y.grad, z.grad.tolist()) == ([18, 64], None, [6, 16])


def test_create_graph_twice_and_thrice() -> None:
    x = leaf(2, dtype=tn.float64)
    y = x**4
    for expected in (32.0, 48.0, 48.0, 24.0):
        (y,) = tn.autograd.grad(y.sum(), [x], tn.tensor(1.0, dtype=tn.float64), create_graph=True)
        assert y.item() == pytest.approx(expected, rel=1e-12)
    x = leaf(1, 3)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    (g,) = tn.autograd.grad(x.grad.sum(), [x])
    np.testing.assert_allclose(g.numpy(), [6, 18], rtol=1e-6)


def test_a_read_only_gradient_is_replaced_and_nothing_is_half_done() -> None:
    x, y = leaf(1, 2), leaf(3, 4)
    y.grad = tn.ones(1).expand(2)
    (x + y).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([1, 1], [2, 2])


# ---- grad ----


def test_grad_touches_no_slot() -> None:
    x, y = leaf(1, 2), leaf(3, 4)
    z = x * y
    gx, gz = tn.autograd.grad((z * z).sum(), [x, z])
    assert (gx.tolist(), gz.tolist()) == ([18, 64], [6, 16])
    assert x.grad is None
    assert y.grad is None
    assert z.grad is None
    assert not gx.requires_grad


def test_grad_of_unused_inputs() -> None:
    x, y = leaf(1, 2), leaf(3, 4, dtype=tn.float64)
    out = (x * x).sum()
    with pytest.raises(RuntimeError, match=r"input 1 \(Tensor f64\[2\]\) was not used.*allow_unused.*materialize_grads"):
        tn.autograd.grad(out, [x, y], retain_graph=True)
    assert tn.autograd.grad(out, [x, y], retain_graph=True, allow_unused=True)[1] is None
    zero = tn.autograd.grad(out, [x, y], materialize_grads=True)[1]
    assert (zero.tolist(), zero.dtype) == ([0, 0], tn.float64)


def test_grad_of_outputs_themselves_and_cotangents() -> None:
    x = leaf(1, 2)
    y = x * 3
    (g,) = tn.autograd.grad(y, [y], tn.tensor([5.0, 6.0]), retain_graph=True)
    assert g.tolist() == [5, 6]
    first, again = tn.autograd.grad([y, y], [x, x], [tn.tensor([1.0, 2.0]), tn.tensor([10.0, 20.0])])
    assert first.tolist() == again.tolist() == [33, 66]
    for wrong, error in (
        (tn.ones(3), RuntimeError),
        (tn.ones(2, dtype=tn.float64), RuntimeError),
        (np.ones(2), TypeError),
        (1.0, TypeError),
    ):
        with pytest.raises(error, match="cotangent"):
            tn.autograd.grad(x * 3, [x], wrong)
    with pytest.raises(RuntimeError, match="1 outputs but 2 cotangents"):
        tn.autograd.grad(x * 3, [x], [tn.ones(2), tn.ones(2)])


# ---- hooks and retain_grad ----


def test_hooks_see_change_and_go() -> None:
    x = leaf(1, 2)
    y = x * 2
    seen: list[Any] = []
    looking = y.register_hook(lambda g: seen.append(g.tolist()))
    doubling = y.register_hook(lambda g: g * 2)
    leafy = x.register_hook(lambda g: g + 1)
    y.sum().backward(retain_graph=True)
    assert (seen, x.grad.tolist()) == ([[1, 1]], [5, 5])
    for handle in (looking, doubling, leafy):
        handle.remove()
        handle.remove()  # a second time does nothing
    x.grad = None
    y.sum().backward()
    assert (seen, x.grad.tolist()) == ([[1, 1]], [2, 2])


def test_a_hook_runs_once_on_the_whole_gradient_also_for_grad_and_create_graph() -> None:
    x = leaf(1, 2)
    y = x * 1
    seen: list[list[float]] = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    out = (y * 2 + y * 3 + y[0]).sum()
    tn.autograd.grad(out, [x], retain_graph=True)
    (g,) = tn.autograd.grad((y * y).sum(), [x], create_graph=True)
    assert g.requires_grad
    assert seen == [[7, 5], [2, 4]]


def test_what_a_hook_keeps_stays_as_it_was() -> None:
    x = leaf(1, 2)
    kept: list[tn.Tensor] = []
    x.register_hook(kept.append)
    for _ in range(2):
        (x * 2 + x * 3).sum().backward()
    assert [k.tolist() for k in kept] == [[5, 5], [5, 5]]
    assert x.grad.tolist() == [10, 10]


def test_hooks_must_answer_with_a_gradient() -> None:
    for answer in (lambda g: g.sum(), lambda g: g.double(), lambda g: g.numpy()):
        x = leaf(1, 2)
        x.register_hook(answer)
        with pytest.raises(RuntimeError, match=r"hook: must return None or a Tensor like the gradient Tensor f32\[2\]"):
            (x * 2).sum().backward()
        assert x.grad is None
    with pytest.raises(RuntimeError, match="does not require grad"):
        tn.ones(2).register_hook(print)


def test_retain_grad() -> None:
    x = leaf(1, 2)
    y = x * 3
    y.retain_grad()
    z = y * y
    z.sum().backward(retain_graph=True)
    assert y.grad.tolist() == [6, 12]
    z.sum().backward()
    assert y.grad.tolist() == [12, 24]
    assert z.grad is None
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    with pytest.raises(RuntimeError, match="does not require grad"):
        tn.ones(2).retain_grad()


# ---- modes ----


def test_modes_nest_and_decorate() -> None:
    x = leaf(1)

    @tn.no_grad()
    def quiet() -> bool:
        with tn.enable_grad():
            inner = (x * 2).requires_grad
        return inner and not (x * 2).requires_grad

    @tn.set_grad_enabled(False)
    def switched_off() -> bool:
        return (x * 2).requires_grad

    assert tn.is_grad_enabled()
    assert quiet()
    assert not switched_off()
    assert tn.is_grad_enabled()
    with tn.inference_mode():
        assert not (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), tn.no_grad():
        raise ZeroDivisionError
    assert (x * 2).requires_grad


def test_set_grad_enabled_in_all_its_uses() -> None:
    tn.set_grad_enabled(False)
    assert not tn.is_grad_enabled()
    with tn.set_grad_enabled(True):
        assert tn.is_grad_enabled()
        with tn.set_grad_enabled(False):
            assert not tn.is_grad_enabled()
        assert tn.is_grad_enabled()
    assert not tn.is_grad_enabled()
    tn.set_grad_enabled(True)
    assert tn.is_grad_enabled()
    switch = tn.no_grad()
    with switch, switch:
        assert not tn.is_grad_enabled()
    assert tn.is_grad_enabled()


def in_thread(function: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join(10)
    assert found, "the thread raised"
    return found[0]


def test_modes_and_tapes_are_of_one_thread() -> None:
    x = leaf(1)
    with tn.no_grad(), tn.Tape() as tape:
        assert in_thread(lambda: (x * 2).requires_grad)
        assert len(tape) == 0
    switched = threading.Event()
    done = threading.Event()

    def other() -> bool:
        with tn.no_grad():
            switched.set()
            assert done.wait(10)
            return (x * 2).requires_grad

    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(other()))
    thread.start()
    assert switched.wait(10)
    assert (x * 2).requires_grad
    done.set()
    thread.join(10)
    assert found == [False]


def test_a_decorated_function_in_two_threads_keeps_their_modes_apart() -> None:
    inside, leave = threading.Event(), threading.Event()

    @tn.no_grad()
    def work(wait: bool) -> None:
        if wait:
            inside.set()
            assert leave.wait(10)

    after: list[bool] = []

    def waiting() -> None:
        work(True)
        after.append(tn.is_grad_enabled())

    thread = threading.Thread(target=waiting)
    thread.start()
    assert inside.wait(10)
    with tn.no_grad():
        finish = threading.Timer(0.05, leave.set)
        finish.start()
        work(False)
        thread.join(10)
        assert not tn.is_grad_enabled()
    assert after == [True]
    assert tn.is_grad_enabled()


def test_grad_of_an_intermediate_needs_nothing_below_it() -> None:
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.sum().backward()
    (g,) = tn.autograd.grad((y * 3.0).sum(), y)
    assert g.tolist() == [3.0, 3.0]


def test_several_hooks_run_in_order_even_if_nobody_keeps_their_handles() -> None:
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda g: g * 3.0)
    x.register_hook(lambda g: g + 1.0)
    x.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]
