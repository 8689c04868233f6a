"""Optimizers' options, groups and state: torch's names and defaults, writing into Tensors, bad input, checkpoints of torch's."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
from test_optim import OPTIMIZERS, float64_torch, trace  # noqa: F401

import tinygrad_notes as tn
from tinygrad_notes import optim

NAMES = ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop"]


def run(x: tn.Tensor, optimizer: optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        ((x - 3.0) * (x - 3.0)).sum().backward()
        optimizer.step()


def bits(*tensors: tn.Tensor) -> list[bytes]:
    return [t.detach().numpy().tobytes() for t in tensors]


# ---- as torch's ----


@pytest.mark.torch
@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_defaults_are_those_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours = inspect.signature(getattr(optim, name)).parameters
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    assert [key for key in theirs if key in ours and ours[key].kind == ours[key].POSITIONAL_OR_KEYWORD] == [
        key for key in ours if ours[key].kind == ours[key].POSITIONAL_OR_KEYWORD
    ]
    assert {key: p.default for key, p in ours.items()} == {key: theirs[key].default for key in ours}
    assert set(theirs) - set(ours) <= {"foreach", "fused", "capturable", "differentiable"}


@pytest.mark.torch
@pytest.mark.parametrize("name", NAMES)
def test_default_options_go_torchs_way(float64_torch, name: str) -> None:  # noqa: F811
    ours, theirs = (trace(lib, name, {}, 300) for lib in (tn, float64_torch))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_a_checkpoint_of_torchs_goes_on_here(float64_torch, name: str, options: dict) -> None:  # noqa: F811
    torch = float64_torch
    y = torch.linspace(-1, 1, 5).requires_grad_()
    theirs = getattr(torch.optim, name)([y], **options)
    run(y, theirs, 4)
    x = tn.tensor(y.detach().numpy().copy(), requires_grad=True)
    ours = getattr(optim, name)([x], **options)
    ours.load_state_dict(theirs.state_dict())
    saved, expected = ours.state_dict(), theirs.state_dict()
    if expected["state"]:
        assert set(saved["state"][0]) == {key for key, value in expected["state"][0].items() if value is not None}
    for key in saved["param_groups"][0]:
        assert saved["param_groups"][0][key] == expected["param_groups"][0][key], key
    run(x, ours, 4)
    run(y, theirs, 4)
    np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-13)


BAD = [
    ("SGD", {"lr": -0.1}, "lr must lie in"),
    ("SGD", {"momentum": -0.1}, "momentum must lie in"),
    ("SGD", {"weight_decay": -0.1}, "weight_decay must lie in"),
    ("SGD", {"nesterov": True}, "Nesterov"),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "Nesterov"),
    ("Adam", {"betas": (0.9, 1.0)}, r"betas\[1\] must lie in \[0.0, 1.0\), got 1.0"),
    ("Adam", {"betas": (-0.1, 0.9)}, r"betas\[0\]"),
    ("Adam", {"eps": -1.0}, "eps"),
    ("AdamW", {"weight_decay": -1.0}, "weight_decay"),
    ("Adamax", {"lr": -1.0}, "Adamax: lr"),
    ("NAdam", {"momentum_decay": -1.0}, "momentum_decay"),
    ("RAdam", {"betas": (1.5, 0.9)}, r"betas\[0\]"),
    ("Adagrad", {"lr_decay": -1.0}, "lr_decay"),
    ("Adagrad", {"initial_accumulator_value": -1.0}, "initial_accumulator_value"),
    ("Adagrad", {"eps": -1.0}, "eps"),
    ("Adadelta", {"rho": 1.1}, "rho"),
    ("Adadelta", {"rho": -0.1}, "rho"),
    ("RMSprop", {"alpha": -1.0}, "alpha"),
    ("RMSprop", {"momentum": -1.0}, "momentum"),
]


@pytest.mark.parametrize(("name", "options", "match"), BAD)
def test_bad_options(name: str, options: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        getattr(optim, name)([tn.ones(2)], **options)
    with pytest.raises(ValueError, match=match):
        getattr(optim, name)([{"params": tn.ones(2), **options}])


@pytest.mark.torch
@pytest.mark.parametrize(("name", "options", "match"), BAD)
def test_torch_refuses_the_same_with_the_same_class(name: str, options: dict, match: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"Invalid|Nesterov"):
        getattr(torch.optim, name)([torch.ones(2)], **options)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_rates_that_are_no_numbers(value: float) -> None:
    with pytest.raises(ValueError, match="lr must lie in"):
        optim.SGD([tn.ones(2)], lr=value)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: optim.SGD([tn.ones(1)], lr="fast"), TypeError, "lr must be a number, got 'fast'"),
        (lambda: optim.Adam([tn.ones(1)], betas=(0.9, None)), TypeError, r"betas\[1\] must be a number"),
        (lambda: optim.Adam([tn.ones(1)], lr=tn.ones(2)), ValueError, "lr must be one number"),
        (lambda: optim.SGD([{"weights": [tn.ones(1)]}]), TypeError, "a parameter group is a dict"),
        (lambda: optim.SGD([{"params": [tn.ones(1)]}, tn.ones(1)]), TypeError, "a parameter group is a dict"),
        (lambda: optim.SGD([{"params": [x := tn.ones(1)]}, {"params": [x]}]), ValueError, "twice"),
        (lambda: optim.Adam([tn.ones(1)]).param_groups[0].update(betas=(0.5,)), ValueError, "betas are 2 numbers"),
        (lambda: optim.Adam([tn.ones(1)]).param_groups[0].update(betas=(0.5, 2)), ValueError, r"betas\[1\]"),
    ],
)
def test_bad_groups(call, error, match) -> None:
    with pytest.raises(error, match=match):
        call()


# ---- options are Tensors ----


def test_every_hyper_parameter_is_written_in_place() -> None:
    x = tn.ones(2, requires_grad=True)
    for name in NAMES:
        group = getattr(optim, name)([x]).param_groups[0]
        for key in getattr(optim, name).RANGES:
            before = group[key]
            if key == "betas":
                group[key] = (0.5, 0.25)
                assert all(a is b for a, b in zip(group[key], before, strict=True))
                assert [b.item() for b in group[key]] == [0.5, 0.25]
            else:
                group[key] = 0.5
                assert group[key] is before
                assert before.item() == 0.5
                assert before.dtype == tn.float64


@pytest.mark.parametrize(
    ("name", "start", "change"),
    [
        ("SGD", {"momentum": 0.9, "weight_decay": 0.1}, {"momentum": 0.5, "weight_decay": 0.2, "lr": 0.3}),
        ("Adam", {}, {"betas": (0.5, 0.6), "eps": 0.1}),
        ("RMSprop", {"momentum": 0.1}, {"alpha": 0.5, "momentum": 0.7}),
        ("Adadelta", {}, {"rho": 0.5, "eps": 0.1}),
        ("Adagrad", {}, {"lr_decay": 0.5}),
        ("NAdam", {}, {"momentum_decay": 0.5}),
    ],
)
def test_a_replay_reads_what_was_written(name: str, start: dict, change: dict) -> None:
    def after(replayed: bool) -> list[bytes]:
        x = tn.tensor(np.linspace(-1, 1, 5), requires_grad=True)
        optimizer = getattr(optim, name)([x], **start)
        with tn.Tape() as tape:  # the very first step
            run(x, optimizer, 1)
        optimizer.param_groups[0].update(change)
        for _ in range(3):
            if replayed:
                tape.replay()
            else:
                run(x, optimizer, 1)
        return bits(x, *optimizer.state[x].values())

    assert after(True) == after(False)


def test_groups_go_their_own_ways() -> None:
    def one(**options) -> np.ndarray:
        x = tn.tensor(np.linspace(-1, 1, 5), requires_grad=True)
        run(x, optim.RMSprop([x], **options), 5)
        return x.detach().numpy()

    a, b = (tn.tensor(np.linspace(-1, 1, 5), requires_grad=True) for _ in range(2))
    optimizer = optim.RMSprop([{"params": [a], "centered": True, "lr": 0.1}, {"params": b, "momentum": 0.5}], alpha=0.9)
    for _ in range(5):
        optimizer.zero_grad()
        (((a - 3.0) * (a - 3.0)).sum() + ((b - 3.0) * (b - 3.0)).sum()).backward()
        optimizer.step()
    assert np.array_equal(a.detach().numpy(), one(centered=True, lr=0.1, alpha=0.9))
    assert np.array_equal(b.detach().numpy(), one(momentum=0.5, alpha=0.9))


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_float32_and_mixed_dtypes(name: str, options: dict) -> None:
    """Recorded or not: the same bits; the state has its parameter's dtype, counters are float64."""
    results = []
    for recorded in (False, True):
        a = tn.linspace(-1, 1, 5, dtype=tn.float32).requires_grad_()
        b = tn.linspace(-1, 1, 4, dtype=tn.float64).requires_grad_()
        c = tn.tensor(0.5, requires_grad=True)
        optimizer = getattr(optim, name)([a, b, c], **options)
        for _ in range(3):
            optimizer.zero_grad()
            ((a * a).sum() + (b * b).sum() + c * c).backward()
            if recorded:
                with tn.Tape():
                    optimizer.step()
            else:
                optimizer.step()
        for p, state in optimizer.state.items():
            for key, value in state.items():
                assert value.dtype == (tn.float64 if key in ("step", "mu_product") else p.dtype)
        assert (a.dtype, b.dtype, c.shape) == (tn.float32, tn.float64, ())
        results.append(bits(a, b, c, *(v for s in optimizer.state.values() for v in s.values())))
    assert results[0] == results[1]


