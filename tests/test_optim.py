"""Optimizers: their formulas by hand, options, state, schedules, clipping; 1,000-step traces against torch."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim

# A bowl with curvatures from 1e-3 to 3, its axes turned, in float64.
D = 6
TURN = np.linalg.qr(np.random.default_rng(0).standard_normal((D, D)))[0]
CURVATURE = TURN @ np.diag(np.logspace(-3, 0.5, D)) @ TURN.T
TARGET = np.linspace(-1.0, 2.0, D)

# Options under which the path contracts. Under others it is chaotic: torch against torch, the target moved by one unit in the
# last place, differs by 1e-2 after 1,000 steps (Adam with decay and eps = 1e-6, RMSprop with lr = 0.01, Adadelta with rho = 0.9).
OPTIMIZERS = {
    "sgd": ("SGD", {"lr": 0.05}),
    "sgd heavy ball": ("SGD", {"lr": 0.02, "momentum": 0.9}),
    "sgd averaged": ("SGD", {"lr": 0.2, "momentum": 0.9, "dampening": 0.9}),
    "sgd dampening": ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    "sgd nesterov": ("SGD", {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    "sgd maximize": ("SGD", {"lr": 1e-4, "maximize": True}),
    "adam": ("Adam", {"lr": 0.02}),
    "adam decay": ("Adam", {"lr": 0.02, "weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-3}),
    "adam decoupled": ("Adam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    "adam amsgrad": ("Adam", {"lr": 0.02, "amsgrad": True}),
    "adamw": ("AdamW", {"lr": 0.02, "weight_decay": 0.1}),
    "adamw amsgrad": ("AdamW", {"lr": 0.02, "amsgrad": True, "maximize": False}),
    "adamax": ("Adamax", {"lr": 0.02}),
    "adamax decay": ("Adamax", {"lr": 0.02, "weight_decay": 0.1, "betas": (0.8, 0.99), "maximize": True}),
    "nadam": ("NAdam", {"lr": 0.02}),
    "nadam decay": ("NAdam", {"lr": 0.02, "weight_decay": 0.1, "momentum_decay": 0.01, "eps": 1e-3}),
    "nadam decoupled": ("NAdam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    "radam": ("RAdam", {"lr": 0.02}),
    "radam decay": ("RAdam", {"lr": 0.02, "weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-3}),
    "radam decoupled": ("RAdam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True, "betas": (0.9, 0.5)}),
    "adagrad": ("Adagrad", {"lr": 0.1}),
    "adagrad decay": ("Adagrad", {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.1, "initial_accumulator_value": 0.1}),
    "adagrad maximize": ("Adagrad", {"lr": 0.01, "eps": 1e-3, "maximize": True}),
    "adadelta": ("Adadelta", {"rho": 0.99}),
    "adadelta decay": ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1}),
    "adadelta maximize": ("Adadelta", {"maximize": True}),
    "rmsprop": ("RMSprop", {"lr": 0.001}),
    "rmsprop momentum": ("RMSprop", {"lr": 0.001, "momentum": 0.9, "weight_decay": 0.1, "alpha": 0.9, "eps": 1e-3}),
    "rmsprop centered": ("RMSprop", {"lr": 0.001, "centered": True, "eps": 1e-3}),
    "rmsprop both": ("RMSprop", {"lr": 0.001, "centered": True, "momentum": 0.5, "eps": 1e-2, "maximize": True}),
}


def trace(lib, name: str, options: dict, steps: int, schedule: bool = False) -> np.ndarray:
    """The path of ``steps`` steps down a convex bowl in float64; ``lib`` is this library or torch."""
    tensor = tn.from_numpy if lib is tn else lib.from_numpy
    x = tensor(np.zeros((D, 1))).requires_grad_()
    a, target = tensor(CURVATURE), tensor(TARGET.reshape(D, 1))
    optimizer = getattr(lib.optim, name)([x], **options)
    decay = lib.optim.lr_scheduler.StepLR(optimizer, 100, 0.7) if schedule else None
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        e = x - target
        loss = (e * (a @ e)).sum() * 0.5
        loss.backward()
        optimizer.step()
        if decay is not None:
            decay.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


@pytest.fixture
def float64_torch():
    """torch keeps NAdam's product of momenta in its default dtype."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(before)


