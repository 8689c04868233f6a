"""One step of one group of parameters, in either of two ways: on Tensors, so that it is recorded, or on the arrays inside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import inplace
from ..dtypes import float64
from ..kernels import gates, sweep
from ..modes import scope
from ..optable import p as primitives
from ..storage import note_writes, root_of
from ..tape import user_line
from ..tensor import Tensor
from .options import ParamGroup
from .program import body_of

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["GroupStep", "like"]

BLOCK = 1 << 15
"""Larger arrays are updated in blocks of so many numbers: what is computed in between stays in the processor's cache."""

Todo = list[tuple[int, Tensor, Tensor]]
"""The number of a parameter, itself and its gradient."""
Rows = list[tuple[Any, Any, dict[str, Any]]]
"""The arrays of a parameter, of its gradient and of its state."""


def like(x: Any, value: Any) -> Any:
    """A float64 number in the dtype of ``x``."""
    if value.dtype is x.dtype:
        return value
    return primitives.cast(value, dtype=x.dtype) if isinstance(value, Tensor) else x.dtype.type(value)


class GroupStep:
    """What all parameters of a group have in common during one step.

    options  the group's, with Tensors as hyper-parameters or with the numbers inside these
    """

    def __init__(self, optimizer: Optimizer, group: ParamGroup, options: Mapping[str, Any]) -> None:
        self.optimizer, self.group, self.options = optimizer, group, options
        self.climbs, self.decoupled = bool(group.get("maximize")), bool(group.get("decoupled_weight_decay"))
        self.keys = optimizer._keys(group)
        self.folds: dict[Any, tuple[Any, tuple[Any, ...]]] = {}

    @classmethod
    def on_tensors(cls, optimizer: Optimizer, group: ParamGroup, todo: Todo) -> None:
        """Update Tensors: every operation is recorded."""
        step = cls(optimizer, group, group)
        for number, p, g in todo:
            step.fold(p.dtype)  # of the whole group: outside the scope of the one parameter
            with scope("param", number):
                state = optimizer._named(number, step.state_of(p, p, g))
                optimizer._count(group, state)
                timed = tuple(like(p, value) for value in optimizer._timed(group, state))
                step.move(p, g, timed, state)

    @classmethod
    def on_arrays(cls, optimizer: Optimizer, group: ParamGroup, todo: Todo) -> None:
        """Update the arrays inside: nothing is recorded but that they were written."""
        options = {key: _number(value) for key, value in group.items() if key != "params"}
        step = cls(optimizer, group, options)
        of_age: dict[tuple[Any, ...], tuple[tuple[Any, ...], Rows]] = {}  # nearly always one entry: all are equally old
        by, line, counters = f"{type(optimizer).__name__}.step", user_line(), optimizer.COUNTERS
        for _, p, _ in todo:
            inplace.check_writable(p, None, False, by)
        for _, p, grad in todo:
            x, g = p._array, grad._array
            state = {key: value._array for key, value in step.state_of(p, x, g).items()}
            note_writes((x, *state.values()), by, line)
            optimizer._count(options, state)
            age = x.dtype, *(float(state[key]) for key in counters if key in state)
            if age not in of_age:
                of_age[age] = tuple(like(x, value) for value in optimizer._timed(options, state)), []
            of_age[age][1].append((x, g, state))
        for timed, rows in of_age.values():
            for x, g, state in step.sweep(rows, timed):
                step.move_in_blocks(x, g, timed, state)

    def sweep(self, rows: Rows, timed: tuple[Any, ...]) -> Rows:
        """Update parameters of one dtype and age in one sweep, where that is possible and worth it; those that are left."""
        size = sum(x.size for x, *_ in rows)
        body = body_of(self, len(timed)) if size >= gates.SWEEP else None
        if body is None or len({id(root_of(x)) for x, *_ in rows}) < len(rows):  # two in one memory: one after the other
            return rows
        dtype = rows[0][0].dtype
        text = f"{'f64' if dtype == float64 else 'f32'} {body}"
        run = sweep.sweep(text)
        if run is None:
            return rows
        names, swept, left = sweep.parsed(text).arrays, [], []
        for x, g, state in rows:
            given = {"x": x, "g": g if g.strides == x.strides else _alike(g, x), **state}
            arrays = [given[name] for name in names]
            if x.flags.forc and all(a.strides == x.strides and a.shape == x.shape and a.dtype is dtype for a in arrays):
                swept.append(arrays)
            else:
                left.append((x, g, state))
        decay, fold = self.fold(dtype)
        run((*(() if decay is None else (decay,)), *fold, *timed), swept)
        return left

    def fold(self, dtype: Any) -> tuple[Any, tuple[Any, ...]]:
        """The hyper-parameters as the update needs them, in a dtype of parameters: weight decay, and the optimizer's own."""
        found = self.folds.get(dtype)
        if found is None:
            decay, one = None, np.empty((), dtype)
            if self.group.on("weight_decay"):
                decay = self.options["weight_decay"]
                decay = like(one, 1 - self.options["lr"] * decay if self.decoupled else decay)
            found = self.folds[dtype] = decay, tuple(like(one, value) for value in self.optimizer._fold(self.options))
        return found

    def followed(self, x: Any, g: Any) -> Any:
        """The gradient that is followed: its sign, and the penalty unless it is decoupled."""
        decay, _ = self.fold(x.dtype)
        if self.climbs:
            g = -g
        return g if decay is None or self.decoupled else g + decay * x

    def move(self, x: Any, g: Any, timed: tuple[Any, ...], state: dict[str, Any]) -> None:
        """Update one parameter, or a block of it."""
        decay, fold = self.fold(x.dtype)
        if decay is not None and self.decoupled:
            x *= decay
        self.optimizer._update(x, self.followed(x, g), self.options, fold + timed, state)

    def move_in_blocks(self, x: Any, g: Any, timed: tuple[Any, ...], state: dict[str, Any]) -> None:
        """Update one parameter's arrays, block after block."""
        if x.size <= BLOCK:
            self.move(x, g, timed, state)
        else:
            for x_part, g_part, part in _blocks(x, g, state, self.optimizer.COUNTERS):
                self.move(x_part, g_part, timed, part)

    def state_of(self, p: Tensor, x: Any, g: Any) -> dict[str, Tensor]:
        """The state of a parameter; what its options need and it has not is made."""
        state = self.optimizer.state.get(p, {})
        missing = [key for key in self.keys if key not in state]
        if missing:
            followed = self.followed(x, g)
            array = followed._array if isinstance(followed, Tensor) else followed
            state = state | {key: self.optimizer._fresh(key, p, array, self.group) for key in missing}
            self.optimizer.state[p] = state
        return state


def _number(value: Any) -> Any:
    """The numpy number inside a hyper-parameter, or inside each of several."""
    if isinstance(value, tuple):
        return tuple(_number(part) for part in value)
    return value._array[()] if isinstance(value, Tensor) else value


def _alike(g: Any, x: Any) -> Any:
    """A copy of ``g`` that stands in memory as x does."""
    copied = np.empty_like(x)
    copied[...] = g
    return copied


def _blocks(x: Any, g: Any, state: dict[str, Any], counters: tuple[str, ...]) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    """Parts of a parameter, its gradient and its state; all of them at once where memory has gaps."""
    shaped = {key: value for key, value in state.items() if key not in counters}
    if not all(array.flags.c_contiguous for array in (x, g, *shaped.values())):
        yield x, g, state
        return
    x, g, shaped = x.reshape(-1), g.reshape(-1), {key: value.reshape(-1) for key, value in shaped.items()}
    for start in range(0, len(x), BLOCK):
        here = slice(start, start + BLOCK)
        yield x[here], g[here], state | {key: value[here] for key, value in shaped.items()}
