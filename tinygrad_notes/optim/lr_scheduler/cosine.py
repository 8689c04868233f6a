"""Schedules along a cosine: annealing, warm restarts, one cycle."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...functions.pointwise import eq, ge, le, where
from ...functions.rounding import floor
from ...functions.trigonometry import cos
from ...modes import local
from ...tensor import Tensor
from ..optimizer import Optimizer
from .base import Flag, Live, LRScheduler, check_optimizer, choose, each_group, positive, within

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "OneCycleLR"]

INF = float("inf")


class CosineAnnealingLR(LRScheduler):
    """``lr = eta_min + (initial_lr - eta_min) (1 + cos(π epoch / T_max)) / 2``, written as a change of the last one
    (Loshchilov & Hutter 2017). After ``T_max`` epochs it goes up again.

    optimizer   whose groups are scheduled
    T_max       epochs to the lowest learning rate
    eta_min     the lowest learning rate
    last_epoch  see ``LRScheduler``
    """

    SAVED = ("T_max", "eta_min")

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _check(self) -> None:
        positive("CosineAnnealingLR", T_max=self.T_max)
        within("CosineAnnealingLR", 0.0, INF, eta_min=self.eta_min)

    def _next(self, lr: Tensor, i: int) -> Tensor:
        epoch, low, half = self._last_epoch, self.eta_min, float(self.T_max)
        turn = (epoch - 1.0 - half) / (2 * half)
        up = lr + (self.base_lrs[i] - low) * (1 - math.cos(math.pi / half)) / 2
        here, before = (1.0 + cos(e * math.pi / half) for e in (epoch, epoch - 1.0))
        return where(eq(turn, floor(turn)), up, here / before * (lr - low) + low)

    def _resume(self, lr: Tensor, i: int) -> Any:
        return lr


class CosineAnnealingWarmRestarts(LRScheduler):
    """``lr = eta_min + (initial_lr - eta_min) (1 + cos(π T_cur / T_i)) / 2``, starting again after ``T_i`` epochs, which then
    are multiplied by ``T_mult`` (Loshchilov & Hutter 2017).

    optimizer   whose groups are scheduled
    T_0         epochs to the first restart
    T_mult      factor of T_i at a restart, an integer
    eta_min     the lowest learning rate
    last_epoch  see ``LRScheduler``
    """

    SAVED = ("T_0", "T_i", "T_mult", "eta_min", "T_cur")

    T_cur, T_i = Live(int), Live(int)
    _T_cur: Tensor
    _T_i: Tensor

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        positive("CosineAnnealingWarmRestarts", T_0=T_0)
        self.T_cur, self.T_i = last_epoch, T_0
        super().__init__(optimizer, last_epoch)

    def _check(self) -> None:
        positive("CosineAnnealingWarmRestarts", T_0=self.T_0, T_mult=self.T_mult)
        within("CosineAnnealingWarmRestarts", 0.0, INF, eta_min=self.eta_min)

    def _count(self, active: Flag, entering: Flag) -> None:
        super()._count(active, entering)
        now, length = self._T_cur + 1.0, self._T_i
        over = ge(now, length)
        shorter, longer = where(over, now - length, now), where(over, length * float(self.T_mult), length)
        self._write(self._T_cur, choose(entering, 0.0, shorter), active)
        self._write(self._T_i, choose(entering, float(self.T_0), longer), active)

    def _start(self, lr: Any, i: int) -> Any:
        return self._next(lr, i)

    def _next(self, lr: Any, i: int) -> Tensor:
        share = (1.0 + cos(self._T_cur * math.pi / self._T_i)) / 2.0
        return self.eta_min + (self.base_lrs[i] - self.eta_min) * share


class OneCycleLR(LRScheduler):
    """Up to ``max_lr`` and down to almost nothing in one cycle; momentum goes the other way (Smith & Topin 2018).

    Call ``step()`` after every batch. The learning rate starts from ``max_lr / div_factor`` and ends at that divided by
    ``final_div_factor``.

    optimizer                     whose groups are scheduled
    max_lr                        the highest learning rate; or a list, one for each group
    total_steps                   steps in all; or instead:
    epochs, steps_per_epoch       whose product it is
    pct_start                     share of the steps that go up
    anneal_strategy               "cos" or "linear"
    cycle_momentum                whether momentum (or Adam's β1) takes part
    base_momentum, max_momentum   its lowest and highest value; or lists
    three_phase                   back to the first learning rate in as many steps as up, and only then down
    last_epoch                    see ``LRScheduler``
    Raises ValueError for options that make no sense, and for more steps than ``total_steps``.
    """

    SAVED = ("total_steps", "_schedule_phases", "_anneal_func_type", "cycle_momentum", "use_beta1")

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("OneCycleLR", optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        within("OneCycleLR", 0.0, 1.0, pct_start=pct_start)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        within("OneCycleLR", 1e-300, INF, div_factor=div_factor, final_div_factor=final_div_factor)
        highest = each_group("OneCycleLR", "max_lr", max_lr, optimizer)
        momenta = [each_group("OneCycleLR", key, value, optimizer) for key, value in
                   (("base_momentum", base_momentum), ("max_momentum", max_momentum))]  # fmt: skip
        if cycle_momentum and not {"momentum", "betas"} & optimizer.defaults.keys():
            raise ValueError(
                f"OneCycleLR: {type(optimizer).__name__} has neither momentum nor betas to cycle; give cycle_momentum=False"
            )
        self.use_beta1 = "betas" in optimizer.defaults
        for value in highest:
            within("OneCycleLR", 0.0, INF, max_lr=value)
        for value in (*momenta[0], *momenta[1]):
            within("OneCycleLR", 0.0, 1.0, momentum=value)
        if last_epoch == -1:
            for group, top, low, high in zip(optimizer.param_groups, highest, *momenta, strict=True):
                first = top / div_factor
                group.update(initial_lr=first, max_lr=top, min_lr=first / final_div_factor)
                if cycle_momentum:
                    group.update(max_momentum=high, base_momentum=low)
        super().__init__(optimizer, last_epoch)

    def _start(self, lr: Any, i: int) -> Any:
        return self._next(lr, i)

    def _next(self, lr: Any, i: int) -> Tensor:
        return self._between(i, "start_lr", "end_lr")

    def _count(self, active: Flag, entering: Flag) -> None:
        if local.mode.tape is None and not entering and self.last_epoch >= self.total_steps:
            raise ValueError(f"OneCycleLR: step {self.last_epoch + 1} of a cycle of total_steps={self.total_steps}")
        super()._count(active, entering)
        if self.cycle_momentum:
            for i, group in enumerate(self.optimizer.param_groups):
                target = group["betas"][0] if self.use_beta1 else group["momentum"]
                self._write(target, self._between(i, "start_momentum", "end_momentum"), active)

    def _between(self, i: int, start: str, end: str) -> Tensor:
        """Where the step that has just begun lies between the ends of its phase, from the last phase backwards."""
        group, step = self.optimizer.param_groups[i], self._last_epoch
        step = where(le(step, float(self.total_steps)), step, float(self.total_steps))  # replays may be too many
        anneal: Callable[[float, float, Tensor], Tensor] = _cosine if self._anneal_func_type == "cos" else _line
        begins = [0.0, *(phase["end_step"] for phase in self._schedule_phases)]
        value: Tensor | None = None
        for begin, phase in reversed(list(zip(begins, self._schedule_phases, strict=False))):
            stop = phase["end_step"]
            share = (step - begin) / (stop - begin) if stop != begin else step * 0.0 + 1.0
            here = anneal(group[phase[start]], group[phase[end]], share)
            value = here if value is None else where(le(step, stop), here, value)
        assert value is not None
        return value


def _total(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        positive("OneCycleLR", total_steps=total_steps)
        return int(total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("OneCycleLR: give total_steps, or both epochs and steps_per_epoch")
    positive("OneCycleLR", epochs=epochs, steps_per_epoch=steps_per_epoch)
    return int(epochs * steps_per_epoch)


def _phases(total: int, share: float, three: bool) -> list[dict[str, Any]]:
    """Each phase: the step that it ends with, and the options of a group that it leads from and to."""
    rise = float(share * total) - 1
    if rise == 0:
        raise ValueError(
            f"OneCycleLR: pct_start={share} of {total} steps is one step, which is no way up; make it larger, or 0"
        )
    ways = [(rise, "initial", "max", "max", "base"), (total - 1, "max", "min", "base", "max")]
    if three:
        back = (float(2 * share * total) - 2, "max", "initial", "base", "max")
        ways = [ways[0], back, (total - 1, "initial", "min", "max", "max")]
    return [
        {
            "end_step": end,
            "start_lr": f"{lr}_lr",
            "end_lr": f"{next_lr}_lr",
            "start_momentum": f"{momentum}_momentum",
            "end_momentum": f"{next_momentum}_momentum",
        }
        for end, lr, next_lr, momentum, next_momentum in ways
    ]


def _cosine(start: float, end: float, share: Tensor) -> Tensor:
    return end + (start - end) / 2.0 * (cos(share * math.pi) + 1.0)


def _line(start: float, end: float, share: Tensor) -> Tensor:
    return (end - start) * share + start
