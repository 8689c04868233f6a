"""What all optimizers share: parameter groups, state, checkpoints. The updates are written in primitives, under ``no_grad``.

An update is one function for all ways of running it: on Tensors while something listens (a Tape, anomaly mode, ``vmap``), so
that each operation is recorded; else on the arrays inside them, which is several times cheaper, all parameters in one sweep over
memory where it is arithmetic (``program.py``). The primitives are the same, and so are the bits. State is made of Tensors that
exist before the step that first uses them: a recorded step that is replayed goes on where the last one stopped, also if it was
the first of all.

Step counters and bias corrections are float64: ``1 - 0.999`` in float32 is wrong in the fifth digit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from .. import inplace
from ..errors import ShapeError
from ..modes import enable_grad, local, no_grad, scope
from ..tensor import Tensor, from_array, leaf_of
from .options import ParamGroup, Ranges, check_options, plain, scalar
from .running import GroupStep

__all__ = ["Optimizer"]

INF = float("inf")


class Optimizer:
    """Base of the optimizers. A subclass has the ``RANGES`` of its options, its state (``_keys``, ``_fresh``) and ``_update``.

    params    Tensors that require grad, or dicts of them with options of their own: ``[{"params": [...], "lr": 0.1}, ...]``
    defaults  the options of a group that has none of its own; numbers become 0-d Tensors, see ``ParamGroup``
    Raises ValueError for no parameters, one that is in two groups or an option outside its range, ShapeError for a parameter
    that is not a leaf.
    """

    RANGES: ClassVar[Ranges] = {}
    COUNTERS: ClassVar[tuple[str, ...]] = ("step",)
    """State that is one number, whatever the parameter's shape."""

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(f"{type(self).__name__}: params must be a list of Tensors, got one Tensor; write [tensor]")
        check_options(type(self).__name__, self.RANGES, defaults)
        self.defaults = defaults
        self.param_groups: list[ParamGroup] = []
        self.state: dict[Tensor, dict[str, Tensor]] = {}
        self._stepped = False  # schedules ask
        self._bodies: dict[tuple[bool, ...], str | None] = {}  # what of an update is one sweep: program.py
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: got no parameters")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Also optimize these parameters, with options of their own."""
        name = type(self).__name__
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f'{name}: a parameter group is a dict {{"params": [...], ...}}, got {type(param_group).__name__}')
        given = param_group["params"]
        tensors = [given] if isinstance(given, Tensor) else list(given)
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"{name}: can only optimize Tensors, got {type(tensor).__name__}")
            if not tensor.is_leaf:
                raise ShapeError(f"{name}: {tensor._type()} is the result of an operation, not a leaf")
            if id(tensor) in taken:
                raise ValueError(f"{name}: {tensor._type()} appears twice among the parameters")
            taken.add(id(tensor))
        options = {**self.defaults, **param_group, "params": tensors}
        check_options(name, self.RANGES, options)
        self._check(options)
        group = ParamGroup(name, self.RANGES)
        group.update(options)
        for key in self.RANGES:
            group.make_live(key)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients (or set them to 0)."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.zero_()

    # ---- the step ----

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient. closure: computes the loss again first; its result is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._stepped = True
        mode = local.mode
        watched = mode.tape is not None or inplace.direct is not np.ufunc
        number = 0
        with no_grad(), scope(type(self).__name__.lower()):
            for index, group in enumerate(self.param_groups):
                todo = [(i, p, p.grad) for i, p in enumerate(group["params"], number) if p.grad is not None]
                number += len(group["params"])
                if watched or not all(p._plain and g._plain for _, p, g in todo):
                    self._name_leaves(group, "" if index == 0 else f"group {index}.")
                    GroupStep.on_tensors(self, group, todo)
                else:
                    mode.quietly(GroupStep.on_arrays, self, group, todo)
        return loss

    def _count(self, options: Mapping[str, Any], state: dict[str, Any]) -> None:
        """One more step of a parameter."""
        if "step" in state:
            state["step"] += 1.0

    def _check(self, options: Mapping[str, Any]) -> None:
        """Raise ValueError for options that do not go together."""

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        """What the state of a parameter is called, under the options that the group has now."""
        return ()

    def _fresh(self, key: str, p: Tensor, g: Any, group: ParamGroup) -> Tensor:
        """The state called ``key`` before the first step, whose gradient is the array ``g``. No constant of the tape: a replay
        shall not start from it again."""
        return scalar(0) if key == "step" else from_array(np.zeros(p.shape, p.dtype))

    def _fold(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        """What the update needs of the hyper-parameters, computed once per group in float64, then in the parameters' dtype."""
        return ()

    def _timed(self, options: Mapping[str, Any], state: dict[str, Any]) -> tuple[Any, ...]:
        """What the update needs of the ``COUNTERS`` of the state: appended to ``fold``, computed once for all parameters that are
        equally old."""
        return ()

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        """Move one parameter ``x`` by its gradient ``g``, both Tensors or both arrays; written in primitives, element by element.

        What it does may depend on which options are on; their numbers, and all others that change, come in ``fold``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no _update method")

    # ---- names on the tape ----

    def _named(self, number: int, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """The state, known to a listening tape as ``adam.param 0.exp_avg``."""
        self._name({f"param {number}.{key}": value for key, value in state.items()})
        return state

    def _name_leaves(self, group: ParamGroup, prefix: str) -> None:
        for key, value in group.items():
            if isinstance(value, Tensor):
                self._name({prefix + key: value})
            elif isinstance(value, tuple):
                self._name({f"{prefix}{key}[{i}]": part for i, part in enumerate(value) if isinstance(part, Tensor)})

    def _name(self, tensors: dict[str, Tensor]) -> None:
        tape = local.mode.tape
        if tape is not None:
            for name, tensor in tensors.items():
                tape.names.setdefault(tensor._current_node() or leaf_of(tensor), f"{type(self).__name__.lower()}.{name}")

    # ---- checkpoints ----

    def state_dict(self) -> dict[str, Any]:
        """``{"state": {number: {name: Tensor}}, "param_groups": [...]}``, parameters by their number, as in PyTorch."""
        numbers = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [
            {k: plain(v) for k, v in group.items() if k != "params"} | {"params": [numbers[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": {numbers[id(p)]: dict(s) for p, s in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from ``state_dict()`` of an optimizer over the same parameters, PyTorch's included. Checked before anything
        changes; options and state are written into the Tensors that are there, for recorded steps to go on with.

        Raises ValueError for the state of another optimizer or of other groups, ShapeError for that of other parameters.
        """
        name = type(self).__name__
        saved = [{k: tuple(v) if isinstance(v, list) else v for k, v in group.items()} for group in state_dict["param_groups"]]
        sizes, own = ([len(group["params"]) for group in groups] for groups in (saved, self.param_groups))
        if sizes != own:
            raise GroupsError(f"load_state_dict: {name} has groups of {own} parameters, the saved one of {sizes}")
        parameters: dict[int, tuple[Tensor, dict[str, Any]]] = {}
        for group, options in zip(self.param_groups, saved, strict=True):
            missing = [key for key in self.defaults if key not in options]
            if missing:
                raise ValueError(f"load_state_dict: the saved optimizer is no {name}: it has no {', '.join(missing)}")
            check_options(name, self.RANGES, options)
            self._check(options)
            parameters |= {number: (p, options) for number, p in zip(options["params"], group["params"], strict=True)}
        loaded = {
            (found := parameters[int(number)])[0]: self._checked(*found, entries)
            for number, entries in state_dict["state"].items()
        }
        for group, options in zip(self.param_groups, saved, strict=True):
            group.update({key: value for key, value in options.items() if key != "params"})
        for p, entries in loaded.items():
            present = self.state.get(p, {})
            for key, value in entries.items():
                if key in present:
                    with no_grad():
                        inplace.write(present[key], value, "load_state_dict")
            self.state[p] = {key: present.get(key, value) for key, value in entries.items()}
        for p in [p for p in self.state if p not in loaded]:
            del self.state[p]

    def _checked(self, p: Tensor, options: Mapping[str, Any], entries: Mapping[str, Any]) -> dict[str, Tensor]:
        """The saved state of one parameter, copied, in the dtypes that it has here."""
        group = ParamGroup("", {})
        group.update(options)
        expected = {key: self._fresh(key, p, np.zeros(p.shape, p.dtype), group) for key in self._keys(group)}
        given = {key: value for key, value in entries.items() if value is not None}
        if missing := expected.keys() - given.keys():
            raise ValueError(f"load_state_dict: the saved state of {type(self).__name__} has no {', '.join(sorted(missing))}")
        copied = {}
        for key, start in expected.items():
            array = np.asarray(given[key].detach())
            if array.shape != start.shape:
                raise ShapeError(f"load_state_dict: {key} of shape {array.shape} does not fit {p._type()}")
            copied[key] = from_array(array.astype(start.dtype))
        return copied

    def __repr__(self) -> str:
        lines = [
            f"  group {i}: " + ", ".join(f"{k}={plain(v)}" for k, v in g.items() if k != "params")
            for i, g in enumerate(self.param_groups)
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


class GroupsError(ShapeError, ValueError):
    """Groups of parameters that do not fit the saved ones: PyTorch raises a ValueError."""
