"""Hooks on modules: the same programs here and in torch call the same hooks, in the same order, with the same gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


def _show(value: Any) -> Any:
    """What a hook was given, as plain data."""
    if isinstance(value, tuple | list):
        return tuple(_show(v) for v in value)
    if hasattr(value, "detach"):
        return np.round(value.detach().numpy(), 6).tolist()
    return value


class Log:
    """A hook that writes down what it is given, and answers with a function of it."""

    def __init__(self, log: list[Any], name: str, answer: Callable[..., Any] | None = None) -> None:
        self.log, self.name, self.answer = log, name, answer

    def __call__(self, module: Any, *given: Any) -> Any:
        self.log.append((self.name, type(module).__name__, *(_show(g) for g in given)))
        return self.answer(*given) if self.answer is not None else None


def _libraries() -> list[Any]:
    torch = pytest.importorskip("torch")
    return [tn, torch]


def _pair(m: Any) -> Any:
    class Pair(m.nn.Module):
        """Two inputs (and a number), two outputs."""

        def forward(self, a: Any, b: Any, c: float = 2.0) -> Any:
            return a * b * c, (a + b).sum()

    return Pair()


def _single(m: Any) -> Any:
    class Single(m.nn.Module):
        def forward(self, a: Any) -> Any:
            return a * a

    return Single()


def _inputs(m: Any) -> tuple[Any, Any]:
    a, b = m.tensor([1.0, 2.0], requires_grad=True), m.tensor([3.0, 5.0], requires_grad=True)
    return a, b


def _run_forward_hooks(m: Any, log: list[Any]) -> Any:
    net = _pair(m)
    net.register_forward_pre_hook(Log(log, "pre 1"))
    net.register_forward_pre_hook(Log(log, "pre 2", lambda args: (args[0] * 2, *args[1:])))
    net.register_forward_pre_hook(Log(log, "pre 0"), prepend=True)
    net.register_forward_pre_hook(Log(log, "pre kw", lambda args, kwargs: (args, {"c": 7.0})), with_kwargs=True)
    net.register_forward_hook(Log(log, "post 1"))
    net.register_forward_hook(Log(log, "post kw", lambda args, kwargs, out: (out[0] + 1, out[1])), with_kwargs=True)
    gone = net.register_forward_hook(Log(log, "gone"))
    net.register_forward_hook(Log(log, "post 0"), prepend=True)
    gone.remove()
    gone.remove()
    a, b = _inputs(m)
    y, z = net(a, b, c=3.0)
    (y.sum() + z).backward()
    return y, z, a.grad, b.grad


def _run_single_answer(m: Any, log: list[Any]) -> Any:
    net = _single(m)
    net.register_forward_pre_hook(Log(log, "pre", lambda args: args[0] * 3))  # not a tuple: it is wrapped into one
    net.register_full_backward_hook(Log(log, "backward", lambda gin, gout: (gin[0] * 10,)))
    net.register_full_backward_pre_hook(Log(log, "before", lambda gout: (gout[0] + 1,)))
    a, _ = _inputs(m)
    net(a).sum().backward()
    return (a.grad,)


def _run_pair(m: Any, log: list[Any]) -> Any:
    net = _pair(m)
    net.register_full_backward_hook(Log(log, "backward 1"))
    net.register_full_backward_hook(Log(log, "backward 2", lambda gin, gout: (gin[0] * 2, gin[1] * 3, None)))
    net.register_full_backward_hook(Log(log, "backward 0"), prepend=True)
    net.register_full_backward_pre_hook(Log(log, "before 1", lambda gout: (gout[0] * 2, gout[1] * 3)))
    net.register_full_backward_pre_hook(Log(log, "before 2"))
    a, b = _inputs(m)
    shared = a * 1.0
    y, z = net(shared, b, 4.0)
    (y.sum() + z + (shared * 5).sum()).backward()  # the hook sees only the gradient of its own use of `shared`
    return a.grad, b.grad


def _run_input_without_grad(m: Any, log: list[Any]) -> Any:
    net = m.nn.Linear(2, 1)
    with m.no_grad():
        net.weight.fill_(2.0)
        net.bias.fill_(1.0)
    net.register_full_backward_hook(Log(log, "backward"))
    net(m.tensor([1.0, 2.0])).sum().backward()
    return net.weight.grad, net.bias.grad


def _run_nested(m: Any, log: list[Any]) -> Any:
    net = m.nn.Sequential(_single(m), _single(m))
    for module in (net, net[0], net[1]):
        module.register_forward_hook(Log(log, "forward"))
        module.register_full_backward_hook(Log(log, "backward"))
    a, _ = _inputs(m)
    net(a).sum().backward()
    return (a.grad,)


def _run_second_order(m: Any, log: list[Any]) -> Any:
    net = _single(m)
    net.register_full_backward_hook(lambda module, gin, gout: (gin[0] * gin[0],))
    a, _ = _inputs(m)
    (g,) = m.autograd.grad(net(a).sum(), a, create_graph=True)
    (h,) = m.autograd.grad(g.sum(), a)
    return g, h


def _run_frozen(m: Any, log: list[Any]) -> Any:
    net = _single(m)
    net.register_full_backward_hook(Log(log, "backward"))
    with m.no_grad():
        y = net(_inputs(m)[0])
    return y, net(m.tensor([2.0]))


PROGRAMS = [
    _run_forward_hooks, _run_single_answer, _run_pair, _run_input_without_grad, _run_nested,
    _run_second_order, _run_frozen,
]  # fmt: skip


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_like_torch(program: Callable[[Any, list[Any]], Any]) -> None:
    logs: list[list[Any]] = []
    results = []
    for m in _libraries():
        logs.append([])
        results.append(program(m, logs[-1]))
    assert logs[0] == logs[1]
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-6)


def test_gradients_of_a_hooked_module_are_those_of_a_bare_one() -> None:
    bare = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    hooked = copy.deepcopy(bare)
    seen: list[Any] = []
    for module in hooked.modules():
        module.register_full_backward_hook(Log(seen, "backward"))
    x = tn.randn(5, 3)
    for net in (bare, hooked):
        net(x).sum().backward()
    assert len(seen) == 3
    for p, q in zip(bare.parameters(), hooked.parameters(), strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), q.grad.numpy())


def test_the_gradient_of_an_unused_output_is_0() -> None:
    net, log = _pair(tn), []
    net.register_full_backward_hook(Log(log, "backward"))
    a, b = _inputs(tn)
    net(a, b)[1].backward()
    assert log == [("backward", "Pair", ([1, 1], [1, 1]), ([0, 0], 1))]


def test_outputs_of_two_dtypes_pass_the_backward_hook_unchanged() -> None:
    class Two(nn.Module):
        def forward(self, a: tn.Tensor) -> tuple[tn.Tensor, tn.Tensor]:
            return a * 2, a.double() * 3

    net, seen = Two(), []
    net.register_full_backward_hook(lambda module, gin, gout: seen.extend(g.dtype for g in (*gin, *gout)))
    a = tn.tensor([1.0, 2.0], requires_grad=True)
    x, y = net(a)
    assert (x.dtype, y.dtype) == (tn.float32, tn.float64)
    (x.sum() + y.sum()).backward()
    assert seen == [tn.float32, tn.float32, tn.float64]
    assert a.grad.tolist() == [5, 5]


def test_a_module_without_hooks_records_nothing_more() -> None:
    net = nn.Linear(2, 2)
    x = tn.ones(1, 2, requires_grad=True)
    with tn.Tape() as before:
        net(x)
    handle = net.register_full_backward_hook(lambda *_: None)
    handle.remove()
    with tn.Tape() as after:
        net(x)
    assert [node.op.name for node in before] == [node.op.name for node in after]


def test_hooks_are_freed_with_the_graph() -> None:
    import gc
    import weakref

    class Held:
        pass

    gc.collect()
    gc.disable()
    try:
        net, held = nn.Linear(2, 2), Held()
        reference = weakref.ref(held)
        net.register_full_backward_hook(lambda module, gin, gout, held=held: None)
        y = net(tn.ones(1, 2, requires_grad=True)).sum()
        y.backward()
        del held, y, net
        assert reference() is None
    finally:
        gc.enable()


def _with(register: str, hook: Callable[..., Any], **options: Any) -> Callable[[], Any]:
    def call() -> None:
        net = nn.Linear(2, 2)
        getattr(net, register)(hook, **options)
        net(tn.ones(1, 2, requires_grad=True)).sum().backward()

    return call


class _Dictionary(nn.Module):
    def forward(self, x: tn.Tensor) -> dict[str, tn.Tensor]:
        return {"x": x}


def _dictionary() -> None:
    net = _Dictionary()
    net.register_full_backward_hook(lambda *_: None)
    net(tn.ones(2, requires_grad=True))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (_with("register_forward_pre_hook", lambda *_: 3, with_kwargs=True), RuntimeError, r"None or \(args, kwargs\), got 3"),
        (_with("register_full_backward_hook", lambda *_: (None, None)), RuntimeError, "2 gradients, but grad_input has 1"),
        (_with("register_full_backward_pre_hook", lambda *_: ()), RuntimeError, "0 gradients, but grad_output has 1"),
        (_with("register_full_backward_hook", lambda *_: (tn.ones(3),)), RuntimeError, r"shape \[1, 2\], got Tensor f32\[3\]"),
        (_dictionary, TypeError, "Tensor or a tuple with Tensors, got dict"),
    ],
)
def test_bad_answers(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_nothing_can_replace_the_gradient_of_an_input_that_has_none() -> None:
    net = nn.Linear(2, 2)
    net.register_full_backward_hook(lambda *_: (tn.ones(1, 2),))
    with pytest.raises(RuntimeError, match="no input requires grad"):
        net(tn.ones(1, 2)).sum().backward()