def test_a_step_makes_residuals_of_its_parameters_stale() -> None:
    x = tn.ones(3, requires_grad=True)
    optimizer = optim.Adam([x])
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="step"):
        loss.backward()


def test_a_step_does_not_write_read_only_memory() -> None:
    x = tn.tensor(np.ones(1)).expand(3).detach().requires_grad_()
    x.grad = tn.ones(3, dtype=tn.float64)
    with pytest.raises(RuntimeError, match="read-only"):
        optim.SGD([x]).step()


def test_a_centered_variance_stays_above_zero() -> None:
    x = tn.tensor([1.0], dtype=tn.float64, requires_grad=True)
    optimizer = optim.RMSprop([x], centered=True, lr=1e-3, alpha=0.5)
    for _ in range(200):
        x.grad = tn.tensor([0.1], dtype=tn.float64)
        optimizer.step()
    assert np.isfinite(x.item())


# ---- checkpoints ----


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_copies_go_on_by_themselves(name: str, options: dict) -> None:
    x = tn.tensor(np.linspace(-1, 1, 5), requires_grad=True)
    optimizer = getattr(optim, name)([x], **options)
    run(x, optimizer, 3)
    for y, other in (copy.deepcopy((x, optimizer)), pickle.loads(pickle.dumps((x, optimizer)))):
        z, third = copy.deepcopy((x, optimizer))
        other.param_groups[0]["lr"] = third.param_groups[0]["lr"] = 0.01
        run(y, other, 3)
        run(z, third, 3)
        assert bits(y) == bits(z) != bits(x)
        assert optimizer.param_groups[0]["lr"].item() == pytest.approx(optimizer.defaults["lr"])


