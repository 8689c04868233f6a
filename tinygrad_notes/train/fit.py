"""The training loop: batches, updates, validation and callbacks, stoppable after any batch and resumable bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..functions.generator import default_generator
from ..io import load, save
from ..modes import no_grad
from ..nn import Module
from ..optim import Optimizer
from .objectives import Outcome, Supervised

__all__ = ["Callback", "Fit"]

Array = np.ndarray[Any, Any]
Metric = Callable[[Array, Array], float]


class Callback:
    """What is told how a run goes. Every method gets the run; all do nothing here.

    ``before_update`` sees the gradients of a loss, ``after_update`` the new parameters; a batch may be several updates.
    ``state_dict`` is saved with the run, for ``load_state_dict``. ``finish`` is called whatever ends the run.
    """

    def start(self, run: Fit) -> None:
        """Before the first batch of ``run.run``."""

    def start_epoch(self, run: Fit) -> None:
        """Before an epoch; not before the rest of one that was resumed."""

    def before_batch(self, run: Fit) -> None:
        """A batch is there, and nothing has been computed with it."""

    def before_update(self, run: Fit) -> None:
        """The gradients are there, the parameters still the old ones."""

    def after_update(self, run: Fit) -> None:
        """The parameters have moved."""

    def after_batch(self, run: Fit) -> None:
        """Between two batches: a checkpoint written here is resumed exactly."""

    def after_epoch(self, run: Fit) -> None:
        """The epoch's row is in ``run.history``."""

    def finish(self, run: Fit) -> None:
        """The run ends: it is complete, was stopped, or something was raised."""

    def state_dict(self) -> dict[str, Any]:
        """What the callback needs to go on."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict()``."""


