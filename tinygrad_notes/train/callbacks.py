"""Callbacks of ``Fit``: stopping early, checkpoints, schedules, clipping, validation between epochs, a tape, a progress bar."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any

from .. import nn
from ..tape import Tape
from ..tensor import Tensor
from .fit import Callback, Fit

__all__ = ["Checkpoint", "Clip", "EarlyStopping", "Progress", "Record", "Schedule", "Validate"]


class EarlyStopping(Callback):
    """Stops when a value has not become better for ``patience`` epochs, and rolls back to the weights that were best.

    patience   epochs without improvement that are borne
    monitor    the column of the history that is watched
    mode       "min" or "max": what better means
    min_delta  by how much a value must be better to count
    restore    put the best weights back at the end, also where all epochs were done
    best, best_epoch  the best value, and the number of the update that gave it

    Alone, without ``Fit``::

        stopping = EarlyStopping(patience=3)
        while not stopping.update(validation_loss(), model):
            ...  # train for an epoch
        stopping.roll_back(model)
    """

    def __init__(
        self,
        patience: int = 5,
        monitor: str = "validation loss",
        mode: str = "min",
        min_delta: float = 0.0,
        restore: bool = True,
    ) -> None:
        if not isinstance(patience, int) or patience < 0:
            raise ValueError(f"EarlyStopping: patience must be an integer of 0 or more, got {patience!r}")
        if mode not in ("min", "max"):
            raise ValueError(f"EarlyStopping: mode must be 'min' or 'max', got {mode!r}")
        if not min_delta >= 0:
            raise ValueError(f"EarlyStopping: min_delta must be 0 or more, got {min_delta}")
        self.patience, self.monitor, self.mode, self.min_delta, self.restore = patience, monitor, mode, min_delta, restore
        self.best: float | None = None
        self.best_epoch = self.count = self.waited = 0
        self.weights: dict[str, Tensor] = {}

    @property
    def stopped(self) -> bool:
        """Whether patience is at its end."""
        return self.waited > self.patience

    def update(self, value: float, model: nn.Module) -> bool:
        """Note a value and, if it is the best, the model's weights; True where it is time to stop. NaN is never better."""
        value = float(value)
        self.count += 1
        sign = 1 if self.mode == "min" else -1
        if not math.isnan(value) and (self.best is None or sign * value < sign * self.best - self.min_delta):
            self.best, self.best_epoch, self.waited = value, self.count, 0
            self.weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        else:
            self.waited += 1
        return self.stopped

    def roll_back(self, model: nn.Module) -> None:
        """Put the best weights (and buffers) back, if there are any."""
        if self.weights:
            model.load_state_dict(self.weights)

    def start(self, run: Fit) -> None:
        if self.stopped:  # a resumed run that was over already
            run.stop()

    def after_epoch(self, run: Fit) -> None:
        if self.monitor not in run.history[-1]:
            raise ValueError(
                f"EarlyStopping: {self.monitor!r} is none of {', '.join(run.history[-1])}; give validation= or monitor="
            )
        if self.update(run.history[-1][self.monitor], run.model):
            run.stop()

    def finish(self, run: Fit) -> None:
        if self.restore and (self.stopped or run.epoch >= run.epochs):  # not within an epoch, which may go on
            self.roll_back(run.model)

    def state_dict(self) -> dict[str, Any]:
        names = ("best", "best_epoch", "count", "waited", "weights")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


class Checkpoint(Callback):
    """Writes the whole run to a file, atomically; ``run.resume(path)`` goes on from there, bit for bit. Give it last.

    path   the file, written over and over
    every  epochs between two writes
    steps  also after the first batch that completes this many updates
    A run that is stopped in the middle of an epoch is written too.
    """

    def __init__(self, path: str | Path, every: int = 1, steps: int | None = None) -> None:
        if every <= 0 or (steps is not None and steps <= 0):
            raise ValueError(f"Checkpoint: every and steps must be positive, got {every} and {steps}")
        self.path, self.every, self.steps = Path(path), every, steps
        self._last = 0

    def start(self, run: Fit) -> None:
        self._last = run.step

    def after_batch(self, run: Fit) -> None:
        if run.stopped or (self.steps is not None and run.step - self._last >= self.steps):
            self._write(run)

    def after_epoch(self, run: Fit) -> None:
        if run.epoch % self.every == 0 or run.stopped or run.epoch == run.epochs:
            self._write(run)

    def _write(self, run: Fit) -> None:
        run.save(self.path)
        self._last = run.step