def test_loading_writes_into_what_a_tape_knows() -> None:
    x = tn.tensor(np.linspace(-1, 1, 5), requires_grad=True)
    optimizer = optim.Adam([x], lr=0.1)
    run(x, optimizer, 2)
    start, saved = x.detach().numpy().copy(), copy.deepcopy(optimizer.state_dict())
    with tn.Tape() as tape:
        run(x, optimizer, 1)
    expected = bits(x)
    run(x, optimizer, 3)
    optimizer.load_state_dict(saved)
    with tn.no_grad():
        x.copy_(tn.tensor(start))
    tape.replay()
    assert bits(x) == expected


def test_loading_what_does_not_fit() -> None:
    a, b = tn.ones(2, requires_grad=True), tn.ones(3, requires_grad=True)
    for p in (a, b):
        p.grad = tn.ones(len(p))

    def saved(*groups, name="Adam", **options) -> dict:
        optimizer = getattr(optim, name)([{"params": list(g)} for g in groups], **options)
        optimizer.step()
        return optimizer.state_dict()

    adam = optim.Adam([{"params": [a]}, {"params": [b]}])
    before = adam.state_dict()
    for state, error, match in (
        (saved([a, b]), ValueError, "groups of"),
        (saved([b], [a]), RuntimeError, "does not fit"),
        (saved([a], [b], name="SGD"), ValueError, "is no Adam: it has no betas"),
        (saved([a], [b]) | {"state": {0: {"step": tn.ones(())}}}, ValueError, "has no exp_avg, exp_avg_sq"),
    ):
        with pytest.raises(error, match=match):
            adam.load_state_dict(state)
        assert adam.state_dict() == before, "nothing changed"
    wrong = saved([a], [b])
    wrong["param_groups"][1]["lr"] = -1.0
    with pytest.raises(ValueError, match="lr must lie in"):
        adam.load_state_dict(wrong)


