"""Updates as programs: read off the tape, with the bits of the recorded step and of numpy's operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from tinygrad_notes.kernels import gates, native, sweep

import tinygrad_notes as tn
from tinygrad_notes.optable import p as primitives

here = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")
O = tn.optim  # noqa: E741

CASES: list[tuple[type[O.Optimizer], dict[str, Any]]] = [
    (O.SGD, {"weight_decay": 0.1}),
    (O.SGD, {"momentum": 0.9, "dampening": 0.3, "maximize": True}),
    (O.SGD, {"momentum": 0.9, "nesterov": True}),
    (O.Adam, {}),
    (O.Adam, {"amsgrad": True, "weight_decay": 0.1}),
    (O.AdamW, {}),
    (O.Adamax, {}),
    (O.NAdam, {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    (O.RAdam, {}),
    (O.Adagrad, {"lr_decay": 0.1}),
    (O.Adadelta, {}),
    (O.RMSprop, {}),
    (O.RMSprop, {"momentum": 0.9, "centered": True}),
]
SHAPES = ((30, 40), (7,), (), (3, 5))


def made(dtype: str, shapes: tuple[tuple[int, ...], ...] = SHAPES) -> list[tn.Tensor]:
    rng = np.random.default_rng(1)
    return [tn.from_numpy(np.asarray(rng.standard_normal(shape), dtype)).requires_grad_() for shape in shapes]


def train(optimizer: O.Optimizer, parameters: list[tn.Tensor], steps: int = 7) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    for _ in range(steps):
        for p in parameters:
            p.grad = tn.from_numpy(np.asarray(rng.standard_normal(p.shape), p.dtype))
        optimizer.step()
    states = [tensor for p in parameters for tensor in optimizer.state.get(p, {}).values()]
    return [tensor.detach().numpy() for tensor in (*parameters, *states)]


def ran(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each sweep had, from now on."""
    counts: list[int] = []
    plain = sweep.sweep

    def listening(text: str) -> Any:
        run = plain(text)
        return run and (lambda numbers, rows: (counts.append(len(rows)), run(numbers, rows))[1])

    monkeypatch.setattr(sweep, "sweep", listening)
    return counts