class Schedule(Callback):
    """Steps a learning-rate schedule of ``optim.lr_scheduler``.

    scheduler  the schedule, or what makes it of the run's optimizer: ``partial(ExponentialLR, gamma=0.9)``
    every      "epoch" or "update"
    monitor    the column of the history that is given to its ``step``, as ``ReduceLROnPlateau`` needs
    """

    def __init__(self, scheduler: Any, every: str = "epoch", monitor: str | None = None) -> None:
        if every not in ("epoch", "update"):
            raise ValueError(f"Schedule: every must be 'epoch' or 'update', got {every!r}")
        if every == "update" and monitor is not None:
            raise ValueError("Schedule: what is monitored is known once per epoch; use every='epoch'")
        self.scheduler, self.every, self.monitor = scheduler, every, monitor
        self._saved: Mapping[str, Any] | None = None  # for a schedule that is not made yet

    @property
    def _made(self) -> bool:
        return not callable(self.scheduler)

    def start(self, run: Fit) -> None:
        if self._made:
            return
        before = deepcopy(run.optimizer.state_dict())
        self.scheduler = self.scheduler(run.optimizer)  # sets the first rate
        if self._saved:  # a run is resumed: schedule and rate are where they were
            self.scheduler.load_state_dict(self._saved)
            run.optimizer.load_state_dict(before)

    def after_update(self, run: Fit) -> None:
        if self.every == "update":
            self.scheduler.step()

    def after_epoch(self, run: Fit) -> None:
        if self.every != "epoch":
            return
        if self.monitor is None:
            self.scheduler.step()
        elif self.monitor in run.history[-1]:
            self.scheduler.step(run.history[-1][self.monitor])
        else:
            raise ValueError(f"Schedule: {self.monitor!r} is none of {', '.join(run.history[-1])}")

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = self.scheduler.state_dict() if self._made else dict(self._saved or {})
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if self._made:
            self.scheduler.load_state_dict(state)
        else:
            self._saved = state


class Clip(Callback):
    """Clips gradients before every update: their joint norm to ``norm``, or each of their values to ±``value``.

    last_norm: the joint norm that the last gradients had before.
    """

    def __init__(self, norm: float | None = None, value: float | None = None) -> None:
        if (norm is None) == (value is None) or not (norm or value or 0) > 0:
            raise ValueError(f"Clip: needs a positive norm or a positive value, got {norm} and {value}")
        self.norm, self.value = norm, value
        self.last_norm = math.nan

    def before_update(self, run: Fit) -> None:
        if self.norm is not None:
            self.last_norm = float(nn.utils.clip_grad_norm_(run.model.parameters(), self.norm).item())
        if self.value is not None:
            nn.utils.clip_grad_value_(run.model.parameters(), self.value)


class Validate(Callback):
    """Evaluates within epochs: at each multiple of ``every`` updates, and where the epochs or steps of the run are done.

    data   batches, as for ``Fit(validation=...)``
    rows   one per evaluation: step, loss (mean of the updates since the row before), "validation loss", metrics
    """

    def __init__(self, data: Iterable[Any], every: int) -> None:
        if not isinstance(every, int) or every <= 0:
            raise ValueError(f"Validate: every must be a positive integer, got {every!r}")
        self.data, self.every = data, every
        self.rows: list[dict[str, Any]] = []
        self._losses: list[float] = []

    def after_update(self, run: Fit) -> None:
        self._losses.append(run.loss)

    def after_batch(self, run: Fit) -> None:
        last = self.rows[-1]["step"] if self.rows else 0
        if run.step // self.every > last // self.every or run.complete:
            self._evaluate(run)

    def after_epoch(self, run: Fit) -> None:
        if self._losses and run.complete:
            self._evaluate(run)

    def _evaluate(self, run: Fit) -> None:
        self.rows.append({"step": run.step, "loss": math.fsum(self._losses) / len(self._losses), **run.evaluate(self.data)})
        self._losses = []

    def state_dict(self) -> dict[str, Any]:
        return {"rows": list(self.rows), "losses": list(self._losses)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.rows, self._losses = list(state["rows"]), list(state["losses"])


class Record(Callback):
    """Records one batch of the run, forward, backward and update: ``tape``, None before. Give it first.

    step  the number of the update that the batch begins with, from 1
    """

    def __init__(self, step: int) -> None:
        if not isinstance(step, int) or step <= 0:
            raise ValueError(f"Record: step must be a positive integer, got {step!r}")
        self.step = step
        self.tape: Tape | None = None
        self._recording = ExitStack()

    def before_batch(self, run: Fit) -> None:
        if run.step == self.step - 1:
            self.tape = self._recording.enter_context(Tape())

    def after_batch(self, run: Fit) -> None:
        self._recording.close()

    def finish(self, run: Fit) -> None:
        self._recording.close()


class Progress(Callback):
    """A progress bar over all batches of the run, or its updates where steps end it, with the loss and the last row of the history."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._mean = math.nan
        self._by_steps = False

    def start(self, run: Fit) -> None:
        from tqdm import tqdm

        batches = len(run.data) if hasattr(run.data, "__len__") else None
        total = None if batches is None else batches * run.epochs
        self._by_steps = run.steps < (math.inf if total is None else total)
        if self._by_steps:
            self._bar = tqdm(total=run.steps, initial=run.step, unit="update", dynamic_ncols=True)
        else:
            self._bar = tqdm(total=total, initial=run.epoch * (batches or 0) + run.given, unit="batch", dynamic_ncols=True)

    def after_batch(self, run: Fit) -> None:
        self._mean = run.loss if math.isnan(self._mean) else 0.9 * self._mean + 0.1 * run.loss
        self._bar.set_postfix({"epoch": run.epoch + 1, "loss": f"{self._mean:.4g}", **self.shown(run)}, refresh=False)
        self._bar.update(run.step - self._bar.n if self._by_steps else 1)

    @property
    def rate(self) -> float | None:
        """Batches per second, smoothed; None at first."""
        found: float | None = self._bar.format_dict["rate"]
        return found

    def shown(self, run: Fit) -> dict[str, str]:
        """What stands beside epoch and loss."""
        row = run.history[-1] if run.history else {}
        return {name: f"{value:.4g}" for name, value in row.items() if name not in ("epoch", "step", "loss")}

    def finish(self, run: Fit) -> None:
        if self._bar is not None:
            self._bar.close()