class Fit:
    """A run: model, objective, optimizer, data and callbacks, and where it stands.

    model       called by the objective
    objective   a loss of ``(output, target)``, or what makes ``Outcome``s of a batch (``TruncatedBPTT``)
    optimizer   over the model's parameters
    data        batches, walked through once per epoch: a ``DataLoader``, a list
    validation  batches that are evaluated after every epoch
    metrics     names and functions of (outputs, targets), arrays of the whole validation set
    callbacks   told in this order
    epoch, step, loss  completed epochs, updates so far, the last loss
    given       batches of the epoch at hand, 0 between epochs
    history     a row per epoch: epoch, step, loss, "validation loss", metrics
    """

    def __init__(
        self,
        model: Module,
        objective: Any,
        optimizer: Optimizer,
        data: Any,
        *,
        validation: Iterable[Any] | None = None,
        metrics: Mapping[str, Metric] | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        if not isinstance(model, Module) or not isinstance(optimizer, Optimizer):
            raise TypeError(f"Fit: needs a Module and an Optimizer, got {type(model).__name__} and {type(optimizer).__name__}")
        if not callable(objective):
            raise TypeError(f"Fit: the objective must be a loss (output, target) -> Tensor, got {type(objective).__name__}")
        if metrics and validation is None:
            raise ValueError("Fit: metrics are of the validation set; give validation=")
        if taken := {"epoch", "step", "loss", "validation loss"} & set(metrics or ()):
            raise ValueError(f"Fit: metrics cannot be called {', '.join(sorted(taken))}; the history has that already")
        self.model, self.optimizer, self.data = model, optimizer, data
        self.objective: Any = objective if hasattr(objective, "loss") else Supervised(objective)
        self.validation, self.metrics, self.callbacks = validation, dict(metrics or {}), list(callbacks)
        self.epoch = self.step = 0
        self.history: list[dict[str, Any]] = []
        self.loss = math.nan
        self.epochs = self.steps = math.inf
        self.stopped = False
        self.given = 0
        self._sum, self._count = 0.0, 0

    def run(self, epochs: int, steps: int | None = None) -> list[dict[str, Any]]:
        """Train until ``epochs`` epochs are complete, those of earlier calls included; returns the history.

        steps  end before, after the batch with this update (counted from the first of the first call)
        Raises FloatingPointError where the loss is no longer finite.
        """
        for name, value in (("epochs", epochs), ("steps", 0 if steps is None else steps)):
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"Fit: {name} must be an integer of 0 or more, got {value!r}")
        self.epochs, self.steps = epochs, math.inf if steps is None else steps
        self.stopped = self.complete
        try:
            self._tell("start")
            while self.epoch < epochs and not self.stopped:
                self._run_epoch()
        finally:
            self._tell("finish")
        return self.history

    @property
    def complete(self) -> bool:
        """Whether the epochs or steps that ``run`` was asked for are done."""
        return self.epoch >= self.epochs or self.step >= self.steps

    def stop(self) -> None:
        """End ``run`` after the batch at hand; another ``run`` goes on from there."""
        self.stopped = True

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def _run_epoch(self) -> None:
        resumable = hasattr(self.data, "load_state_dict")
        if not self.given:
            self._sum, self._count = 0.0, 0
            if hasattr(self.objective, "start_epoch"):
                self.objective.start_epoch()
            self._tell("start_epoch")
        self.model.train()
        for batch in self.data if resumable else islice(self.data, self.given, None):
            self._tell("before_batch")
            self._learn(batch)
            self.given += 1
            self.stopped |= self.step >= self.steps
            self._tell("after_batch")
            whole = self.step >= self.steps and hasattr(self.data, "__len__") and self.given == len(self.data)
            if self.stopped and not whole:
                if resumable:  # the walk ends here; the next one shall go on with it
                    self.data.load_state_dict(self.data.state_dict())
                return
        if not self._count:
            raise ValueError(
                "Fit: the data gave no batch; an iterator can be walked through only once, a DataLoader or list often"
            )
        self.given = 0
        self.epoch += 1
        row = {"epoch": self.epoch, "step": self.step, "loss": self._sum / self._count}
        if self.validation is not None:
            row |= self.evaluate(self.validation)
        self.history.append(row)
        self._tell("after_epoch")

    def _learn(self, batch: Any) -> None:
        for outcome in self.objective(self.model, batch):
            self.optimizer.zero_grad()
            outcome.loss.backward()
            self.loss = float(outcome.loss.item())
            if not math.isfinite(self.loss):
                raise FloatingPointError(f"the loss became {self.loss} at step {self.step + 1}; lower the learning rate")
            self._tell("before_update")
            self.optimizer.step()
            self.step += 1
            self._sum, self._count = self._sum + self.loss * outcome.size, self._count + outcome.size
            self._tell("after_update")

    def evaluate(self, data: Iterable[Any]) -> dict[str, float]:
        """ "validation loss", the mean over all examples of ``data``, and the metrics; in evaluation mode, without gradients."""
        training, carried = self.model.training, _state_of(self.objective)
        self.model.eval()
        outcomes: list[Outcome] = []
        try:
            if hasattr(self.objective, "start_epoch"):
                self.objective.start_epoch()
            with no_grad():
                for batch in data:
                    outcomes.extend(self.objective(self.model, batch))
        finally:
            self.model.train(training)
            if carried is not None:
                self.objective.load_state_dict(carried)
        if not outcomes:
            raise ValueError("Fit: the validation data gave no batch")
        found = {"validation loss": _mean(outcomes)}
        if self.metrics:
            output, target = (np.concatenate([getattr(o, name).numpy() for o in outcomes]) for name in ("output", "target"))
            found |= {name: float(metric(output, target)) for name, metric in self.metrics.items()}
        return found

    # ---- checkpoints ----

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on; ask between batches."""
        return {
            "epoch": self.epoch, "step": self.step, "history": list(self.history), "given": self.given, "sum": self._sum,
            "count": self._count, "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "data": _state_of(self.data), "objective": _state_of(self.objective), "random": default_generator.get_state(),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict()`` of a run that was made alike. Raises ValueError for other callbacks or data."""
        if len(state["callbacks"]) != len(self.callbacks):
            raise ValueError(f"the checkpoint has {len(state['callbacks'])} callbacks, this run {len(self.callbacks)}")
        for name, part in (("data", self.data), ("objective", self.objective)):
            if (state[name] is None) == hasattr(part, "load_state_dict"):
                raise ValueError(f"the checkpoint has another kind of {name} than this run's {type(part).__name__}")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for callback, saved in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(saved)
        for name, part in (("data", self.data), ("objective", self.objective)):
            if state[name] is not None:
                part.load_state_dict(state[name])
        default_generator.set_state(state["random"])
        self.epoch, self.step, self.history = state["epoch"], state["step"], list(state["history"])
        self.given, self._sum, self._count = state["given"], state["sum"], state["count"]

    def save(self, path: str | Path) -> None:
        """Write ``state_dict()`` to a file, atomically."""
        save(self.state_dict(), path)

    def resume(self, path: str | Path) -> None:
        """Continue from a file that ``save`` wrote."""
        self.load_state_dict(load(path))


def _state_of(part: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = part.state_dict() if hasattr(part, "state_dict") else None
    return found


def _mean(outcomes: list[Outcome]) -> float:
    return sum(o.loss.item() * o.size for o in outcomes) / sum(o.size for o in outcomes)