@here
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("kind", "options"), CASES)
def test_a_swept_step_has_the_bits_of_its_operations(
    kind: type[O.Optimizer], options: dict[str, Any], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = ran(monkeypatch)
    first, second = made(dtype), made(dtype)
    swept = train(kind(first, **options), first)
    assert counts == [len(SHAPES)] * 7
    monkeypatch.setattr(gates, "SWEEP", 10**12)
    plain = train(kind(second, **options), second)
    assert len(counts) == 7
    for one, other in zip(swept, plain, strict=True):
        np.testing.assert_array_equal(one, other)


@here
@pytest.mark.parametrize(("kind", "options"), CASES)
def test_a_swept_step_is_the_recorded_one_replayed(
    kind: type[O.Optimizer], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = ran(monkeypatch)
    first, second = made("f4"), made("f4")
    swept, recorded = kind(first, **options), kind(second, **options)
    for a, b in zip(first, second, strict=True):
        a.grad, b.grad = a.detach() * 0.5, b.detach() * 0.5
    with tn.Tape() as tape:
        recorded.step()
    swept.step()
    for _ in range(4):
        swept.step()
        tape.replay()
    assert counts == [len(SHAPES)] * 5
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


class Signed(O.Optimizer):
    """A user's own: ``m = m + (g - m) / 4;  p = p - lr m / (|m| + 1)``; by ``how``, something that is no program."""

    RANGES = {"lr": (0.0, float("inf"))}  # noqa: RUF012
    COUNTERS = ("step",)

    def __init__(self, params: Any, how: str = "", lr: float = 0.1) -> None:
        self.how = how
        super().__init__(params, {"lr": lr})

    def _keys(self, group: Any) -> tuple[str, ...]:
        return "step", "x" if self.how == "a name" else "m"

    def _fold(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        return (options["lr"],)

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        m = state["x" if self.how == "a name" else "m"]
        m += (g - m) * 0.25
        if self.how == "a counter" and state["step"] > 3:
            m *= 2.0
        if self.how == "a number" and options["lr"] > 0.05:
            m *= 2.0
        if self.how == "a value" and bool((primitives.gt(x, 0.0)).reshape(-1)[0]):
            m *= 2.0
        d = m / (primitives.tanh(m) if self.how == "a function" else primitives.abs(m) + 1.0)
        x -= fold[0] * (d * 0 + primitives.sum(d, dim=tuple(range(d.ndim)), keepdim=False) if self.how == "a sum" else d)


@here
def test_a_users_optimizer_gets_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = ran(monkeypatch)
    parameters = made("f4")
    train(Signed(parameters), parameters)
    assert counts == [len(SHAPES)] * 7


@pytest.mark.parametrize("how", ["a counter", "a number", "a value", "a function", "a sum", "a name"])
def test_an_update_that_is_no_program_runs_as_it_is(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = ran(monkeypatch)
    first, second = made("f4"), made("f4")
    got = train(Signed(first, how), first)
    assert counts == []
    monkeypatch.setattr(gates, "SWEEP", 10**12)
    for one, other in zip(got, train(Signed(second, how), second), strict=True):
        np.testing.assert_array_equal(one, other)


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "transposed": lambda a: a.T,
    "with gaps": lambda a: a[:, ::2],
    "backwards": lambda a: a[::-1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_of_parameters_and_gradients(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    start = rng.standard_normal((60, 40)).astype("f4")
    shape = LAYOUTS[layout](start).shape
    steps = [LAYOUTS[layout](rng.standard_normal((60, 40)).astype("f4")) for _ in range(3)]
    want = tn.from_numpy(np.ascontiguousarray(LAYOUTS[layout](start))).requires_grad_()
    odd, plain = tn.from_numpy(LAYOUTS[layout](start.copy())).requires_grad_(), tn.from_numpy(want.detach().numpy().copy())
    plain.requires_grad_()
    optimizers = [O.Adam([p]) for p in (want, odd, plain)]
    for step in steps:
        want.grad, odd.grad, plain.grad = tn.tensor(step), tn.tensor(np.ascontiguousarray(step)), tn.from_numpy(step)
        for optimizer in optimizers:
            optimizer.step()
    assert odd.shape == shape
    for p in (odd, plain):
        np.testing.assert_array_equal(p.detach().numpy(), want.detach().numpy())


def test_an_expanded_gradient_and_overlapping_parameters() -> None:
    memory = np.ones(4000, "f4")
    first, second = (tn.from_numpy(part).requires_grad_() for part in (memory[:3000], memory[1000:]))
    optimizer = O.SGD([first, second], lr=0.5)
    first.grad = tn.ones(1).expand(3000)
    second.grad = tn.full((3000,), 2.0)
    optimizer.step()
    np.testing.assert_array_equal(memory, np.repeat([0.5, -0.5, 0.0], [1000, 2000, 1000]).astype("f4"))


@here
def test_ages_dtypes_and_options_have_sweeps_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = ran(monkeypatch)
    both = [*made("f4", ((3000,), (2000,))), *made("f8", ((3000,),))]
    optimizer = O.Adam(both)
    for p in both[1:]:
        p.grad = tn.ones(p.shape, dtype=p.dtype)
    optimizer.step()
    assert counts == [1, 1]
    both[0].grad = tn.ones(3000)
    optimizer.step()
    assert counts[2:] == [1, 1, 1]
    optimizer.param_groups[0]["weight_decay"] = 0.5
    optimizer.step()
    assert len(optimizer._bodies) == 2
    optimizer.param_groups[0]["weight_decay"] = 0.25  # a number: the same program
    optimizer.step()
    assert len(optimizer._bodies) == 2


def test_small_parameters_compile_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = ran(monkeypatch)
    parameters = made("f4", ((3, 4), (4,)))
    optimizer = O.Adam(parameters)
    train(optimizer, parameters)
    assert counts == []
    assert optimizer._bodies == {}
