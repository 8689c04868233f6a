"""The training loop: what a row means, callbacks, early stopping with roll-back, exact resume, truncated backpropagation."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.functions.generator import Generator
from tinygrad_notes.nn import functional as F
from tinygrad_notes.train.callbacks import Checkpoint, Clip, EarlyStopping, Progress, Record, Schedule, Validate
from tinygrad_notes.train.curves import draw_history
from tinygrad_notes.train.fit import Callback, Fit
from tinygrad_notes.train.objectives import TruncatedBPTT
from tinygrad_notes.utils.data import DataLoader, TensorDataset

RNG = np.random.default_rng(0)
X = tn.tensor(RNG.normal(size=(50, 4)).astype("f4"))
Y = (X[:, 0] * X[:, 1] > 0).long()
DATA, HELD_OUT = TensorDataset(X[:40], Y[:40]), [(X[40:], Y[40:])]


def accuracy(output: np.ndarray, target: np.ndarray) -> float:
    return float((output.argmax(-1) == target).mean())


def make(callbacks: Any = (), **options: Any) -> Fit:
    tn.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    built = callbacks(optimizer) if callable(callbacks) else list(callbacks)
    settings = {"validation": HELD_OUT, "metrics": {"accuracy": accuracy}, **options}
    data = settings.pop("data", None) or DataLoader(DATA, 16, shuffle=True)
    return Fit(model, F.cross_entropy, optimizer, data, callbacks=built, **settings)


def weights(run: Fit) -> bytes:
    return b"".join(value.numpy().tobytes() for value in run.model.state_dict().values())


def test_rows_are_means_over_examples() -> None:
    run = make(data=[(X[:30], Y[:30]), (X[30:40], Y[30:40])])
    run.model[2].p = 0.0
    for group in run.optimizer.param_groups:
        group["lr"] = 0.0
    (row,) = run.run(1)
    assert row["epoch"] == 1
    assert row["step"] == 2
    assert row["loss"] == pytest.approx(F.cross_entropy(run.model(X[:40]), Y[:40]).item(), rel=1e-5), "not a mean of means"
    assert row["validation loss"] == pytest.approx(F.cross_entropy(run.model(X[40:]), Y[40:]).item(), rel=1e-6)
    assert row["accuracy"] == accuracy(run.model(X[40:]).detach().numpy(), Y[40:].numpy())
    assert run.model.training, "evaluation puts the mode back"
    assert run.run(3)[-1]["epoch"] == 3, "a second run counts on"


def test_it_is_the_loop_that_one_would_write() -> None:
    run = make(validation=None, metrics=None)
    run.run(2)
    tn.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    loader = DataLoader(DATA, 16, shuffle=True)
    for _ in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    assert weights(run) == b"".join(value.numpy().tobytes() for value in model.state_dict().values())


EVENTS = {name for name in vars(Callback) if not name.startswith("_") and not name.endswith("state_dict")}


def test_callbacks_are_told_in_order() -> None:
    told: list[str] = []

    class Listener(Callback):
        def __getattribute__(self, name: str) -> Any:
            if name in EVENTS:
                return lambda run: told.append(name)
            return super().__getattribute__(name)

    make([Listener()], data=DataLoader(DATA, 20)).run(1)
    batch = ["before_batch", "before_update", "after_update", "after_batch"]
    assert told == ["start", "start_epoch", *batch, *batch, "after_epoch", "finish"]


def test_steps_end_a_run_within_an_epoch() -> None:
    run = make()
    assert run.run(10, steps=4) == run.history
    assert (run.epoch, run.step, run.given, run.complete) == (1, 4, 1, True)
    run.run(10, steps=4)
    assert run.step == 4, "they are done"
    run.run(2, steps=6)
    whole = make()
    whole.run(2)
    assert (run.epoch, run.step, run.given) == (2, 6, 0)
    assert weights(run) == weights(whole)
    assert run.history == whole.history


def test_an_end_by_steps_within_an_epoch_keeps_the_weights() -> None:
    run = make([EarlyStopping(50)])
    run.run(10, steps=11)
    run.run(5)
    whole = make([EarlyStopping(50)])
    whole.run(5)
    assert weights(run) == weights(whole)
    assert run.history == whole.history


@pytest.mark.parametrize("steps", [None, 7])
def test_the_bar_ends_full(steps: int | None) -> None:
    """Also for a batch of three updates, and where a run goes on."""
    sequence = (tn.ones(6, 4, 3), tn.ones(6, 4, 2))
    model, bar = nn.RNN(3, 2), Progress()
    run = Fit(model, TruncatedBPTT(F.mse_loss, 2), optim.SGD(model.parameters()), [sequence] * 2, callbacks=[bar])
    for epochs, limit in ((1, None), (4, steps)):
        run.run(epochs, limit)
        assert bar._bar.n == (bar._bar.total if limit is None else run.step)


def test_validation_within_epochs(tmp_path: Path) -> None:
    watch = Validate(HELD_OUT, 2)
    run = make([watch])  # three updates per epoch
    run.run(2)
    run.run(3, steps=7)
    assert [row["step"] for row in watch.rows] == [2, 4, 6, 7]
    assert watch.rows[-2]["validation loss"] == run.history[-1]["validation loss"], "after the same update"
    run.save(tmp_path / "run")
    watch_again = Validate(HELD_OUT, 2)
    other = make([watch_again])
    other.resume(tmp_path / "run")
    other.run(3)
    assert other.complete
    random = tn.get_rng_state()
    run.resume(tmp_path / "run")
    run.run(3)
    assert tn.get_rng_state().tolist() == random.tolist()
    assert watch_again.rows == watch.rows
    assert [row["step"] for row in watch.rows][-1] == 9
    figure = draw_history(watch.rows)
    assert figure.axes[-1].get_xlabel() == "step"
    assert figure.axes[0].lines[0].get_xdata().tolist() == [2, 4, 6, 7, 8, 9]


def test_a_batch_is_recorded() -> None:
    record = Record(5)
    run = make([record])
    run.run(1)
    assert record.tape is None
    run.run(3)
    plain = make()
    plain.run(3)
    assert weights(run) == weights(plain)
    assert record.tape is not None
    names = [node.op.name for node in record.tape.nodes]
    assert names.count("tanh") == 1, "one forward pass, no validation"
    assert {"exp", "matmul"} <= set(names)
    assert {name.split(".")[-1] for name in record.tape.names.values()} >= {"weight", "bias"}

    several = Record(4)  # three updates in a batch
    sequence = (tn.ones(6, 4, 3), tn.ones(6, 4, 2))
    model = nn.RNN(3, 2)
    Fit(model, TruncatedBPTT(F.mse_loss, 2), optim.SGD(model.parameters()), [sequence] * 3, callbacks=[several]).run(1)
    assert several.tape is not None

    class Failing(Callback):
        def after_update(self, run: Fit) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make([Record(1), Failing()]).run(1)
    with tn.Tape() as outside:
        tn.ones(2) + 1
    assert outside.nodes, "no tape was left open"


def test_it_learns() -> None:
    run = make([Progress()])
    first = run.evaluate(HELD_OUT)["validation loss"]
    assert run.run(150)[-1]["loss"] < 0.35 < first


# ---- early stopping ----


def test_early_stopping_waits_and_rolls_back() -> None:
    model = nn.Linear(1, 1, bias=False)
    stopping = EarlyStopping(patience=1)
    losses = [3.0, 2.0, 2.5, 1.0, math.nan, 1.0, 0.5]
    stopped = []
    for number, loss in enumerate(losses):
        nn.init.constant_(model.weight, float(number))
        stopped.append(stopping.update(loss, model))
        if stopped[-1]:
            break
    assert stopped == [False] * 5 + [True], "NaN and an equal value are not better"
    assert (stopping.best, stopping.best_epoch) == (1.0, 4)
    assert model.weight.item() == 5.0
    stopping.roll_back(model)
    assert model.weight.item() == 3.0, "a copy was kept: training went on in the same memory"


def test_early_stopping_up_and_by_how_much() -> None:
    model = nn.Linear(1, 1)
    stopping = EarlyStopping(patience=0, mode="max", min_delta=0.1)
    assert not stopping.update(0.5, model)
    assert not stopping.update(0.65, model)
    assert stopping.update(0.7, model)
    never = EarlyStopping(patience=0)
    assert never.update(math.nan, model)
    before = model.weight.item()
    never.roll_back(model)
    assert model.weight.item() == before


def test_early_stopping_ends_a_run_with_the_best_weights() -> None:
    def run_with(restore: bool) -> tuple[Fit, EarlyStopping]:
        stopping = EarlyStopping(patience=2, restore=restore)
        run = make(lambda optimizer: [stopping])
        for group in run.optimizer.param_groups:
            group["lr"] = 0.3  # it overshoots soon
        run.run(100)
        return run, stopping

    run, stopping = run_with(True)
    values = [row["validation loss"] for row in run.history]
    assert len(values) == stopping.best_epoch + 3 < 100
    assert stopping.best == min(values)
    assert run.evaluate(HELD_OUT)["validation loss"] == stopping.best
    kept, _ = run_with(False)
    assert kept.evaluate(HELD_OUT)["validation loss"] == values[-1]
    with pytest.raises(ValueError, match="'validation loss' is none of epoch, step, loss"):
        make([EarlyStopping()], validation=None, metrics=None).run(1)


# ---- resuming ----


def everything(optimizer: optim.Optimizer) -> list[Callback]:
    return [
        Clip(norm=0.5),
        Schedule(optim.lr_scheduler.StepLR(optimizer, 5, 0.7), every="update"),
        Schedule(optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0), monitor="validation loss"),
        EarlyStopping(patience=50),
    ]


class StopAt(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def after_batch(self, run: Fit) -> None:
        if run.step == self.step:
            run.stop()


@pytest.mark.parametrize(
    "made",
    [partial(optim.lr_scheduler.LinearLR, total_iters=6), partial(optim.lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=20)],
)
def test_a_schedule_that_is_made_at_the_start_and_its_resumption(made: Any, tmp_path: Path) -> None:
    given = make(lambda optimizer: [Schedule(made(optimizer), every="update")])
    given.run(3)
    whole = make([Schedule(made, every="update")])
    whole.run(2)
    whole.save(tmp_path / "run")
    whole.run(3)
    rest = make([Schedule(made, every="update")])
    rest.resume(tmp_path / "run")
    assert rest.callbacks[0].state_dict()["last_epoch"] > 0, "what a checkpoint before the first batch would hold"
    rest.run(3)
    assert weights(rest) == weights(whole) == weights(given)


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("stop_at", [1, 3, 4, 6, 7])
def test_a_resumed_run_is_the_uninterrupted_one(stop_at: int, listed: bool, tmp_path: Path) -> None:
    """Order of batches, dropout, moments, schedules, early stopping and history, within and between epochs."""

    def start(*more: Callback) -> Fit:
        data = list(DataLoader(DATA, 16)) if listed else DataLoader(DATA, 16, shuffle=True, generator=Generator(8))
        return make(lambda optimizer: [*everything(optimizer), *more], data=data)

    path = tmp_path / "run"
    whole = start(StopAt(-1), Checkpoint(path))
    whole.run(4)
    paused = start(StopAt(stop_at), Checkpoint(path))
    paused.run(4)
    assert paused.step == stop_at
    path.rename(tmp_path / "paused")
    paused.run(4)
    tn.manual_seed(99)
    rest = start(StopAt(-1), Checkpoint(path))
    rest.resume(tmp_path / "paused")
    assert rest.step == stop_at
    rest.run(4)
    for run in (rest, paused):
        assert weights(run) == weights(whole)
        assert run.history == whole.history
        assert [group["lr"].item() for group in run.optimizer.param_groups] == [
            group["lr"].item() for group in whole.optimizer.param_groups
        ]


def test_checkpoints_in_between(tmp_path: Path) -> None:
    path, steps = tmp_path / "run", []

    class Look(Callback):
        def after_batch(self, run: Fit) -> None:
            steps.append(tn.load(path)["step"] if path.exists() else 0)

    make([Checkpoint(path, every=2, steps=2), Look()]).run(2)
    assert steps == [0, 2, 2, 4, 4, 6]
    assert tn.load(path)["epoch"] == 2
    with pytest.raises(ValueError, match="the checkpoint has 2 callbacks, this run 0"):
        make().resume(path)
    with pytest.raises(ValueError, match="another kind of data than this run's list"):
        make([Clip(1.0), Clip(1.0)], data=list(DataLoader(DATA, 4))).resume(path)


# ---- sequences ----


class Echo(nn.Module):
    """An LSTM that carries its state."""

    def __init__(self) -> None:
        self.lstm = nn.LSTM(2, 3, dtype="float64")

    def forward(self, x: tn.Tensor, state: Any) -> Any:
        return self.lstm(x, state)


SEQUENCE = tn.tensor(RNG.normal(size=(7, 2, 2))), tn.tensor(RNG.normal(size=(7, 2, 3)))


def gradients(length: int | None, batches: Any, carry: bool = False) -> list[np.ndarray]:
    found = []

    class Look(Callback):
        def before_update(self, run: Fit) -> None:
            found.append(run.model.lstm.weight_hh_l0.grad.numpy().copy())

    tn.manual_seed(0)
    model = Echo()
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    Fit(model, TruncatedBPTT(F.mse_loss, length, carry=carry), optimizer, batches, callbacks=[Look()]).run(1)
    return found


def by_hand(windows: list[tuple[int, int]]) -> list[np.ndarray]:
    tn.manual_seed(0)
    model, state, found = Echo(), None, []
    x, y = SEQUENCE
    for a, b in windows:
        model.zero_grad()
        out, state = model(x[a:b], state)
        F.mse_loss(out, y[a:b]).backward()
        state = tuple(s.detach() for s in state)
        found.append(model.lstm.weight_hh_l0.grad.numpy().copy())
    return found


@pytest.mark.parametrize("length", [None, 7, 100])
def test_a_window_that_covers_the_sequence_is_full_backpropagation(length: int | None) -> None:
    np.testing.assert_array_equal(gradients(length, [SEQUENCE]), by_hand([(0, 7)]))


def test_truncated_windows_carry_the_state_but_no_gradient() -> None:
    np.testing.assert_array_equal(gradients(3, [SEQUENCE]), by_hand([(0, 3), (3, 6), (6, 7)]))
    x, y = SEQUENCE
    parts = [(x[:4], y[:4]), (x[4:], y[4:])]
    np.testing.assert_array_equal(gradients(None, parts, carry=True), by_hand([(0, 4), (4, 7)]))
    assert not np.allclose(gradients(None, parts)[1], by_hand([(0, 4), (4, 7)])[1]), "without carry each batch starts anew"


def test_the_carried_state_is_resumed(tmp_path: Path) -> None:
    x, y = SEQUENCE
    parts = [(x[:2], y[:2]), (x[2:4], y[2:4]), (x[4:], y[4:])]

    def start(step: int) -> Fit:
        tn.manual_seed(0)
        model = Echo()
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        objective = TruncatedBPTT(F.mse_loss, 1, carry=True)
        callbacks = [StopAt(step), Checkpoint(tmp_path / "run")]
        return Fit(model, objective, optimizer, parts, validation=parts, callbacks=callbacks)

    whole, part, rest = start(-1), start(4), start(-1)
    whole.run(2)
    part.run(2)
    rest.resume(tmp_path / "run")
    rest.run(2)
    assert rest.step == 14
    assert weights(rest) == weights(whole)
    assert rest.history == whole.history


# ---- pictures and errors ----


def test_the_history_is_drawn(tmp_path: Path) -> None:
    history = make().run(3)
    figure = draw_history(history, tmp_path / "history.png", "three epochs")
    assert [len(axes.lines) for axes in figure.axes] == [2, 1]
    assert figure.axes[0].lines[1].get_ydata().tolist() == [row["validation loss"] for row in history]
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in tmp_path.iterdir()] == ["history.png"]
    with pytest.raises(ValueError, match="no rows"):
        draw_history([])


MODEL = nn.Linear(4, 2)
SGD = optim.SGD(MODEL.parameters())
BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no module": (lambda: Fit(3, F.cross_entropy, SGD, []), TypeError, "needs a Module"),  # type: ignore[arg-type]
    "no objective": (lambda: Fit(MODEL, 3, SGD, []), TypeError, "the objective must be a loss"),
    "metrics of nothing": (
        lambda: Fit(MODEL, F.cross_entropy, SGD, [], metrics={"a": accuracy}),
        ValueError,
        "give validation=",
    ),
    "a metric's name": (lambda: make(metrics={"loss": accuracy}), ValueError, "cannot be called loss"),
    "epochs": (lambda: make().run(-1), ValueError, "epochs must be an integer of 0 or more, got -1"),
    "steps": (lambda: make().run(1, 2.5), ValueError, "steps must be an integer of 0 or more, got 2.5"),  # type: ignore[arg-type]
    "record": (lambda: Record(0), ValueError, "step must be a positive integer, got 0"),
    "validate": (lambda: Validate([], 0), ValueError, "every must be a positive integer, got 0"),
    "no batch": (lambda: make(data=iter(())).run(1), ValueError, "gave no batch"),
    "no validation batch": (lambda: make(validation=[]).run(1), ValueError, "validation data gave no batch"),
    "walked through once": (lambda: make(data=iter([(X, Y)])).run(2), ValueError, "only once"),
    "a batch without target": (lambda: make(data=[X]).run(1), TypeError, r"must be \(input, ..., target\)"),
    "length": (lambda: TruncatedBPTT(F.mse_loss, 0), ValueError, "positive integer, got 0"),
    "a sequence's shape": (lambda: gradients(2, [(SEQUENCE[0], SEQUENCE[1][:3])]), RuntimeError, r"\(T, N, ...\) alike, got"),
    "patience": (lambda: EarlyStopping(-1), ValueError, "patience"),
    "mode": (lambda: EarlyStopping(mode="up"), ValueError, "'min' or 'max', got 'up'"),
    "min_delta": (lambda: EarlyStopping(min_delta=-1), ValueError, "min_delta"),
    "clip": (lambda: Clip(), ValueError, "positive norm or a positive value"),
    "clip twice": (lambda: Clip(1.0, 1.0), ValueError, "positive norm or a positive value"),
    "checkpoint": (lambda: Checkpoint("x", every=0), ValueError, "must be positive"),
    "schedule": (lambda: Schedule(None, every="step"), ValueError, "'epoch' or 'update', got 'step'"),
    "monitor": (lambda: make([Schedule(None, monitor="f1")]).run(1), ValueError, "'f1' is none of epoch"),
}


@pytest.mark.parametrize(("bad", "kind", "match"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(bad: Callable[[], Any], kind: type[Exception], match: str) -> None:
    with pytest.raises(kind, match=match):
        bad()


def test_a_loss_that_is_not_finite_ends_the_run_and_closes_callbacks() -> None:
    closed = []

    class Close(Callback):
        def finish(self, run: Fit) -> None:
            closed.append(run.step)

    with pytest.raises(FloatingPointError, match="the loss became nan at step 2; lower the learning rate"):
        make([Close()], data=[(X, Y), (X * math.nan, Y)]).run(1)
    assert closed == [1]


def test_values_are_clipped() -> None:
    seen = []

    class Look(Callback):
        def before_update(self, run: Fit) -> None:
            seen.append(max(q.grad.abs().max().item() for q in run.model.parameters()))

    clip = Clip(value=1e-3)
    make([clip, Look()]).run(1)
    assert max(seen) == pytest.approx(1e-3)
    norm = Clip(norm=1e-3)
    make([norm, Look()]).run(1)
    assert norm.last_norm > 1e-3 > seen[-1]
