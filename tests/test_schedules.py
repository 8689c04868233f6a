"""Learning-rate schedules: torch's learning rates, bit for bit or nearly; replays; state; bad input."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import optim
from tinygrad_notes.optim import lr_scheduler as schedules

L = lambda lib: lib.optim.lr_scheduler  # noqa: E731

# each: how it is made, of the library and an optimizer with two groups
SCHEDULES: dict[str, Callable] = {
    "step": lambda lib, o: L(lib).StepLR(o, 7, 0.5),
    "step, each": lambda lib, o: L(lib).StepLR(o, 1, 0.99),
    "multi step": lambda lib, o: L(lib).MultiStepLR(o, [30, 80, 80, 3], 0.3),
    "multi step from 0": lambda lib, o: L(lib).MultiStepLR(o, [0, 50]),
    "exponential": lambda lib, o: L(lib).ExponentialLR(o, 0.97),
    "constant": lambda lib, o: L(lib).ConstantLR(o),
    "constant, longer": lambda lib, o: L(lib).ConstantLR(o, 0.1, 20),
    "linear": lambda lib, o: L(lib).LinearLR(o),
    "linear decay": lambda lib, o: L(lib).LinearLR(o, 1.0, 0.0, 150),
    "linear warm-up": lambda lib, o: L(lib).LinearLR(o, 0.01, 0.7, total_iters=40),
    "cosine": lambda lib, o: L(lib).CosineAnnealingLR(o, 200),
    "cosine, up again": lambda lib, o: L(lib).CosineAnnealingLR(o, 33, 0.01),
    "cosine, one epoch": lambda lib, o: L(lib).CosineAnnealingLR(o, 1, 0.01),
    "warm restarts": lambda lib, o: L(lib).CosineAnnealingWarmRestarts(o, 30),
    "warm restarts, longer": lambda lib, o: L(lib).CosineAnnealingWarmRestarts(o, 10, 2, 0.01),
    "lambda": lambda lib, o: L(lib).LambdaLR(o, lambda e: 0.95**e),
    "lambdas": lambda lib, o: L(lib).LambdaLR(o, [lambda e: 1 / (1 + e), lambda e: min(e / 10, 1.0)]),
    "one cycle": lambda lib, o: L(lib).OneCycleLR(o, 0.3, total_steps=200),
    "one cycle, linear": lambda lib, o: L(lib).OneCycleLR(
        o, [0.3, 1.0], epochs=10, steps_per_epoch=20, anneal_strategy="linear"
    ),
    "one cycle, three phases": lambda lib, o: L(lib).OneCycleLR(
        o,
        0.3,
        201,
        three_phase=True,
        pct_start=0.2,
        base_momentum=[0.5, 0.6],
        max_momentum=0.9,
        div_factor=10.0,
        final_div_factor=50.0,
    ),
    "one cycle, down only": lambda lib, o: L(lib).OneCycleLR(o, 0.3, 200, pct_start=0.0, cycle_momentum=False),
    "one after the other": lambda lib, o: L(lib).SequentialLR(
        o,
        [L(lib).LinearLR(o, 0.1, total_iters=10), L(lib).CosineAnnealingLR(o, 60, 1e-3), L(lib).ExponentialLR(o, 0.9)],
        [10, 70],
    ),
    "sequence of the others": lambda lib, o: L(lib).SequentialLR(
        o,
        [
            L(lib).ConstantLR(o, 0.5, 4),
            L(lib).StepLR(o, 3),
            L(lib).MultiStepLR(o, [5]),
            L(lib).CosineAnnealingWarmRestarts(o, 10, 2),
            L(lib).LambdaLR(o, lambda e: 1 / (1 + e)),
            L(lib).LinearLR(o),
        ],
        [12, 30, 50, 100, 140],
    ),
    "restarts after one epoch": lambda lib, o: L(lib).SequentialLR(
        o, [L(lib).ConstantLR(o, 0.1, 9), L(lib).CosineAnnealingWarmRestarts(o, 1, 3, 0.01)], [5]
    ),
    "chained": lambda lib, o: L(lib).ChainedScheduler([L(lib).ConstantLR(o, 0.1, 20), L(lib).ExponentialLR(o, 0.9)]),
}
LEFT_TO_PYTHON = ("lambda", "lambdas", "sequence of the others")


def optimizer_of(lib, name: str = "SGD") -> object:
    a, b = (lib.ones(2, dtype=lib.float64).requires_grad_() for _ in range(2))
    options = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(lib.optim, name)([{"params": [a]}, {"params": [b], "lr": 0.7}], lr=0.05, **options)


def rates(optimizer) -> list[float]:
    """Learning rates and momenta."""
    found = []
    for group in optimizer.param_groups:
        found += [float(group["lr"]), float(group["momentum"]) if "momentum" in group else float(group["betas"][0])]
    return found


def walk(lib, make: Callable, steps: int = 200, name: str = "SGD") -> np.ndarray:
    optimizer = optimizer_of(lib, name)
    schedule = make(lib, optimizer)
    path = [rates(optimizer)]
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        path.append(rates(optimizer))
        assert schedule.get_last_lr() == [float(group["lr"]) for group in optimizer.param_groups]
    return np.array(path)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning", "ignore:To get the last learning rate:UserWarning")
@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")
@pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES.keys())
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_two_hundred_epochs_are_torchs(make: Callable, name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (walk(lib, make, 200, name) for lib in (tn, torch))
    np.testing.assert_allclose(ours, theirs, rtol=1e-15, atol=0)
    assert len(np.unique(ours[:, 0])) > 1


@pytest.mark.torch
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"factor": 0.5, "patience": 0, "threshold": 0},
        {"patience": 2, "cooldown": 3, "min_lr": [1e-3, 0.1]},
        {"patience": 1, "mode": "max", "threshold": 0.01},
        {"patience": 1, "threshold_mode": "abs", "threshold": 0.1, "eps": 1e-3},
        {"patience": 1, "threshold_mode": "abs", "mode": "max", "threshold": 0.1},
    ],
)
def test_plateau_is_torchs(options: dict) -> None:
    torch = pytest.importorskip("torch")
    losses = np.abs(np.random.default_rng(1).standard_normal(200)) + 1 / np.arange(1, 201)
    losses[[50, 60]] = np.nan
    paths = []
    for lib in (tn, torch):
        optimizer = optimizer_of(lib)
        schedule = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        path = []
        for k, loss in enumerate(losses):
            schedule.step(lib.tensor(loss) if k % 2 else loss)
            known = [
                schedule.best,
                schedule.num_bad_epochs,
                schedule.cooldown_counter,
                schedule.in_cooldown,
                schedule.last_epoch,
            ]
            path.append([*rates(optimizer), *map(float, known)])
        paths.append(path)
    np.testing.assert_allclose(*paths, rtol=1e-7)
    np.testing.assert_allclose(np.array(paths[0])[:, :4], np.array(paths[1])[:, :4], rtol=1e-15)


@pytest.mark.torch
def test_signatures_are_torchs() -> None:
    torch = pytest.importorskip("torch")
    for name in schedules.__all__:
        ours = inspect.signature(getattr(schedules, name)).parameters
        theirs = inspect.signature(getattr(torch.optim.lr_scheduler, name)).parameters
        assert [(k, p.default) for k, p in ours.items()] == [(k, p.default) for k, p in theirs.items()], name


@pytest.mark.torch
@pytest.mark.parametrize("name", [n for n in SCHEDULES if "one cycle" not in n and n not in LEFT_TO_PYTHON])
def test_the_state_has_torchs_names_and_values(name: str) -> None:
    torch = pytest.importorskip("torch")
    states = []
    for lib in (tn, torch):
        optimizer = optimizer_of(lib)
        schedule = SCHEDULES[name](lib, optimizer)
        for _ in range(13):
            optimizer.step()
            schedule.step()
        states.append(schedule.state_dict())

    def compare(ours: dict, theirs: dict) -> None:
        """Torch's ChainedScheduler does not count epochs; schedules inside another tell the optimizer's learning rate here."""
        for key, value in ours.items():
            if key == "_schedulers":
                for a, b in zip(value, theirs[key], strict=True):
                    compare(a, b)
            elif key in theirs and (key != "_last_lr" or theirs is states[1]):
                assert value == pytest.approx(theirs[key], rel=1e-15), key

    compare(*states)
    SCHEDULES[name](tn, optimizer_of(tn)).load_state_dict(states[1] | {"last_epoch": 13})


# ---- replays ----


@pytest.mark.parametrize("name", [n for n in SCHEDULES if n not in LEFT_TO_PYTHON])
def test_replays_go_on_with_the_schedule(name: str) -> None:
    steps = 199 if "one cycle" in name else 150
    expected = walk(tn, SCHEDULES[name], steps)
    optimizer = optimizer_of(tn)
    schedule = SCHEDULES[name](tn, optimizer)
    optimizer.step()
    path = [rates(optimizer)]
    with tn.Tape() as tape:
        schedule.step()
    path.append(rates(optimizer))
    for _ in range(steps - 1):
        tape.replay()
        path.append(rates(optimizer))
    assert np.array_equal(np.array(path), expected)
    if name != "chained":
        assert schedule.last_epoch == steps


def test_a_replay_follows_the_loss() -> None:
    losses = np.abs(np.random.default_rng(1).standard_normal(60))

    def path(replayed: bool) -> list:
        optimizer = optimizer_of(tn)
        schedule = schedules.ReduceLROnPlateau(optimizer, "min", 0.7, 1, cooldown=2)
        loss, found = tn.tensor(losses[0]), []
        with tn.Tape() as tape:
            schedule.step(loss)
        for value in losses[1:]:
            loss.fill_(float(value))
            if replayed:
                tape.replay()
            else:
                schedule.step(loss)
            found.append(
                [*rates(optimizer), schedule.best, schedule.num_bad_epochs, schedule.cooldown_counter, schedule.last_epoch]
            )
        return found

    assert path(True) == path(False)
    assert len({row[0] for row in path(False)}) > 5


def test_momentum_that_a_cycle_writes_takes_part_in_a_replay() -> None:
    def run(replayed: bool) -> list[bytes]:
        x = tn.tensor(np.linspace(-1, 1, 4), requires_grad=True)
        optimizer = optim.Adam([x])
        schedule = schedules.OneCycleLR(optimizer, 0.1, 20)

        def step() -> None:
            optimizer.zero_grad()
            ((x - 3.0) * (x - 3.0)).sum().backward()
            optimizer.step()
            schedule.step()

        with tn.Tape() as tape:
            step()
        found = []
        for _ in range(15):
            tape.replay() if replayed else step()
            found.append(x.detach().numpy().tobytes())
        return found

    assert run(True) == run(False)


def test_what_a_tape_cannot_follow_is_refused() -> None:
    optimizer = optim.SGD([tn.ones(1)], lr=0.1)
    optimizer.step()
    by_function, plateau = schedules.LambdaLR(optimizer, lambda e: 0.5**e), schedules.ReduceLROnPlateau(optimizer)
    with tn.Tape(), pytest.raises(RuntimeError, match=r"call schedule\.step\(\) outside of it"):
        by_function.step()
    with tn.Tape(), pytest.raises(RuntimeError, match=r"give step\(\) the Tensor itself"):
        plateau.step(0.5)


# ---- state ----


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_saved_schedule_goes_on(name: str, tmp_path) -> None:
    def run(optimizer, schedule, steps: int) -> list:
        found = []
        for _ in range(steps):
            optimizer.step()
            schedule.step()
            found.append(rates(optimizer))
        return found

    optimizer = optimizer_of(tn)
    schedule = SCHEDULES[name](tn, optimizer)
    run(optimizer, schedule, 47)
    tn.save({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, tmp_path / "c")
    expected = run(optimizer, schedule, 47)
    saved = tn.load(tmp_path / "c")
    other = optimizer_of(tn)
    resumed = SCHEDULES[name](tn, other)
    other.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["schedule"])
    assert resumed.last_epoch == 47
    assert run(other, resumed, 47) == expected


RESUMED: dict[str, Callable] = {
    "step": lambda lib, o: L(lib).StepLR(o, 7, 0.5, last_epoch=20),
    "multi step": lambda lib, o: L(lib).MultiStepLR(o, [30, 80, 80, 3], 0.3, 20),
    "exponential": lambda lib, o: L(lib).ExponentialLR(o, 0.97, 20),
    "constant, longer": lambda lib, o: L(lib).ConstantLR(o, 0.1, 25, 20),
    "linear warm-up": lambda lib, o: L(lib).LinearLR(o, 0.01, 0.7, 40, 20),
    "cosine": lambda lib, o: L(lib).CosineAnnealingLR(o, 200, last_epoch=20),
    "lambda": lambda lib, o: L(lib).LambdaLR(o, lambda e: 0.95**e, 20),
}


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")
@pytest.mark.parametrize("name", RESUMED)
def test_last_epoch_resumes_as_in_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tn, torch):
        optimizer = optimizer_of(lib)
        schedule = SCHEDULES[name](lib, optimizer)
        for _ in range(20):
            optimizer.step()
            schedule.step()
        of = RESUMED[name](lib, optimizer)
        path = [rates(optimizer)]
        for _ in range(40):
            of.step()
            path.append(rates(optimizer))
        found.append(path)
    np.testing.assert_allclose(*found, rtol=1e-15)


class Warm:
    def __init__(self, length: int) -> None:
        self.length = length

    def __call__(self, epoch: int) -> float:
        return min(1.0, epoch / self.length)


def test_of_functions_only_objects_are_saved() -> None:
    made = [schedules.LambdaLR(optimizer_of(tn), [Warm(n), lambda e: 1.0]) for n in (5, 10)]
    assert made[0].state_dict()["lr_lambdas"] == [{"length": 5}, None]
    made[1].load_state_dict(made[0].state_dict())
    assert made[1].lr_lambdas[0].length == 5


def test_loading_the_state_of_another_schedule() -> None:
    optimizer = optimizer_of(tn)
    step, exponential = schedules.StepLR(optimizer, 3), schedules.ExponentialLR(optimizer, 0.9)
    single = schedules.StepLR(optim.SGD([tn.ones(1)]), 3)
    before = step.state_dict()
    for state, match in (
        (exponential.state_dict(), "no StepLR: it has no step_size"),
        (single.state_dict(), "has 1 groups of parameters, this 2"),
        (step.state_dict() | {"step_size": -1}, "step_size must be a positive integer"),
    ):
        with pytest.raises(ValueError, match=match):
            step.load_state_dict(state)
        assert step.state_dict() == before
    both = schedules.ChainedScheduler([step, exponential])
    with pytest.raises(ValueError, match="made of 2 schedules, the saved one of 1"):
        both.load_state_dict(schedules.ChainedScheduler([step]).state_dict())


# ---- order, groups, bad input ----


def test_the_wrong_order_warns() -> None:
    optimizer = optim.SGD([tn.ones(1)], lr=1.0)
    schedule = schedules.ExponentialLR(optimizer, 0.5)
    with pytest.warns(UserWarning, match=r"called before optimizer\.step"):
        schedule.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.25]


def test_a_group_that_came_later() -> None:
    optimizer = optim.SGD([tn.ones(1)], lr=1.0)
    schedule, plateau = schedules.ExponentialLR(optimizer, 0.5), schedules.ReduceLROnPlateau(optimizer)
    optimizer.add_param_group({"params": [tn.ones(2)]})
    optimizer.step()
    for step in (schedule.step, lambda: plateau.step(1.0)):
        with pytest.raises(ValueError, match="was made for 1 groups of parameters, the optimizer has 2 now"):
            step()


def test_sequences_nest() -> None:
    def make(lib, o) -> object:
        inner = L(lib).SequentialLR(o, [L(lib).ConstantLR(o, 0.5, 100), L(lib).ExponentialLR(o, 0.5)], [3])
        return L(lib).SequentialLR(o, [L(lib).LinearLR(o, 0.1, total_iters=4), inner], [4])

    path = walk(tn, make, 9)[:, 0] / 0.05
    np.testing.assert_allclose(path, [0.1, 0.325, 0.55, 0.775, 0.5, 0.5, 0.5, 1, 0.5, 0.25], rtol=1e-14)


def too_long() -> None:
    optimizer = optimizer_of(tn)
    schedule = schedules.OneCycleLR(optimizer, 0.1, 3)
    for _ in range(5):
        optimizer.step()
        schedule.step()


o = optimizer_of(tn)
BAD = [  # the last entry: whether torch refuses it with the same class when it is made
    (lambda: schedules.StepLR(3, 1), TypeError, "needs an Optimizer, got int", True),
    (lambda: schedules.StepLR(o, 0), ValueError, "step_size must be a positive integer, got 0", False),
    (lambda: schedules.StepLR(o, 2.5), ValueError, "step_size", False),
    (lambda: schedules.StepLR(o, 2, float("nan")), ValueError, "gamma must be", False),
    (lambda: schedules.StepLR(o, 2, "half"), TypeError, "gamma must be a number", False),
    (lambda: schedules.StepLR(o, 2, last_epoch=5), KeyError, "initial_lr", True),
    (lambda: schedules.MultiStepLR(o, 30), TypeError, "milestones must be a list", True),
    (lambda: schedules.MultiStepLR(o, [3, -1]), ValueError, "got -1", False),
    (lambda: schedules.MultiStepLR(o, [0.5]), ValueError, "got 0.5", False),
    (lambda: schedules.ExponentialLR(o, -0.5), ValueError, "gamma", False),
    (lambda: schedules.ConstantLR(o, 1.5), ValueError, r"factor must lie in \[0.0, 1.0\], got 1.5", True),
    (lambda: schedules.ConstantLR(o, -0.5), ValueError, "factor", True),
    (lambda: schedules.ConstantLR(o, 0), ValueError, "factor must not be 0", False),
    (lambda: schedules.ConstantLR(o, 0.5, 0), ValueError, "total_iters", False),
    (lambda: schedules.LinearLR(o, 0.0), ValueError, "start_factor must not be 0", True),
    (lambda: schedules.LinearLR(o, 1.5), ValueError, "start_factor", True),
    (lambda: schedules.LinearLR(o, 0.5, 1.5), ValueError, "end_factor", True),
    (lambda: schedules.LinearLR(o, total_iters=-1), ValueError, "total_iters", False),
    (lambda: schedules.CosineAnnealingLR(o, 0), ValueError, "T_max", False),
    (lambda: schedules.CosineAnnealingLR(o, 5, -0.1), ValueError, "eta_min must be 0.0 or more, and finite", False),
    (lambda: schedules.CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0", True),
    (lambda: schedules.CosineAnnealingWarmRestarts(o, 5, 0), ValueError, "T_mult", True),
    (lambda: schedules.CosineAnnealingWarmRestarts(o, 5, 1.5), ValueError, "T_mult", True),
    (lambda: schedules.LambdaLR(o, [lambda e: 1.0]), ValueError, "has 1 values for the 2 groups", True),
    (lambda: schedules.LambdaLR(o, 0.5), TypeError, "must be a function", True),
    (lambda: schedules.LambdaLR(o, lambda e: -1.0), ValueError, "gave -1.0", False),
    (lambda: schedules.OneCycleLR(o, 0.1), ValueError, "give total_steps, or both", True),
    (lambda: schedules.OneCycleLR(o, 0.1, 0), ValueError, "total_steps", True),
    (lambda: schedules.OneCycleLR(o, 0.1, epochs=3, steps_per_epoch=0), ValueError, "steps_per_epoch", True),
    (lambda: schedules.OneCycleLR(o, 0.1, 10, pct_start=1.5), ValueError, "pct_start", True),
    (lambda: schedules.OneCycleLR(o, 0.1, 10, pct_start=0.1), ValueError, "is one step", False),
    (lambda: schedules.OneCycleLR(o, 0.1, 10, anneal_strategy="sine"), ValueError, "anneal_strategy", True),
    (lambda: schedules.OneCycleLR(o, [0.1], 10), ValueError, "max_lr has 1 values", True),
    (lambda: schedules.OneCycleLR(o, 0.1, 10, max_momentum=[0.9]), ValueError, "max_momentum has 1 values", True),
    (lambda: schedules.OneCycleLR(o, 0.1, 10, base_momentum=[0.9]), ValueError, "base_momentum has 1 values", True),
    (lambda: schedules.OneCycleLR(o, 0.1, 10, div_factor=0), ValueError, "div_factor", False),
    (lambda: schedules.OneCycleLR(optim.Adagrad([tn.ones(1)]), 0.1, 10), ValueError, "neither momentum nor betas", True),
    (too_long, ValueError, "step 4 of a cycle of total_steps=3", True),
    (lambda: schedules.ReduceLROnPlateau(3), TypeError, "needs an Optimizer", True),
    (lambda: schedules.ReduceLROnPlateau(o, "down"), ValueError, "mode must be 'min' or 'max'", True),
    (lambda: schedules.ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold_mode", True),
    (lambda: schedules.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor must be below 1", True),
    (lambda: schedules.ReduceLROnPlateau(o, patience=-1), ValueError, "patience", False),
    (lambda: schedules.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr has 1 values", True),
    (lambda: schedules.ReduceLROnPlateau(o).step(tn.ones(2)), ValueError, "2 values|2 elements", True),
    (lambda: schedules.SequentialLR(o, [], []), ValueError, "at least one", True),
    (lambda: schedules.SequentialLR(o, [o], []), TypeError, "no schedule", True),
    (lambda: schedules.SequentialLR(o, [schedules.StepLR(o, 1)], [3]), ValueError, "need 0 milestones", True),
    (lambda: schedules.SequentialLR(o, [schedules.StepLR(o, 1)] * 3, [5, 3]), ValueError, "must increase", False),
    (lambda: schedules.SequentialLR(o, [schedules.StepLR(o, 1)] * 2, [0]), ValueError, "positive integers", False),
    (lambda: schedules.SequentialLR(o, [schedules.ReduceLROnPlateau(o)], []), ValueError, "needs a metric", True),
    (lambda: schedules.SequentialLR(optimizer_of(tn), [schedules.StepLR(o, 1)], []), ValueError, "another optimizer", True),
    (lambda: schedules.ChainedScheduler([]), ValueError, "at least one", True),
]


@pytest.mark.parametrize(("call", "error", "match", "_torchs"), BAD)
def test_bad_input(call, error, match, _torchs, monkeypatch) -> None:
    monkeypatch.setitem(globals(), "o", optimizer_of(tn))
    with pytest.raises(error, match=match):
        call()


@pytest.mark.torch
@pytest.mark.parametrize(("call", "error", "match", "_torchs"), [row for row in BAD if row[3]])
def test_torch_raises_the_same_classes(call, error, match, _torchs, monkeypatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setitem(globals(), "o", optimizer_of(torch))
    monkeypatch.setitem(globals(), "schedules", torch.optim.lr_scheduler)
    monkeypatch.setitem(globals(), "optim", torch.optim)
    monkeypatch.setitem(globals(), "tn", torch)
    with pytest.raises(error):
        call()


def test_copies_are_independent() -> None:
    optimizer = optimizer_of(tn)
    optimizer.step()
    schedule = schedules.ExponentialLR(optimizer, 0.5)
    other = copy.deepcopy(schedule)
    schedule.step()
    assert (schedule.last_epoch, other.last_epoch) == (1, 0)
    assert other.get_last_lr() == [0.05, 0.7]
    assert repr(schedule) == "ExponentialLR(gamma=0.5, last_epoch=1)"
