"""Schedules that multiply: by steps, exponentially, linearly, by a function of yours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

from ...errors import GraphError
from ...functions.pointwise import eq, gt, where
from ...functions.rounding import floor
from ...modes import local
from ...tensor import Tensor
from ..optimizer import Optimizer
from .base import LRScheduler, each_group, positive, within

__all__ = ["ConstantLR", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR", "StepLR"]

INF = float("inf")


class StepLR(LRScheduler):
    """``lr = lr gamma`` every ``step_size`` epochs.

    optimizer   whose groups are scheduled
    step_size   epochs between two decays
    gamma       factor
    last_epoch  see ``LRScheduler``
    """

    SAVED = ("step_size", "gamma")

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _check(self) -> None:
        positive("StepLR", step_size=self.step_size)
        within("StepLR", 0.0, INF, gamma=self.gamma)

    def _next(self, lr: Tensor, i: int) -> Tensor:
        epoch, size = self._last_epoch, float(self.step_size)
        return where(eq(epoch - floor(epoch / size) * size, 0.0), lr * self.gamma, lr)


class MultiStepLR(LRScheduler):
    """``lr = lr gamma`` at every milestone; twice where it is named twice.

    optimizer   whose groups are scheduled
    milestones  numbers of epochs
    gamma       factor
    last_epoch  see ``LRScheduler``
    """

    SAVED = ("milestones", "gamma")

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        if not isinstance(milestones, Iterable):
            raise TypeError(f"MultiStepLR: milestones must be a list of epochs, got {milestones!r}")
        self.milestones: Mapping[int, int] = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _check(self) -> None:
        for milestone in self.milestones:
            if not isinstance(milestone, int) or milestone < 0:
                raise ValueError(f"MultiStepLR: milestones must be epochs, integers of 0 or more, got {milestone!r}")
        within("MultiStepLR", 0.0, INF, gamma=self.gamma)

    def _start(self, lr: Any, i: int) -> Any:
        return lr * self.gamma ** self.milestones[0] if 0 in self.milestones else lr

    def _next(self, lr: Tensor, i: int) -> Tensor:
        value = lr
        for milestone, count in self.milestones.items():
            value = where(eq(self._last_epoch, float(milestone)), lr * self.gamma**count, value)
        return value


class ExponentialLR(LRScheduler):
    """``lr = lr gamma`` every epoch.

    optimizer   whose groups are scheduled
    gamma       factor
    last_epoch  see ``LRScheduler``
    """

    SAVED = ("gamma",)

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _check(self) -> None:
        within("ExponentialLR", 0.0, INF, gamma=self.gamma)

    def _next(self, lr: Tensor, i: int) -> Tensor:
        return lr * self.gamma

    def _resume(self, lr: Tensor, i: int) -> Any:
        return lr


class ConstantLR(LRScheduler):
    """``lr = lr factor`` during the first ``total_iters`` epochs.

    optimizer    whose groups are scheduled
    factor       in (0, 1]
    total_iters  epochs
    last_epoch   see ``LRScheduler``
    """

    SAVED = ("factor", "total_iters")

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _check(self) -> None:
        within("ConstantLR", 0.0, 1.0, factor=self.factor)
        if self.factor == 0:
            raise ValueError("ConstantLR: factor must not be 0, from which no factor leads back")
        positive("ConstantLR", total_iters=self.total_iters)

    def _start(self, lr: Any, i: int) -> Any:
        return lr * self.factor

    def _next(self, lr: Tensor, i: int) -> Tensor:
        return where(eq(self._last_epoch, float(self.total_iters)), lr * (1.0 / self.factor), lr)


class LinearLR(LRScheduler):
    """A factor that goes linearly from ``start_factor`` to ``end_factor`` in ``total_iters`` epochs: a warm-up, or a decay.

    optimizer     whose groups are scheduled
    start_factor  in (0, 1]
    end_factor    in [0, 1]
    total_iters   epochs
    last_epoch    see ``LRScheduler``
    """

    SAVED = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _check(self) -> None:
        within("LinearLR", 0.0, 1.0, start_factor=self.start_factor, end_factor=self.end_factor)
        if self.start_factor == 0:
            raise ValueError("LinearLR: start_factor must not be 0, from which no factor leads on")
        positive("LinearLR", total_iters=self.total_iters)

    def _start(self, lr: Any, i: int) -> Any:
        return lr * self.start_factor

    def _next(self, lr: Tensor, i: int) -> Tensor:
        epoch, rise = self._last_epoch, self.end_factor - self.start_factor
        factor = 1.0 + rise / (self.total_iters * self.start_factor + (epoch - 1.0) * rise)
        return where(gt(epoch, float(self.total_iters)), lr, lr * factor)

    def _resume(self, lr: Tensor, i: int) -> Any:
        return lr


class LambdaLR(LRScheduler):
    """``lr = initial_lr lr_lambda(epoch)``.

    optimizer   whose groups are scheduled
    lr_lambda   of the number of the epoch, an int; or a list of functions, one for each group
    last_epoch  see ``LRScheduler``
    A Tape cannot replay a Python function: ``step()`` raises GraphError while one listens; call it between replays.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self._given = lr_lambda
        super().__init__(optimizer, last_epoch)

    def _begin(self) -> None:
        self.lr_lambdas: list[Callable[[int], float]] = each_group("LambdaLR", "lr_lambda", self._given, self.optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"LambdaLR: lr_lambda must be a function, got {function!r}")
        super()._begin()

    def _start(self, lr: Any, i: int) -> Any:
        return self._next(lr, i)

    def _next(self, lr: Any, i: int) -> Any:
        if local.mode.tape is not None:
            raise GraphError(
                "LambdaLR: a Tape listens, and cannot replay a Python function; call schedule.step() outside of it, between replays"
            )
        epoch = self.last_epoch
        factor = float(self.lr_lambdas[i](epoch))
        if not 0 <= factor < INF:
            raise ValueError(
                f"LambdaLR: lr_lambda({epoch}) gave {factor}; a factor of the learning rate must be 0 or more, and finite"
            )
        return self.base_lrs[i] * factor

    def state_dict(self) -> dict[str, Any]:
        """As of every schedule; of the functions, the attributes of those that are objects: plain functions are not saved."""
        known = [None if isinstance(f, FunctionType) else dict(vars(f)) for f in self.lr_lambdas]
        return super().state_dict() | {"lr_lambdas": known}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from ``state_dict()``, with the functions that this schedule has."""
        super().load_state_dict(state_dict)
        for function, known in zip(self.lr_lambdas, state_dict.get("lr_lambdas", []), strict=False):
            if known is not None:
                vars(function).update(known)