@pytest.mark.torch
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_a_thousand_steps_equal_torch(float64_torch, name: str, options: dict) -> None:
    for schedule in (False, True):
        ours, theirs = (trace(lib, name, options, 1000, schedule) for lib in (tn, float64_torch))
        scale = np.maximum(np.abs(theirs), 1)
        assert np.max(np.abs(ours - theirs) / scale) < 1e-12


@pytest.mark.parametrize("averaged", [False, True])
def test_both_forms_of_momentum_by_hand(averaged: bool) -> None:
    """The heavy ball ``m = μ m + α g``, and the average ``m = β m + (1-β) g`` whose first gradient counts in full."""
    x = tn.tensor(np.array([1.0, -2.0]), requires_grad=True)
    rate = 0.05
    optimizer = optim.SGD([x], rate, momentum=0.9, dampening=0.9 if averaged else 0.0)
    expected, m = x.detach().numpy().copy(), np.zeros(2)
    for t in range(6):
        optimizer.zero_grad()
        (x * x * x).sum().backward()
        optimizer.step()
        g = 3 * expected**2
        if averaged:
            m = 0.9 * m + 0.1 * g if t else g
            expected = expected - rate * m
        else:
            m = 0.9 * m + rate * g
            expected = expected - m
        np.testing.assert_allclose(x.detach().numpy(), expected, rtol=1e-13)


def test_adam_by_hand() -> None:
    x = tn.tensor(np.array([1.0, -2.0]), requires_grad=True)
    optimizer = optim.Adam([x], lr=0.1)
    m = v = np.zeros(2)
    expected = x.detach().numpy().copy()
    for t in range(1, 6):
        optimizer.zero_grad()
        (x * x * x).sum().backward()
        g = 3 * expected**2
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        expected = expected - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        optimizer.step()
        np.testing.assert_allclose(x.detach().numpy(), expected, rtol=1e-13)


def test_counters_are_float64_whatever_the_parameters_are() -> None:
    x = tn.ones(3, requires_grad=True)
    optimizer = optim.Adam([x])
    x.sum().backward()
    optimizer.step()
    state = optimizer.state[x]
    assert state["step"].dtype == tn.float64
    assert state["exp_avg"].dtype == tn.float32
    assert optimizer.param_groups[0]["lr"].dtype == tn.float64
    np.testing.assert_allclose(x.detach().numpy(), 1 - 1e-3, rtol=1e-6)


def test_parameters_without_gradient_stay_and_do_not_count() -> None:
    a, b = tn.ones(2, requires_grad=True), tn.ones(2, requires_grad=True)
    optimizer = optim.Adam([a, b], lr=0.1)
    for k in range(3):
        optimizer.zero_grad()
        (a.sum() if k else (a + b).sum()).backward()
        optimizer.step()
    assert optimizer.state[a]["step"].item() == 3
    assert optimizer.state[b]["step"].item() == 1


