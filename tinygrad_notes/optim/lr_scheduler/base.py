"""What all schedules share.

As in PyTorch, a schedule changes the learning rate that it finds, by what one more epoch does to it: several schedules of one
optimizer multiply. The count of epochs is a Tensor, and the rule is written in primitives, so that a recorded step that is
replayed goes on with its schedule; ``step()`` between replays does the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...functions.logic import logical_and
from ...functions.pointwise import where
from ...inplace import write
from ...modes import no_grad, scope
from ...tensor import Tensor
from ..optimizer import Optimizer
from ..options import number_of, plain, scalar

__all__ = ["Flag", "LRScheduler", "Live", "both", "check_optimizer", "choose", "each_group", "positive", "within"]

Flag = bool | Tensor
"""Something that holds or not: known, or, while a Tape listens, a value on the tape."""


def choose(flag: Flag, yes: Any, no: Any) -> Any:
    """``yes`` where ``flag`` holds, else ``no``."""
    if isinstance(flag, bool):
        return yes if flag else no
    return where(flag, yes, no)


def both(a: Flag, b: Flag) -> Flag:
    """Whether both hold."""
    if isinstance(a, bool):
        return b if a else False
    if isinstance(b, bool):
        return a if b else False
    return logical_and(a, b)


class Live:
    """An attribute that is a number to its readers, kept in a 0-d Tensor, ``_name``, which recorded steps read and write."""

    def __init__(self, kind: type[int] | type[float]) -> None:
        self.kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self.slot = "_" + name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.kind(vars(instance)[self.slot].item())

    def __set__(self, instance: Any, value: float) -> None:
        known = vars(instance).get(self.slot)
        if known is None:
            vars(instance)[self.slot] = scalar(value)
        else:
            with no_grad():
                write(known, float(value), self.slot[1:])


# ---- checks ----


def positive(owner: str, **values: Any) -> None:
    """Raise ValueError for what is no positive integer."""
    for key, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise ValueError(f"{owner}: {key} must be a positive integer, got {value!r}")


def within(owner: str, low: float, high: float, **values: Any) -> None:
    """Raise ValueError for a number outside [low, high], TypeError for what is no number."""
    for key, value in values.items():
        found = number_of(owner, key, value)
        if not low <= found <= high or found == float("inf"):
            bounds = f"be {low} or more, and finite" if high == float("inf") else f"lie in [{low}, {high}]"
            raise ValueError(f"{owner}: {key} must {bounds}, got {found}")


def check_optimizer(owner: str, optimizer: Any) -> None:
    """Raise TypeError for what is no Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{owner}: needs an Optimizer, got {type(optimizer).__name__}")


def each_group(owner: str, key: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One value per group: those given in a list or tuple, or the same for all. Raises ValueError for another number of them."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{owner}: {key} has {len(value)} values for the {count} groups of parameters; give one each, or one for all"
        )
    return list(value)


