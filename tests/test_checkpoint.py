"""Activation checkpointing: the gradients of the plain function, without its activations in memory."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.tape import FREED
from tinygrad_notes.utils.checkpoint import checkpoint, checkpoint_sequential

F = nn.functional


def _net() -> nn.Module:
    tn.manual_seed(3)
    net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    return net.double()


def _gradients(net: nn.Module, run: Callable[[tn.Tensor], tn.Tensor]) -> list[np.ndarray]:
    tn.manual_seed(5)
    net.zero_grad()
    x = tn.tensor(np.linspace(-1, 1, 6).reshape(2, 3), requires_grad=True)
    after = run(x.tanh()).tanh()
    noise = tn.rand(2, 2, dtype=tn.float64)  # drawn between forward and backward: it must be the same either way
    (after * noise).sum().backward()
    return [x.grad.numpy(), noise.numpy(), tn.rand(1).numpy(), *(q.grad.numpy() for q in net.parameters())]


RUNS: dict[str, Callable[[nn.Module], Callable[[tn.Tensor], tn.Tensor]]] = {
    "whole": lambda net: lambda x: checkpoint(net, x),
    "each": lambda net: lambda x: [x := checkpoint(module, x, use_reentrant=False) for module in net][-1],
    "keyword": lambda net: lambda x: checkpoint(lambda *, value: net(value), value=x),
    "nested": lambda net: lambda x: checkpoint(lambda y: checkpoint(net[2:], checkpoint(net[:2], y)), x),
    "sequential 1": lambda net: lambda x: checkpoint_sequential(net, 1, x),
    "sequential 2": lambda net: lambda x: checkpoint_sequential(net, 2, x),
    "sequential 5": lambda net: lambda x: checkpoint_sequential(list(net), 5, x, use_reentrant=False),
    "several results": lambda net: lambda x: checkpoint(lambda y: ({"y": net(y)}, [y * 2]), x)[0]["y"],
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_gradients_and_random_numbers_are_those_of_the_plain_function(run: Any) -> None:
    net = _net()
    for plain, checkpointed in zip(_gradients(net, net), _gradients(net, run(net)), strict=True):
        np.testing.assert_array_equal(plain, checkpointed)


def _function(x: tn.Tensor, w: tn.Tensor) -> tn.Tensor:
    y = (x @ w).tanh()
    y = y * x.exp()
    y.mul_(y.detach().sigmoid())  # a write inside
    return (y[0] * y[1]).sin() + w.sum()


def _pair() -> list[tn.Tensor]:
    rng = np.random.default_rng(0)
    return [tn.tensor(rng.normal(size=(2, 2)), requires_grad=True) for _ in range(2)]


def _smooth(x: tn.Tensor, w: tn.Tensor) -> tn.Tensor:
    return ((x @ w).tanh() * x.exp()).sin().sum(0)


def test_derivatives_of_both_orders() -> None:
    inputs = _pair()
    assert tn.autograd.gradcheck(lambda *xs: checkpoint(_smooth, *xs), inputs)
    assert tn.autograd.gradgradcheck(lambda *xs: checkpoint(_smooth, *xs), inputs)


def test_a_function_that_writes_to_its_own_values() -> None:
    results = []
    for run in (_function, lambda *xs: checkpoint(_function, *xs)):
        x, w = _pair()
        results.append(tn.autograd.grad(run(x * 1.0, w).sum(), [x, w]))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_captured_tensor_gets_its_gradient() -> None:
    x, w = _pair()
    captured = w * 2
    (expected,) = tn.autograd.grad(_smooth(x, captured).sum(), w, retain_graph=True)
    (found,) = tn.autograd.grad(checkpoint(lambda a: _smooth(a, captured), x).sum(), w)
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_residuals_are_dropped() -> None:
    x, w = _pair()
    nodes = []
    node = checkpoint(_smooth, x, w)._node
    stack = [node]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack.extend(node.inputs)
    assert len(nodes) > 5
    assert all(node.saved in (None, FREED) for node in nodes)


def _deep(x: tn.Tensor) -> tn.Tensor:
    for _ in range(50):
        x = x.tanh()
    return x


def test_memory_of_activations_is_given_back() -> None:
    x = tn.ones(20_000, requires_grad=True)
    one, used, peaks = x.numel() * 4, {}, {}
    for name, run in {"plain": _deep, "checkpointed": lambda x: checkpoint(_deep, checkpoint(_deep, x))}.items():
        gc.collect()
        tracemalloc.start()
        y = run(x)
        used[name] = tracemalloc.get_traced_memory()[0] / one
        tracemalloc.reset_peak()
        y.sum().backward()
        peaks[name] = tracemalloc.get_traced_memory()[1] / one
        tracemalloc.stop()
        x.grad = None
        del y
    assert used["plain"] > 49
    assert used["checkpointed"] < 4, "the result, the value between the two, and nothing of the 100 inside"
    assert peaks["checkpointed"] < 60, "backward holds the activations of one part at a time"


def test_reference_counting_frees_it() -> None:
    gc.collect()
    gc.disable()
    try:
        for finish in (lambda y: None, lambda y: y.sum().backward(), lambda y: y.sum().backward(retain_graph=True)):
            x = tn.ones(3, requires_grad=True)

            def function(x: tn.Tensor) -> tn.Tensor:
                return x.tanh().tanh()

            reference = weakref.ref(function)
            y = checkpoint(function, x * 1.0)
            finish(y)
            del function, y
            assert reference() is None
    finally:
        gc.enable()


def test_the_function_runs_again_once_per_backward() -> None:
    count = 0

    def function(x: tn.Tensor) -> tn.Tensor:
        nonlocal count
        count += 1
        return x.tanh().exp().tanh()

    x = tn.tensor([0.5], requires_grad=True)
    y = checkpoint(function, x)
    assert count == 1
    y.backward(retain_graph=True)
    assert count == 2
    y.backward()
    assert count == 3
    (expected,) = tn.autograd.grad(function(x), x)
    np.testing.assert_allclose(x.grad.numpy(), 2 * expected.numpy())
    with pytest.raises(RuntimeError, match="already used by an earlier backward"):
        y.backward()


def test_without_gradients_it_is_the_function() -> None:
    with tn.no_grad():
        assert checkpoint(_smooth, *_pair())._node is None
    assert checkpoint(lambda a, b: (a, b), 3, None) == (3, None)


def test_it_replays() -> None:
    net = _net()
    x = tn.tensor(np.ones((2, 3)), requires_grad=True)
    steps = []
    for _ in range(2):
        tn.manual_seed(1)
        steps.append(net.zero_grad())
        y = checkpoint(net, x).sum()
        y.backward()
        steps.append([q.grad.numpy().copy() for q in net.parameters()])
    tn.manual_seed(1)
    net.zero_grad()
    with tn.Tape() as tape:
        y = checkpoint(net, x).sum()
        (g,) = tn.autograd.grad(y, [net[0].weight])
    np.testing.assert_array_equal(g.numpy(), steps[-1][0])
    tn.manual_seed(1)
    np.testing.assert_array_equal(tape.replay(g)[0], steps[-1][0])


def test_a_tape_has_the_first_run_only() -> None:
    net, x = _net(), tn.ones(1, 3, dtype=tn.float64)
    with tn.Tape() as plain:
        net(x).sum().backward()
    net.zero_grad()
    with tn.Tape() as checkpointed:
        checkpoint(net, x).sum().backward()
    assert [node.op.name for node in checkpointed] == [node.op.name for node in plain]


def test_an_argument_counts_as_it_was_at_the_call() -> None:
    x, w = _pair()
    x = x.detach()
    y = checkpoint(_smooth, x, w)
    x.requires_grad_()  # it required no grad when the function ran
    (found,) = tn.autograd.grad(y.sum(), w)
    (expected,) = tn.autograd.grad(_smooth(x, w).sum(), w)
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_scopes_of_the_gradient_are_those_of_the_first_run() -> None:
    net = _net()
    with tn.scope("here"), tn.Tape() as tape:
        checkpoint(net, tn.ones(1, 3, dtype=tn.float64)).sum().backward()
    assert any(node.scope.path.startswith("backward/here/sequential/4") for node in tape)


# ---- what it refuses ----


def test_a_parameter_written_since_forward() -> None:
    net = _net()
    y = checkpoint(net, tn.ones(1, 3, dtype=tn.float64))
    with tn.no_grad():
        net[0].bias.add_(1.0)  # no rule of the plain function reads a bias, the second run does
    with pytest.raises(
        RuntimeError, match=r"add_ at .*test_checkpoint.* wrote to f64\[4\] since forward, so running Sequential"
    ):
        y.sum().backward()
    assert net[4].bias.grad is None


def test_an_argument_written_since_forward() -> None:
    x, w = _pair()
    y = checkpoint(_smooth, a := x * 1.0, w)
    a.add_(1.0)
    with pytest.raises(RuntimeError, match=r"wrote to f64\[2,2\] since forward, so running _smooth again"):
        y.sum().backward()


def test_another_second_run() -> None:
    net = _net()
    y = checkpoint(net, tn.ones(1, 3, dtype=tn.float64, requires_grad=True))
    net.eval()
    with pytest.raises(RuntimeError, match=r"Sequential computed something else .* operation 3 was mul f64\[1,4\], then"):
        y.sum().backward()


def test_without_its_random_state_the_numbers_differ() -> None:
    tn.manual_seed(0)
    x = tn.ones(1000, requires_grad=True)
    seen = []

    def function(x: tn.Tensor) -> tn.Tensor:
        seen.append(F.dropout(x, 0.5))
        return seen[-1].tanh()

    checkpoint(function, x, preserve_rng_state=False).sum().backward()
    assert len(seen) == 2
    assert seen[0].tolist() != seen[1].tolist()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: checkpoint(_smooth, *_pair(), use_reentrant=True), "only use_reentrant=False"),
        (lambda: checkpoint_sequential(_net(), 6, tn.ones(1, 3)), "5 functions cannot be cut into 6 segments"),
        (lambda: checkpoint_sequential([], 1, tn.ones(1, 3)), "0 functions cannot be cut"),
        (lambda: checkpoint_sequential(_net(), 0, tn.ones(1, 3)), "into 0 segments"),
    ],
)
def test_bad_input(call: Callable[[], Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
