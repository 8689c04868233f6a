"""Learning-rate schedules. They write into the learning rate's Tensor, in primitives: a recorded step replays its schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..functions.pointwise import where
from ..functions.rounding import floor
from ..modes import no_grad, scope
from .optimizer import Optimizer
from .options import scalar

__all__ = ["StepLR"]


class StepLR:
    """``lr = lr * gamma`` every ``step_size`` calls of ``step()``.

    optimizer  whose groups are scheduled
    step_size  calls between two decays
    gamma      factor
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"StepLR: needs an Optimizer, got {type(optimizer).__name__}")
        if not isinstance(step_size, int) or step_size <= 0:
            raise ValueError(f"StepLR: step_size must be a positive integer, got {step_size}")
        self.optimizer, self.step_size, self.gamma = optimizer, step_size, gamma
        self._epoch = scalar(0)

    @property
    def last_epoch(self) -> int:
        """How often ``step`` was called."""
        return int(self._epoch.item())

    def step(self) -> None:
        """Count one more epoch; decay if it is the last of ``step_size``."""
        with no_grad(), scope("steplr"):
            self._epoch.add_(1.0)
            due = self._epoch - floor(self._epoch / float(self.step_size)) * float(self.step_size) == 0.0
            for group in self.optimizer.param_groups:
                lr = group["lr"]
                lr.copy_(where(due, lr * self.gamma, lr))

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group."""
        return [float(group["lr"].item()) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What ``load_state_dict`` needs to go on; the learning rates are in the optimizer's own."""
        return {"step_size": self.step_size, "gamma": self.gamma, "last_epoch": self.last_epoch}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from ``state_dict()``."""
        self.step_size, self.gamma = int(state_dict["step_size"]), float(state_dict["gamma"])
        self._epoch.fill_(float(state_dict["last_epoch"]))