def test_groups_have_their_own_options_and_lr_writes_into_its_tensor() -> None:
    a, b = tn.ones(1, requires_grad=True), tn.ones(1, requires_grad=True)
    optimizer = optim.SGD([{"params": [a]}, {"params": [b], "lr": 1.0}], lr=0.5)
    memory = optimizer.param_groups[0]["lr"]
    optimizer.param_groups[0]["lr"] = 0.25
    optimizer.param_groups[0]["lr"] *= 2
    assert optimizer.param_groups[0]["lr"] is memory
    assert f"{memory:.2f}" == "0.50"
    (a + b).sum().backward()
    optimizer.step()
    assert (a.item(), b.item()) == (0.5, 0.0)
    with pytest.raises(ValueError, match="lr must lie in"):
        optimizer.param_groups[0]["lr"] = -1.0
    assert memory.item() == 0.5


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_state_dict_continues_bit_for_bit(name: str, options: dict, tmp_path) -> None:
    def fresh() -> tuple[tn.Tensor, optim.Optimizer]:
        x = tn.tensor(np.linspace(-1, 1, 5), requires_grad=True)
        return x, getattr(optim, name)([x], **options)

    def run(x: tn.Tensor, optimizer: optim.Optimizer, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            ((x - 3.0) * (x - 3.0)).sum().backward()
            optimizer.step()

    x, optimizer = fresh()
    run(x, optimizer, 4)
    tn.save({"x": x.detach(), "optimizer": optimizer.state_dict()}, tmp_path / "c")
    run(x, optimizer, 4)
    y, other = fresh()
    saved = tn.load(tmp_path / "c")
    with tn.no_grad():
        y.copy_(saved["x"])
    other.load_state_dict(saved["optimizer"])
    run(y, other, 4)
    assert x.detach().numpy().tobytes() == y.detach().numpy().tobytes()


def test_step_lr() -> None:
    x = tn.ones(1, requires_grad=True)
    optimizer = optim.SGD([x], lr=1.0)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)
    optimizer.step()
    rates = []
    for _ in range(7):
        schedule.step()
        rates.append(schedule.get_last_lr()[0])
    assert rates == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    other = optim.lr_scheduler.StepLR(optim.SGD([x], lr=0.25), 1)
    other.load_state_dict(copy.deepcopy(schedule.state_dict()))
    assert (other.last_epoch, other.step_size) == (7, 3)


def test_closure() -> None:
    x = tn.ones(1, requires_grad=True)
    optimizer = optim.SGD([x], lr=0.1)

    def closure() -> tn.Tensor:
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 1
    assert x.item() == pytest.approx(0.8)


@pytest.mark.parametrize(("order", "norm"), [(2.0, 5.0), (1.0, 7.0), (math.inf, 4.0), (3.0, 91 ** (1 / 3))])
def test_clip_grad_norm(order: float, norm: float) -> None:
    a, b = tn.zeros(1, requires_grad=True), tn.zeros(2, requires_grad=True)

    def fill() -> None:
        a.grad, b.grad = tn.tensor([3.0]), tn.tensor([0.0, -4.0])

    fill()
    assert nn.utils.clip_grad_norm_([a, b], 1.0, order).item() == pytest.approx(norm, rel=1e-6)
    assert a.grad.item() == pytest.approx(3 / norm, rel=1e-5)
    assert b.grad.tolist()[1] == pytest.approx(-4 / norm, rel=1e-5)
    fill()
    nn.utils.clip_grad_norm_([a, b], 100.0, order)
    assert (a.grad.tolist(), b.grad.tolist()) == ([3.0], [0.0, -4.0]), "what is small enough stays as it is"


def test_clip_refuses_what_is_not_finite_if_asked() -> None:
    a = tn.zeros(1, requires_grad=True)
    a.grad = tn.tensor([math.nan])
    with pytest.raises(RuntimeError, match="nan"):
        nn.utils.clip_grad_norm_([a], 1.0, error_if_nonfinite=True)
    assert nn.utils.clip_grad_norm_([tn.zeros(1)], 1.0).item() == 0


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: optim.SGD([]), ValueError, "no parameters"),
        (lambda: optim.SGD(tn.ones(1)), TypeError, "list of Tensors"),
        (lambda: optim.SGD([1.0]), TypeError, "float"),
        (lambda: optim.Adam([tn.ones(1)], lr=-1.0), ValueError, "lr must lie in"),
        (lambda: optim.Adam([tn.ones(1)], betas=(1.0, 0.9)), ValueError, r"betas\[0\] must lie in"),
        (lambda: optim.SGD([tn.ones(1)], nesterov=True), ValueError, "Nesterov"),
        (lambda: optim.SGD([tn.ones(1, requires_grad=True) * 2]), RuntimeError, "not a leaf"),
        (lambda: optim.SGD([(x := tn.ones(1)), x]), ValueError, "twice"),
        (lambda: optim.lr_scheduler.StepLR(optim.SGD([tn.ones(1)]), 0), ValueError, "positive"),
        (lambda: optim.lr_scheduler.StepLR(3, 1), TypeError, "Optimizer"),
        (lambda: nn.utils.clip_grad_norm_([tn.ones(1)], -1.0), ValueError, "max_norm"),
    ],
)
def test_bad_input(call, error, match) -> None:
    with pytest.raises(error, match=match):
        call()
