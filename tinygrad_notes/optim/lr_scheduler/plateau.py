"""The schedule that waits for the loss: lower the learning rate when it stops falling."""

from __future__ import annotations

from typing import Any

from ...dtypes import float64
from ...errors import GraphError
from ...functions.bounds import maximum
from ...functions.convert import to
from ...functions.logic import logical_and
from ...functions.pointwise import gt, lt, where
from ...modes import local, no_grad, scope
from ...tensor import Tensor
from ..optimizer import Optimizer
from .base import Live, LRScheduler, check_optimizer, each_group, within

__all__ = ["ReduceLROnPlateau"]

INF = float("inf")


class ReduceLROnPlateau(LRScheduler):
    """``lr = max(lr factor, min_lr)`` when the metric has not improved for more than ``patience`` epochs.

    ``factor=0.5, patience=0, threshold=0`` halves the learning rate whenever the loss is not below the best so far.

    optimizer       whose groups are scheduled
    mode            "min": the metric shall fall; "max": it shall rise
    factor          below 1
    patience        epochs without improvement that are tolerated
    threshold       improvement that counts
    threshold_mode  "rel": of the best metric so far; "abs": an absolute amount
    cooldown        epochs after a reduction in which nothing is counted
    min_lr          lower bound; or a list, one for each group
    eps             smaller changes of the learning rate are not made
    """

    SAVED = (
        "mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lrs", "eps", "best", "cooldown_counter",
        "num_bad_epochs",
    )  # fmt: skip

    COMMON = ("last_epoch",)

    best, cooldown_counter, num_bad_epochs = Live(float), Live(int), Live(int)
    _best: Tensor
    _cooldown_counter: Tensor
    _num_bad_epochs: Tensor

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        self.mode, self.factor, self.patience, self.threshold = mode, factor, patience, threshold
        self.threshold_mode, self.cooldown, self.eps = threshold_mode, cooldown, eps
        check_optimizer("ReduceLROnPlateau", optimizer)
        self.min_lrs = each_group("ReduceLROnPlateau", "min_lr", min_lr, optimizer)
        self._check()
        self._attach(optimizer, [], 0)
        self.best = INF if mode == "min" else -INF
        self.cooldown_counter = self.num_bad_epochs = 0

    def _check(self) -> None:
        name = "ReduceLROnPlateau"
        if self.mode not in ("min", "max"):
            raise ValueError(f"{name}: mode must be 'min' or 'max', got {self.mode!r}")
        if self.threshold_mode not in ("rel", "abs"):
            raise ValueError(f"{name}: threshold_mode must be 'rel' or 'abs', got {self.threshold_mode!r}")
        within(name, 0.0, 1.0, factor=self.factor)
        if self.factor == 1:
            raise ValueError(f"{name}: factor must be below 1, got {self.factor}")
        within(name, 0.0, INF, patience=self.patience, threshold=self.threshold, cooldown=self.cooldown, eps=self.eps)
        for low in self.min_lrs:
            within(name, 0.0, INF, min_lr=low)

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted now."""
        return bool(self.cooldown_counter > 0)

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Count one more epoch, whose metric this was: a number, or a Tensor of one element, which a Tape follows.

        Raises GraphError for a number while a Tape listens.
        """
        if isinstance(metrics, Tensor):
            metrics.item()  # one element, or an error
            metrics = to(metrics.detach().reshape(()), float64)
        elif local.mode.tape is not None:
            raise GraphError("ReduceLROnPlateau: a Tape listens, to which a number is fixed; give step() the Tensor itself")
        else:
            metrics = float(metrics)
        self._check_groups(len(self.min_lrs))
        with no_grad(), scope("reducelronplateau"):
            self._observe(metrics)

    def _observe(self, metric: Any) -> None:
        best, bad, cooling = self._best, self._num_bad_epochs, self._cooldown_counter
        sign = 1.0 if self.mode == "max" else -1.0
        bar = best * (1.0 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        better = gt(metric, bar) if self.mode == "max" else lt(metric, bar)
        waiting = gt(cooling, 0.0)
        count = where(waiting, 0.0, where(better, 0.0, bad + 1.0))
        due = gt(count, float(self.patience))
        for group, low in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            lr = group["lr"]
            lower = maximum(lr * self.factor, float(low))
            self._write(lr, where(logical_and(due, gt(lr - lower, float(self.eps))), lower, lr), True)
        self._write(self._last_epoch, self._last_epoch + 1.0, True)
        self._write(best, where(better, metric, best), True)
        self._write(cooling, where(due, float(self.cooldown), where(waiting, cooling - 1.0, cooling)), True)
        self._write(bad, where(due, 0.0, count), True)
