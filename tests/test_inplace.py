"""Views and in-place writes: who sees a write, where gradients go, what is refused; torch as oracle where installed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import gradcheck, gradgradcheck


def leaf(*shape: int) -> tn.Tensor:
    size = int(np.prod(shape))
    return tn.tensor(np.arange(1.0, size + 1).reshape(shape) / 4, requires_grad=True)


# ---- functions that write internally, on (namespace, x, y): run by us and by torch ----


def write_row(m: Any, x: Any, y: Any) -> Any:
    a = x * 2
    a[1] = y[0]
    return a * a


def write_through_view(m: Any, x: Any, y: Any) -> Any:
    a = x * 1
    v = a[0:2]
    v.mul_(y[0:2])
    return a * a + v.sum()


def view_sees_write_to_base(m: Any, x: Any, y: Any) -> Any:
    a = x * 1
    v, w = a[0], a.T[1]
    a.mul_(y)
    return v.sum() * w


def view_sees_write_to_other_view(m: Any, x: Any, y: Any) -> Any:
    a = x * 1
    v, w = a[0], a[:, 1]
    w.add_(y[:, 0] * 3)
    v.mul_(2)
    return w * w * v.sum()


def chain_of_views(m: Any, x: Any, y: Any) -> Any:
    a = x * 1
    v = a.T[1:][0].reshape(3, 1).expand(3, 2)
    u = a.reshape(-1)[2:8].reshape(2, 3).transpose(0, 1)
    u.mul_(y[:, :2])
    return a * v[:, :1] + u.sum()


def overwritten_twice(m: Any, x: Any, y: Any) -> Any:
    a = x * 1
    a[0] = y[0]
    a[0:2] = y[1:3] * a[0].clone()
    a[:, 1] = a[:, 0]
    return a * x


def into_a_constant(m: Any, x: Any, y: Any) -> Any:
    out = m.zeros(3, 3, dtype=m.float64)
    for i in range(3):
        out[i] = x[i] * y[:, i]
    out[0, 0] += x[2, 2]
    return out * out


def scalar_writes(m: Any, x: Any, y: Any) -> Any:
    a = x * y
    a[0, 1] = 5.0
    a[2] *= 3
    a[:, 2] -= y[2, 2]
    a.div_(2)
    return a * x


def detached_write(m: Any, x: Any, y: Any) -> Any:
    a = x * y
    a[0] = a[0].detach()
    a[1] = x[1].detach() * 2
    return a * a


def unary_in_place(m: Any, x: Any, y: Any) -> Any:
    a = x * 1
    return a.log_().tanh_() + (y * 1).neg_().abs_().exp_() + (x * y).sqrt_() + (x + 0.5).sigmoid_()


def masked(m: Any, x: Any, y: Any) -> Any:
    a = x * 1
    a[m.tensor([True, False, True])] = y[0:2] * 2
    return a * x


def by_index_array(m: Any, x: Any, y: Any) -> Any:
    a = x * 1
    a[m.tensor([2, 0])] = y[0:2]
    a[m.tensor([1, 2]), m.tensor([1, 1])] = y[0, 0:2] * x[0, 0]
    return a * a


def overlapping(m: Any, x: Any, y: Any) -> Any:
    a = x * y
    a[1:] = a[:-1].clone()
    return a * x


def filled(m: Any, x: Any, y: Any) -> Any:
    a, b = x * 1, y * 1
    a[0].zero_()
    b.T[0].fill_(2.0)
    a[1].copy_(y[2])
    return a * b


WRITERS = [
    write_row, write_through_view, view_sees_write_to_base, view_sees_write_to_other_view, chain_of_views, overwritten_twice,
    into_a_constant, scalar_writes, unary_in_place, masked, by_index_array, overlapping, filled,
]  # fmt: skip
by_name: dict[str, Any] = {"ids": lambda f: f.__name__}


@pytest.mark.parametrize("func", WRITERS, **by_name)
def test_gradients_flow_through_writes(func: Callable[..., Any]) -> None:
    x, y = leaf(3, 3), (leaf(3, 3).T + 0.3).detach().clone().requires_grad_()
    assert gradcheck(lambda a, b: func(tn, a, b), [x, y], atol=1e-6, rtol=1e-6)
    assert gradgradcheck(lambda a, b: func(tn, a, b), [x, y], atol=1e-5, rtol=1e-5)


@pytest.mark.torch
@pytest.mark.parametrize("func", [*WRITERS, detached_write], **by_name)
def test_as_torch(func: Callable[..., Any]) -> None:
    torch = pytest.importorskip("torch")
    x, y = leaf(3, 3), (leaf(3, 3).T + 0.3).detach().clone().requires_grad_()
    tx, ty = (torch.tensor(t.detach().numpy().copy(), requires_grad=True) for t in (x, y))
    ours, theirs = func(tn, x, y), func(torch, tx, ty)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-12)
    ours.sum().backward()
    theirs.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), tx.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(y.grad.numpy(), ty.grad.numpy(), rtol=1e-12)


def test_a_detached_value_written_back_cuts_the_gradient() -> None:
    a = tn.ones(3, requires_grad=True)
    x = a * 1
    x[0] = x[0].detach()
    x.sum().backward()
    assert a.grad.tolist() == [0, 1, 1]


# ---- memory ----


def test_views_share_memory_both_ways() -> None:
    base = tn.zeros(3, 4)
    v = base.T[1:3][:, ::-1].reshape(2, 3)
    w = base[1]
    v[0, 0] = 7.0
    assert base.tolist()[2] == [0, 7, 0, 0]
    base.add_(1)
    assert v.tolist()[0] == [8, 1, 1]
    w.copy_(tn.tensor([1.0, 2.0, 3.0, 4.0]))
    assert base[1].tolist() == [1, 2, 3, 4]
    assert v[:, 1].tolist() == [2, 3]


def test_detach_and_data_share_memory() -> None:
    x = leaf(3)
    for alias in (x.detach(), x.data):
        assert np.shares_memory(alias.numpy(), x.detach().numpy())
        assert not alias.requires_grad
        alias[0] = 9.0
        assert x[0].item() == 9.0
        alias[0] = 0.25
    x.data = tn.tensor([5.0, 6.0, 7.0], dtype=tn.float64)
    assert x.tolist() == [5, 6, 7]
    assert x.requires_grad
    assert x.is_leaf


def test_updates_of_leaves_under_no_grad() -> None:
    w = leaf(2, 2)
    before = w.tolist()
    for _ in range(3):
        w.grad = None
        (w * w).sum().backward()
        with tn.no_grad():
            w -= 0.1 * w.grad
            w[0].mul_(1.0)
        assert w.is_leaf
        assert w.requires_grad
    np.testing.assert_allclose(w.detach().numpy(), np.array(before) * 0.8**3, rtol=1e-12)


def test_augmented_assignment_through_an_index() -> None:
    x, y = tn.tensor([1.0, 2.0, 3.0]), tn.tensor([10.0, 20.0], requires_grad=True)
    x[1:] += y
    assert x.tolist() == [1, 12, 23]
    (x * x).sum().backward()
    assert y.grad.tolist() == [24, 46]
    z = tn.zeros(4)
    z[tn.tensor([0, 2])] += tn.tensor([1.0, 2.0])
    z[z > 1] *= 5
    z[::-1][0] -= 1
    assert z.tolist() == [1, 0, 10, -1]


# ---- what is refused ----


def test_a_leaf_is_not_written_outside_no_grad() -> None:
    w = leaf(2, 3)
    for act in (
        lambda: w.add_(1), lambda: w.zero_(), lambda: w.__setitem__(0, 1.0), lambda: w[0].mul_(2), lambda: w.T[0].fill_(1),
        lambda: w.reshape(-1)[2:].copy_(tn.ones(4)), lambda: w.__setitem__(tn.tensor([0]), 1.0),
        lambda: w[0].__setitem__(tn.tensor([False] * 3), 1.0), lambda: w[0].__setitem__(tn.tensor([False] * 3), tn.ones(0)),
        lambda: w.__setitem__(slice(0, 0), 1.0), lambda: w.__setitem__(0, w[0]), lambda: w[0].__setitem__(..., w[0]),
        lambda: w.__setitem__(..., w.reshape(2, 3)),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"is a leaf that requires grad.*no_grad.*clone"):
            act()
    assert w.tolist() == (np.arange(1, 7).reshape(2, 3) / 4).tolist()


def test_a_copy_of_a_leaf_is_no_leaf() -> None:
    w = leaf(2, 3)
    y = w.T.reshape(6)  # not contiguous: reshape has copied
    y.add_(1)
    y.sum().backward()
    assert w.grad.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_view_of_a_leaf_made_under_no_grad_does_not_smuggle_a_gradient_in() -> None:
    w, y = leaf(2, 3), leaf(3)
    with tn.no_grad():
        v = w[0]
    with pytest.raises(RuntimeError, match="is a leaf that requires grad"):
        v.copy_(y)
    with pytest.raises(RuntimeError, match="is a view made under no_grad"):
        v[...] = v[...]
    assert w.is_leaf


def test_a_view_made_under_no_grad_is_written_under_no_grad_only() -> None:
    """torch refuses as well: the base would keep a gradient that knows nothing of the write."""
    x = tn.ones(3, requires_grad=True)
    y = x * 2
    with tn.no_grad():
        v = y[:1]
        v.add_(1)
    for write in (lambda: v.mul_(3), lambda: v.fill_(0), lambda: v.__setitem__([0], 1.0)):
        with pytest.raises(RuntimeError, match=r"f32\[1\] is a view made under no_grad .* make the view outside of no_grad"):
            write()
    assert y.tolist() == [3, 2, 2]


def test_shared_and_read_only_memory_is_not_written() -> None:
    x = tn.zeros(1, 3)
    with pytest.raises(RuntimeError, match=r"read-only|one place in memory"):
        x.expand(2, 3).add_(1)
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with pytest.raises(RuntimeError, match=r"f64\[3\] is read-only.*clone"):
        tn.from_numpy(frozen).zero_()
    strided = np.lib.stride_tricks.as_strided(np.zeros(3), (2, 3), (0, 8))
    with pytest.raises(RuntimeError, match=r"f64\[2,3\] are one place in memory.*clone"):
        tn.from_numpy(strided).fill_(1.0)


STALE: dict[str, tuple[Callable[[tn.Tensor], tn.Tensor], str]] = {
    "output": (lambda a: a.tanh(), r"tanh needs its output f64\[3\]"),
    "argument": (lambda a: a.sin(), r"sin needs its argument 'x' f64\[3\]"),
}


@pytest.mark.parametrize("which", STALE)
def test_a_stale_residual_is_named(which: str) -> None:
    func, message = STALE[which]
    a = leaf(3) * 1
    out = func(a)
    (out if which == "output" else a).mul_(2)
    with pytest.raises(RuntimeError, match=message + r".*mul_ at .*test_inplace\.py:\d+ wrote to that memory.*clone"):
        out.sum().backward()


def test_stale_through_another_view_or_detach_or_tape() -> None:
    x = leaf(4)
    a = x * 1
    y = (a[0:2] * a[0:2]).sum()
    a.detach()[3] = 0.0  # the same block of memory: refused although another element, as in torch
    with pytest.raises(RuntimeError, match=r"mul needs its argument 'x' f64\[2\]"):
        y.backward()
    with tn.Tape():
        y = x.exp()
        with tn.no_grad():
            y.add_(1)
        with pytest.raises(RuntimeError, match=r"exp \(recorded at .*test_inplace\.py:\d+\) needs its output"):
            y.sum().backward()
    assert x.grad is None


def test_writes_that_disturb_nothing_are_allowed() -> None:
    x = leaf(3)
    a = x * 1
    y = a + 1  # add keeps nothing
    a.mul_(5)
    (y.sum() + a.sum()).backward()
    assert x.grad.tolist() == [6, 6, 6]


def test_an_in_place_result_must_fit() -> None:
    integers, small = tn.tensor([4, 2]), tn.zeros(3)
    for act in (
        lambda: integers.div_(2), lambda: integers.div_(tn.tensor([2, 2])), lambda: integers.exp_(),
        lambda: integers.__iadd__(0.5), lambda: integers.__imul__(tn.tensor([0.5, 1.5])),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"the result is Tensor f32\[2\], which Tensor i64\[2\] cannot hold"):
            act()
    with pytest.raises(RuntimeError, match=r"add_: the result is Tensor f32\[2,3\].*f32\[3\] is written in place"):
        small.add_(tn.zeros(2, 3))
    for act in (
        lambda: small.add_(tn.zeros(4)),
        lambda: small.copy_(tn.zeros(4)),
        lambda: small.__setitem__(slice(2), [1, 2, 3]),
    ):
        with pytest.raises(RuntimeError, match=r"f32\[[34]\].*(broadcast|does not)"):
            act()
    assert (integers.tolist(), small.tolist()) == ([4, 2], [0, 0, 0])


def test_casts_on_the_way_in() -> None:
    x = tn.zeros(3, dtype=tn.uint8)
    x.copy_(tn.tensor([1.9, 2.0, 3.5]))
    assert x.tolist() == [1, 2, 3]
    x[0] = -1
    assert x.tolist() == [255, 2, 3]
    y = tn.zeros(2)
    y.copy_(tn.tensor([1e300, 1.0], dtype=tn.float64))
    assert y.tolist() == [float("inf"), 1]
    g = tn.tensor([1.0, 2.0], requires_grad=True)
    z = tn.zeros(2, dtype=tn.float64)
    z[:] = g * 3
    z.sum().backward(tn.tensor(1.0, dtype=tn.float64))
    assert (g.grad.dtype, g.grad.tolist()) == (tn.float32, [3, 3])


def test_retain_grad_means_the_tensor_as_it_is_now() -> None:
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1.0
    y.retain_grad()
    y.mul_(5.0)
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0]
    assert x.grad.tolist() == [5.0, 5.0]


def test_views_made_before_requires_grad_follow_their_base() -> None:
    base = tn.zeros(2)
    view = base[:1]
    base.requires_grad_()
    assert view.requires_grad
    (view * 3.0).sum().backward()
    assert base.grad.tolist() == [3.0, 0.0]


# ---- copies ----


def memory(x: tn.Tensor) -> Any:
    return x.detach().numpy()


@pytest.mark.parametrize("make", [
    lambda b: b[1], lambda b: b.T[1:], lambda b: b[:, ::2], lambda b: b[0, 0], lambda b: b.expand(2, 3, 4), lambda b: b.detach(),
    lambda b: tn.nn.Parameter(b[2]), lambda b: tn.from_numpy(b.numpy()[::-1]),
])  # fmt: skip
@pytest.mark.parametrize("first", [0, 1])
def test_a_deep_copy_keeps_who_shares_memory(make: Callable[[tn.Tensor], tn.Tensor], first: int) -> None:
    base = tn.tensor(np.arange(12.0).reshape(3, 4))
    both = (base, make(base))
    copies = copy.deepcopy(both[::-1])[::-1] if first else copy.deepcopy(both)
    for one, other in zip(both, copies, strict=True):
        np.testing.assert_array_equal(memory(one), memory(other))
        assert memory(one).strides == memory(other).strides
        assert not np.shares_memory(memory(one), memory(other))
    assert np.shares_memory(memory(copies[0]), memory(copies[1]))


def test_a_deep_copied_view_sees_writes_and_their_gradients() -> None:
    base, y = tn.zeros(3), leaf(2)
    copied, view = copy.deepcopy([base, base[:2]])
    view.copy_(y * 2)
    (copied * 3).sum().backward()
    assert (copied.tolist(), y.grad.tolist(), base.tolist()) == ([0.5, 1.0, 0.0], [6, 6], [0, 0, 0])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_deep_copied_view_of_a_leaf_is_as_it_was(order: tuple[int, int]) -> None:
    w = leaf(3)
    with tn.no_grad():
        both = (w, w[:2])
    copies = copy.deepcopy([both[i] for i in order])
    copied, view = copies[order[0]], copies[order[1]]
    assert (copied.requires_grad, copied.is_leaf, view.requires_grad, view.is_leaf) == (True, True, False, True)
    with tn.no_grad():
        view.zero_()
    (copied * copied).sum().backward()
    assert (copied.grad.tolist(), w.tolist()) == ([0, 0, 1.5], [0.25, 0.5, 0.75])


def test_a_deep_copy_of_lent_memory_with_gaps_is_packed() -> None:
    lent = np.lib.stride_tricks.as_strided(np.arange(6.0), (3,), (16,))
    assert copy.deepcopy(tn.from_numpy(lent)).tolist() == [0, 2, 4]
