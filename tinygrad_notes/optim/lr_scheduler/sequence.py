"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ...functions.pointwise import eq, ge, lt
from ...modes import local
from ..optimizer import Optimizer
from ..options import plain
from .base import Flag, LRScheduler, both, check_optimizer, choose
from .plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Several(LRScheduler):
    """A schedule made of others, all of one optimizer."""

    COMMON = ("last_epoch",)
    _schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
        name = type(self).__name__
        if not isinstance(schedulers, Sequence) or not schedulers:
            raise ValueError(f"{name}: needs a list of at least one schedule")
        for i, one in enumerate(schedulers):
            if not isinstance(one, LRScheduler):
                raise TypeError(f"{name}: entry {i} is no schedule but a {type(one).__name__}")
            if isinstance(one, ReduceLROnPlateau):
                raise ValueError(f"{name}: entry {i} is a ReduceLROnPlateau, whose step() needs a metric; step it on its own")
        found = schedulers[0].optimizer if optimizer is None else optimizer
        check_optimizer(name, found)
        for i, one in enumerate(schedulers):
            if one.optimizer is not found:
                raise ValueError(f"{name}: entry {i}, a {type(one).__name__}, belongs to another optimizer")
        self._schedulers = list(schedulers)
        return found

    def _undo(self) -> None:
        for one in self._schedulers:
            one._undo()

    def state_dict(self) -> dict[str, Any]:
        """As of every schedule, with the states of those inside."""
        return super().state_dict() | {"_schedulers": [one.state_dict() for one in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from ``state_dict()``. Raises ValueError for that of other schedules."""
        inside = state_dict.get("_schedulers", ())
        if len(inside) != len(self._schedulers):
            own = f"{type(self).__name__} is made of {len(self._schedulers)} schedules"
            raise ValueError(f"load_state_dict: this {own}, the saved one of {len(inside)}")
        super().load_state_dict(state_dict)
        for one, state in zip(self._schedulers, inside, strict=True):
            one.load_state_dict(state)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._schedulers))})"


class SequentialLR(_Several):
    """One schedule after the other: each begins anew, from the ``initial_lr``, at its milestone.

    optimizer   whose groups are scheduled
    schedulers  schedules of this optimizer
    milestones  one fewer: the epochs at which the second, the third ... begins
    last_epoch  must be -1; ``load_state_dict`` resumes
    """

    SAVED = ("_milestones",)

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self._milestones = list(milestones)
        self._take(schedulers, optimizer)
        if last_epoch != -1:
            raise ValueError("SequentialLR: resume with load_state_dict, which knows where the schedules inside stand")
        super().__init__(optimizer)

    def _check(self) -> None:
        marks = self._milestones
        count = len(self._schedulers)
        if len(marks) != count - 1:
            raise ValueError(f"SequentialLR: {count} schedules need {count - 1} milestones between them, got {len(marks)}")
        for mark in marks:
            if not isinstance(mark, int) or mark <= 0:
                raise ValueError(f"SequentialLR: milestones must be epochs, positive integers, got {mark!r}")
        if any(a >= b for a, b in pairwise(marks)):
            raise ValueError(f"SequentialLR: milestones must increase, got {marks}")

    def _begin(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = plain(group["initial_lr"])
        self._undo()
        self.last_epoch = 0
        self._schedulers[0]._begin()

    def _undo(self) -> None:
        super()._undo()
        self.last_epoch = -1

    def _advance(self, active: Flag = True, entering: Flag = False) -> None:
        if active is False:
            return
        self._write(self._last_epoch, choose(entering, 0.0, self._last_epoch + 1.0), active)
        recorded = local.mode.tape is not None
        epoch: Any = self._last_epoch if recorded else self.last_epoch
        marks = self._milestones
        for i, one in enumerate(self._schedulers):
            turn = both(active, ge(epoch, marks[i - 1]) if recorded else epoch >= marks[i - 1]) if i else active
            if i < len(marks):
                turn = both(turn, lt(epoch, marks[i]) if recorded else epoch < marks[i])
            first = (eq(epoch, marks[i - 1]) if recorded else epoch == marks[i - 1]) if i else entering
            one._advance(turn, first)


class ChainedScheduler(_Several):
    """All of them at every step.

    schedulers  schedules of one optimizer
    optimizer   that one
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        super().__init__(self._take(schedulers, optimizer))

    def _begin(self) -> None:
        if self._schedulers[0].last_epoch == -1:  # inside another that begins
            for one in self._schedulers:
                one._begin()
        self.last_epoch = 0

    def _advance(self, active: Flag = True, entering: Flag = False) -> None:
        if active is False:
            return
        self._write(self._last_epoch, choose(entering, 0.0, self._last_epoch + 1.0), active)
        for one in self._schedulers:
            one._advance(active, entering)