# ---- large parameters, options that come later ----


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_large_parameters_are_updated_in_blocks_to_the_same_bits(name: str, options: dict) -> None:
    results = []
    for recorded in (False, True):
        rng = np.random.default_rng(0)
        a = tn.tensor(rng.standard_normal((70, 1001)).astype(np.float32), requires_grad=True)
        b = tn.tensor(rng.standard_normal((400, 170))).T.detach().requires_grad_()
        assert not b.is_contiguous()
        optimizer = getattr(optim, name)([a, b], **options)
        for _ in range(3):
            for p in (a, b):
                p.grad = tn.tensor(rng.standard_normal(p.shape), dtype=p.dtype)
            if recorded:
                with tn.Tape():
                    optimizer.step()
            else:
                optimizer.step()
        results.append(bits(a, b, *(v for s in optimizer.state.values() for v in s.values())))
    assert results[0] == results[1]


@pytest.mark.torch
def test_momentum_can_be_switched_on_later(float64_torch) -> None:  # noqa: F811
    torch = float64_torch
    x, y = tn.linspace(-1, 1, 5, dtype=tn.float64).requires_grad_(), torch.linspace(-1, 1, 5).requires_grad_()
    ours, theirs = optim.SGD([x], lr=0.01, dampening=0.1), torch.optim.SGD([y], lr=0.01, dampening=0.1)
    for momentum in (0.0, 0.9, 0.5, 0.0, 0.8):
        ours.param_groups[0]["momentum"] = theirs.param_groups[0]["momentum"] = momentum
        run(x, ours, 3)
        run(y, theirs, 3)
    np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "change", "key"),
    [
        ("RMSprop", {"momentum": 0.9}, "momentum_buffer"),
        ("RMSprop", {"centered": True}, "grad_avg"),
        ("Adam", {"amsgrad": True}, "max_exp_avg_sq"),
    ],
)
def test_state_that_an_option_needs_later_is_made_then(name: str, change: dict, key: str) -> None:
    x = tn.linspace(-1, 1, 5).requires_grad_()
    optimizer = getattr(optim, name)([x])
    run(x, optimizer, 2)
    before = dict(optimizer.state[x])
    optimizer.param_groups[0].update(change)
    run(x, optimizer, 2)
    assert set(optimizer.state[x]) == {*before, key}
    assert all(optimizer.state[x][name] is value for name, value in before.items())
    assert np.abs(optimizer.state[x][key].numpy()).min() > 0
