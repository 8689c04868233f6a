"""What all optimizers share: parameter groups, state, checkpoints. The updates are tapes of primitives under ``no_grad``.

A learning rate is a 0-d float64 Tensor: ``group["lr"] = 0.01`` and ``group["lr"] *= 0.1`` write into it, so that a recorded
step that is replayed reads the new value. Step counters and bias corrections are float64 too: ``1 - 0.999`` in float32 is
wrong in the fifth digit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..inplace import write
from ..modes import enable_grad, local, no_grad, scope
from ..tensor import Tensor, from_array, leaf_of

__all__ = ["Optimizer", "ParamGroup", "check_range", "scalar"]


def scalar(value: float) -> Tensor:
    """A 0-d float64 Tensor: a counter or hyper-parameter that recorded steps read."""
    return from_array(np.array(float(value)))


def check_range(name: str, low: float = 0.0, below: float = float("inf"), **values: float) -> None:
    """Raise ValueError for a hyper-parameter outside [low, below)."""
    for key, value in values.items():
        number = float(value)
        if not low <= number < below:
            raise ValueError(f"{name}: {key} must lie in [{low}, {below}), got {number}")


class ParamGroup(dict[str, Any]):
    """The options of some parameters. Writing a number to "lr" writes into the Tensor that recorded steps read."""

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "lr":
            known = self.get("lr")
            if value is known:
                return
            number = value.item() if isinstance(value, Tensor) else float(value)
            check_range("optimizer", lr=number)
            if known is None:
                value = scalar(number)
            else:
                with no_grad():
                    write(known, value, 'group["lr"] =')
                return
        super().__setitem__(key, value)


class Optimizer:
    """Base of the optimizers.

    params    Tensors that require grad, or dicts of them with options of their own: ``[{"params": [...], "lr": 0.1}, ...]``
    defaults  the options of a group that has none of its own
    Raises ValueError for no parameters or one that is in two groups, ShapeError for one that is not a leaf.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(f"{type(self).__name__}: params must be a list of Tensors, got one Tensor; write [tensor]")
        self.defaults = defaults
        self.param_groups: list[ParamGroup] = []
        self.state: dict[Tensor, dict[str, Tensor]] = {}
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: got no parameters")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Also optimize these parameters, with options of their own."""
        given = param_group["params"]
        tensors = [given] if isinstance(given, Tensor) else list(given)
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"{type(self).__name__}: can only optimize Tensors, got {type(tensor).__name__}")
            if not tensor.is_leaf:
                raise ShapeError(f"{type(self).__name__}: {tensor._type()} is the result of an operation, not a leaf")
            if id(tensor) in taken:
                raise ValueError(f"{type(self).__name__}: {tensor._type()} appears twice among the parameters")
            taken.add(id(tensor))
        group = ParamGroup()
        for key, value in {**self.defaults, **param_group, "params": tensors}.items():
            group[key] = value
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients (or set them to 0)."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient. closure: computes the loss again first; its result is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad(), scope(type(self).__name__.lower()):
            number = 0
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        with scope("param", number):
                            state = self.state.setdefault(p, {})
                            self._name_leaves(
                                {f"param {number}.{key}": value for key, value in state.items()} | {"lr": group["lr"]}
                            )
                            self._update(p, p.grad, group, state)
                    number += 1
        return loss

    def _name_leaves(self, tensors: dict[str, Tensor]) -> None:
        """Tell a listening tape what the state is called: ``adam.param 0.exp_avg``."""
        tape = local.mode.tape
        if tape is not None:
            for name, tensor in tensors.items():
                tape.names.setdefault(tensor._current_node() or leaf_of(tensor), f"{type(self).__name__.lower()}.{name}")

    def _update(self, p: Tensor, g: Tensor, group: ParamGroup, state: dict[str, Tensor]) -> None:
        """Move one parameter ``p`` by its gradient ``g``; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} has no _update method")

    # ---- checkpoints ----

    def state_dict(self) -> dict[str, Any]:
        """``{"state": {number: {name: Tensor}}, "param_groups": [...]}``, parameters by their number, as in PyTorch."""
        numbers = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [
            {k: v.item() if isinstance(v, Tensor) else v for k, v in group.items() if k != "params"}
            | {"params": [numbers[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": {numbers[id(p)]: dict(s) for p, s in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from ``state_dict()`` of an optimizer over the same parameters. Checked before anything changes."""
        saved = state_dict["param_groups"]
        if [len(g["params"]) for g in saved] != [len(g["params"]) for g in self.param_groups]:
            raise ShapeError(f"load_state_dict: the groups of {type(self).__name__} have other numbers of parameters")
        parameters = [p for group in self.param_groups for p in group["params"]]
        for number, entries in state_dict["state"].items():
            for name, value in entries.items():
                if value.ndim and value.shape != parameters[int(number)].shape:
                    raise ShapeError(f"load_state_dict: {name} {value._type()} does not fit {parameters[int(number)]._type()}")
        for group, options in zip(self.param_groups, saved, strict=True):
            for key, value in options.items():
                if key != "params":
                    group[key] = tuple(value) if isinstance(value, list) else value
        self.state = {
            parameters[int(number)]: {name: value.detach().clone() for name, value in entries.items()}
            for number, entries in state_dict["state"].items()
        }

    def __repr__(self) -> str:
        lines = [
            f"  group {i}: "
            + ", ".join(f"{k}={v.item() if isinstance(v, Tensor) else v}" for k, v in g.items() if k != "params")
            for i, g in enumerate(self.param_groups)
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])