class LRScheduler:
    """Base of the schedules. A subclass says what the learning rate is at its ``_start`` and what ``_next`` makes of it.

    optimizer   whose groups are scheduled
    last_epoch  how many epochs are over, less one, where training is resumed; the groups then have their ``initial_lr``
    Raises TypeError for what is no Optimizer, KeyError where ``initial_lr`` is missing.
    """

    SAVED: ClassVar[tuple[str, ...]] = ()
    """The attributes that ``state_dict`` has, beside ``COMMON``."""
    COMMON: ClassVar[tuple[str, ...]] = ("base_lrs", "last_epoch")

    last_epoch = Live(int)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        check_optimizer(name, optimizer)
        self._check()
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", plain(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{name}: last_epoch={last_epoch} resumes, but group {i} has no 'initial_lr'; load the optimizer's state first"
                )
        self._attach(optimizer, [float(group["initial_lr"]) for group in optimizer.param_groups], last_epoch)
        with no_grad(), scope(name.lower()):
            self._begin()

    def _attach(self, optimizer: Optimizer, base_lrs: list[float], last_epoch: int) -> None:
        self.optimizer, self.base_lrs, self.last_epoch, self._warned = optimizer, base_lrs, last_epoch, False

    def _check(self) -> None:
        """Raise ValueError or TypeError for options that make no sense."""

    # ---- the rule ----

    def _start(self, lr: Any, i: int) -> Any:
        """What epoch 0 makes of the learning rate ``lr`` of group ``i``."""
        return lr

    def _next(self, lr: Tensor, i: int) -> Tensor:
        """What the epoch that has just begun, ``self._last_epoch``, makes of the learning rate ``lr`` of group ``i``."""
        raise NotImplementedError(f"{type(self).__name__} has no _next method")

    def _resume(self, lr: Tensor, i: int) -> Any:
        """What the schedule makes of ``lr`` when it is made in the middle of a training."""
        return self._next(lr, i)

    # ---- steps ----

    def step(self) -> None:
        """Begin one more epoch. Call it after the optimizer's step."""
        if not (self._warned or self.optimizer._stepped):
            warnings.warn(
                f"{type(self).__name__}.step() was called before optimizer.step(): the first learning rate is skipped. "
                "Call optimizer.step() first",
                UserWarning,
                stacklevel=2,
            )
        self._warned = True
        with no_grad(), scope(type(self).__name__.lower()):
            self._advance()

    def _begin(self) -> None:
        """The step that the constructor makes."""
        first = self.last_epoch == -1
        self._count(True, first)
        for i, group in enumerate(self.optimizer.param_groups):
            lr = group["lr"]
            self._write(lr, self._start(lr, i) if first else self._resume(lr, i), True)

    def _advance(self, active: Flag = True, entering: Flag = False) -> None:
        """One more epoch, if ``active``; the first one of all, if ``entering``."""
        if active is False:
            return
        self._check_groups(len(self.base_lrs))
        self._count(active, entering)
        for i, group in enumerate(self.optimizer.param_groups):
            lr = group["lr"]
            value = lr if entering is True else self._next(lr, i)
            if entering is not False:
                value = choose(entering, self._start(self.base_lrs[i], i), value)
            self._write(lr, value, active)

    def _check_groups(self, known: int) -> None:
        now = len(self.optimizer.param_groups)
        if now != known:
            raise ValueError(
                f"{type(self).__name__}: was made for {known} groups of parameters, the optimizer has {now} now; make the schedule "
                "after add_param_group"
            )

    def _count(self, active: Flag, entering: Flag) -> None:
        self._write(self._last_epoch, choose(entering, 0.0, self._last_epoch + 1.0), active)

    def _write(self, target: Tensor, value: Any, active: Flag) -> None:
        if value is not target:
            write(target, choose(active, value, target), type(self).__name__)

    def _undo(self) -> None:
        """As if not begun yet: for a schedule inside another."""
        self.last_epoch = -1

    _last_epoch: Tensor

    # ---- what is known of it ----

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group."""
        return [float(plain(group["lr"])) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What ``load_state_dict`` needs to go on; the learning rates themselves are in the optimizer's own."""
        names = (*self.SAVED, *self.COMMON)
        return {name: _copied(getattr(self, name)) for name in names} | {"_last_lr": self.get_last_lr()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from ``state_dict()``. Raises ValueError for the state of another schedule, and then changes nothing."""
        name = type(self).__name__
        names = (*self.SAVED, *self.COMMON)
        if missing := [key for key in names if key not in state_dict]:
            raise ValueError(f"load_state_dict: the saved schedule is no {name}: it has no {', '.join(missing)}")
        groups = len(state_dict.get("base_lrs", self.base_lrs))
        if groups != len(self.base_lrs):
            raise ValueError(f"load_state_dict: the saved {name} has {groups} groups of parameters, this {len(self.base_lrs)}")
        before = {key: getattr(self, key) for key in names}
        try:
            for key in names:
                setattr(self, key, _copied(state_dict[key]))
            self._check()
        except (TypeError, ValueError):
            for key in names:
                setattr(self, key, before[key])
            raise

    def __repr__(self) -> str:
        options = ", ".join(f"{key}={getattr(self, key)}" for key in (*self.SAVED, "last_epoch") if not key.startswith("_"))
        return f"{type(self).__name__}({options})"


def _copied(value: Any) -> Any:
    """Lists and dicts anew, so that a saved state does not change with the schedule."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
