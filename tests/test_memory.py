"""Graphs are freed by reference counting alone, however deep; Ctrl-C leaves every ``.grad`` untouched or complete."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.optable import TABLE
from tinygrad_notes.storage import writes
from tinygrad_notes.tape import Node


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def live_nodes() -> int:
    return sum(type(o) is Node for o in gc.get_objects())


# ---- depth ----


@pytest.mark.slow
def test_a_graph_200_000_nodes_deep(no_collector: None) -> None:
    before = live_nodes()
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = (y + 1) * 1.0
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    del y, x
    assert live_nodes() <= before + 3


def test_a_deep_graph_without_backward_is_freed_too(no_collector: None) -> None:
    x = tn.tensor([1.0], requires_grad=True)
    before = live_nodes()
    y = x
    for i in range(20_000):
        y = y[0:1] + 1 if i % 2 else y.reshape(1).tanh()
    (g,) = tn.autograd.grad(y.sum(), [x], create_graph=True)
    del y, g
    assert live_nodes() <= before + 2


# ---- steps ----


class Steps:
    """A recurrent toy that uses whatever could hold on to a graph."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.w = tn.tensor(rng.normal(0, 0.3, (4, 4)), dtype=tn.float32, requires_grad=True)
        self.b = tn.zeros(4, requires_grad=True)
        self.h = tn.zeros(2, 4)
        self.x = tn.tensor(rng.normal(0, 1, (2, 4)), dtype=tn.float32)

    def plain(self) -> tn.Tensor:
        self.h = (self.x @ self.w + self.h + self.b).tanh()
        loss = (self.h * self.h).sum()
        self.h = self.h.detach()
        return loss

    def views(self) -> tn.Tensor:
        h = (self.x @ self.w + self.b).tanh()
        return (h[0] * h.T[:, 1]).sum() + h.reshape(-1)[2:].sum()

    def in_place(self) -> tn.Tensor:
        out = tn.zeros(2, 4)
        out[0] = self.b * 2
        view = out[1]
        view += self.w[0]
        out.mul_(self.x)
        return (out * out).sum()

    def retained(self) -> tn.Tensor:
        h = (self.x @ self.w).tanh()
        h.retain_grad()
        return h.sum()

    def hooked(self) -> tn.Tensor:
        h = (self.x @ self.w).tanh()
        h.register_hook(lambda g: g * 0.5)
        return h.sum()

    def create_graph(self) -> tn.Tensor:
        (g,) = tn.autograd.grad((self.x @ self.w).tanh().sum(), [self.w], create_graph=True)
        return (g * g).sum()

    def taped(self) -> tn.Tensor:
        with tn.Tape() as tape:
            loss = self.plain()
        assert len(tape) > 4
        return loss

    def taped_state_and_writes(self) -> tn.Tensor:
        with tn.Tape() as tape:
            with tn.no_grad():
                self.h.mul_(0.5)
            loss = self.plain() + self.in_place()
            (self.b * 1).sum().backward()
        assert tape.leaves
        return loss

    def failing(self) -> tn.Tensor:
        with pytest.raises(RuntimeError):
            (self.x @ self.w).backward()
        return self.b.sum()

    def step(self, kind: str) -> None:
        getattr(self, kind)().backward()
        with tn.no_grad():
            for t in (self.w, self.b):
                if t.grad is not None:
                    t -= 0.001 * t.grad
                    t.grad = None


KINDS = [name for name in vars(Steps) if not name.startswith("_") and name != "step"]


def run_flat(kind: str, steps: int) -> None:
    job = Steps()
    for _ in range(10):
        job.step(kind)
    nodes, blocks = live_nodes(), len(writes.blocks)
    for _ in range(steps - 400):  # meanwhile Python's and numpy's own free lists fill up
        job.step(kind)
    tracemalloc.start()
    for _ in range(200):
        job.step(kind)
    early = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        job.step(kind)
    grown = tracemalloc.get_traced_memory()[0] - early
    tracemalloc.stop()
    assert grown < 2_000, f"{kind}: {grown} bytes in 200 steps"
    assert live_nodes() <= nodes + 5, kind
    assert len(writes.blocks) <= blocks + 5, kind


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_flat_without_the_collector(kind: str, no_collector: None) -> None:
    run_flat(kind, 3_000)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_flat_over_100_000_steps(kind: str, no_collector: None) -> None:
    run_flat(kind, 100_000)


def test_tensors_and_their_arrays_die_with_their_last_name(no_collector: None) -> None:
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = y.exp()
    dead = [weakref.ref(t) for t in (y, z)]
    kept = z.sum()
    del y, z
    assert [r() for r in dead] == [None, None], "a node keeps its Tensor alive"
    kept.backward()
    assert x.grad is not None


def test_residuals_are_dropped_by_backward(no_collector: None) -> None:
    x = tn.tensor(np.ones(1000), requires_grad=True)
    y = x.exp()
    array = weakref.ref(y._array)
    loss = (y * 3).sum()
    del y
    assert array() is not None, "the rule of exp needs it"
    loss.backward(tn.tensor(1.0, dtype=tn.float64))
    assert array() is None, "backward has used it"


# ---- Ctrl-C ----


def _loss(w: tn.Tensor, b: tn.Tensor) -> tn.Tensor:
    h = (tn.ones(2, 3) @ w + b).tanh()
    h = (h * w[0] + tn.cat([h[:, :1], h[:, 1:]], 1)).sigmoid()
    return (h - 0.5).exp().amax(1).sum()


def _interrupt(monkeypatch: pytest.MonkeyPatch, at: int, act: Callable[[], Any]) -> bool:
    """Run ``act`` and raise KeyboardInterrupt from the ``at``-th backward call of a row; whether it got that far."""
    count = 0

    def wrap(original: Callable[..., None]) -> Callable[..., None]:
        def backward(*args: Any) -> None:
            nonlocal count
            count += 1
            if count == at:
                raise KeyboardInterrupt
            original(*args)

        return backward

    with monkeypatch.context() as patch:
        for op in TABLE.values():
            if hasattr(op, "backward"):
                patch.setattr(op, "backward", wrap(op.backward))
        try:
            act()
        except KeyboardInterrupt:
            return True
    return False


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("earlier", [False, True], ids=["first", "accumulating"])
def test_ctrl_c_at_any_node_leaves_gradients_untouched(
    earlier: bool, create_graph: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = tn.tensor(np.linspace(-1, 1, 9).reshape(3, 3), dtype=tn.float32, requires_grad=True)
    b = tn.tensor([0.1, 0.2, 0.3], requires_grad=True)
    if earlier:
        (w.sum() + b.sum()).backward()
    before = [None if t.grad is None else t.grad.tolist() for t in (w, b)]
    at = 0
    while True:
        at += 1
        loss = _loss(w, b)
        if not _interrupt(monkeypatch, at, lambda loss=loss: loss.backward(create_graph=create_graph)):
            break
        assert [None if t.grad is None else t.grad.tolist() for t in (w, b)] == before, f"node {at}"
        assert tn.is_grad_enabled()
    assert at > 12, "every node of the graph was interrupted once"
    assert [t.grad.tolist() for t in (w, b)] != before


def test_an_error_in_a_hook_leaves_gradients_and_modes_untouched() -> None:
    w, b = tn.ones(3, 3, requires_grad=True), tn.ones(3, requires_grad=True)

    def fails(g: tn.Tensor) -> None:
        raise ZeroDivisionError

    loss = _loss(w, b)
    w.register_hook(fails)
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    assert w.grad is None
    assert b.grad is None
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):  # numpy's error state is back as well
        np.log(np.zeros(1))
