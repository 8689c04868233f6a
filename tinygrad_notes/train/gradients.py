"""Seeing gradients: whether they vanish or explode, layer by layer and step by step of time, and which units are dead.

Everything here is data, plain dicts and arrays; ``gradient_pictures`` draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Self

import numpy as np

from .. import nn
from ..errors import GraphError
from ..modes import Scope
from ..tape import Node, RemovableHook
from ..tensor import Tensor
from ..viz.norms import length, norms_of_backward
from ..viz.statistics import summary
from .fit import Callback, Fit

__all__ = ["GradientWatch", "Watch", "gradient_flow", "gradient_through_time"]

Array = np.ndarray[Any, Any]
_FLAT = 0.05
"""A slope below this share of the activation's steepest one counts as saturated."""
_SLOPES: dict[type[nn.Module], Callable[[Array], Array]] = {
    nn.Tanh: lambda y: 1 - y * y,
    nn.Sigmoid: lambda y: 4 * y * (1 - y),
    nn.ReLU: lambda y: y > 0,
    nn.ReLU6: lambda y: (y > 0) & (y < 6),
    nn.Hardtanh: lambda y: (y > y.min()) & (y < y.max()) if y.size else y,
}
"""The slope of an activation, by its value, as a share of the steepest."""


def gradient_flow(model: nn.Module) -> dict[str, dict[str, float]]:
    """Per parameter that has a gradient, after ``backward``: the gradient's ``norm``, ``mean`` and ``max`` (of absolute values),
    the share of ``zeros``, the parameter's own norm ``weight``, and ``ratio``, the gradient's norm over it (0 for weight 0).
    """
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            continue
        g, size = np.abs(parameter.grad.numpy()), length(parameter.detach().numpy().ravel())
        norm = length(g.ravel())
        shares = {"mean": float(g.mean()), "max": float(g.max()), "zeros": float((g == 0).mean())} if g.size else {}
        found[name] = {"norm": norm, **shares, "weight": size, "ratio": norm / size if size else 0.0}
    return found


def gradient_through_time(loss: Tensor) -> dict[str, Array]:
    """Per recurrence below ``loss``, the norm of the gradient at the state after each step, ``(T,)``.

    The steps of ``nn.RNN``, ``GRU`` and ``LSTM`` are found, and those of any loop that writes ``with tn.scope("step", t):``. The
    state is what a step hands on: of an LSTM h and c together. The norms are products of Jacobians (Bengio et al. 1994):
    0 where no gradient comes. To be asked before ``backward()``, or after ``backward(retain_graph=True)``.
    Raises GraphError where nothing below the loss has steps.
    """
    root = loss._current_node()
    if root is None or not loss.requires_grad:
        raise GraphError(f"gradient_through_time: {loss._type()} has no graph; it must be computed from what requires grad")
    states: dict[str, dict[int, set[Node]]] = {}
    for reader, node in _edges(root):
        step = _step(node.scope)
        if step is not None and _step(reader.scope) is not step:
            assert step.parent is not None
            assert step.index is not None
            states.setdefault(step.parent.path or "loop", {}).setdefault(step.index, set()).add(node)
    if not states:
        raise GraphError('gradient_through_time: nothing below the loss has steps; write them in `with tn.scope("step", t):`')
    norms = norms_of_backward([root], {node for steps in states.values() for nodes in steps.values() for node in nodes})
    found = {}
    for path, steps in sorted(states.items()):
        found[path] = np.zeros(max(steps) + 1)
        for t, nodes in steps.items():
            found[path][t] = length(np.array([norms[node].size for node in nodes if node in norms]))
    return found


def _edges(root: Node) -> list[tuple[Node, Node]]:
    """Every pair of a node below ``root`` and one that it reads, gradients flowing."""
    found, stack, seen = [], [root], {root}
    while stack:
        node = stack.pop()
        for source in node.inputs:
            if source.rg:
                found.append((node, source))
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
    return found


def _step(scope: Scope) -> Scope | None:
    """The innermost scope ``step t`` that a scope is in."""
    here: Scope | None = scope
    while here is not None and not (here.name == "step" and here.index is not None):
        here = here.parent
    return here


# ---- activations and their gradients ----


class Watch:
    """Looks at what modules give, and at the gradients that come back to it::

        with Watch(model) as watch:
            loss(model(x), y).backward()
        watch.report()["1"]["saturated"]

    model    whose modules are watched
    modules  their names; default: all that hold no modules
    active   False: it looks away until it is True again
    """

    def __init__(self, model: nn.Module, modules: Collection[str] | None = None) -> None:
        known = dict(model.named_modules())
        names = [name for name, module in known.items() if not any(module.children())] if modules is None else list(modules)
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"Watch: the model has no modules {', '.join(unknown)}; it has {', '.join(filter(None, known))}")
        self.active = True
        self._modules = {name: known[name] for name in names}
        self._hooks: list[RemovableHook] = []
        self.clear()

    def __enter__(self) -> Self:
        for name, module in self._modules.items():
            self._hooks.append(module.register_forward_hook(lambda m, _, out, name=name: self._saw(name, m, out)))
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def clear(self) -> None:
        """Forget what was seen."""
        self._found: dict[str, dict[str, Any]] = {}
        self._alive: dict[str, Array] = {}

    def report(self) -> dict[str, dict[str, Any]]:
        """Per module that was called, of its last call:

        activation  ``min, max, mean, std, norm`` of its (first) output, and ``bars``: a histogram of 32 bins from min to max
        gradient    the same of the gradient there, once backward has run
        saturated   of an activation: the share of values where its slope is below 5 % of the steepest
        dead        of an activation: the share of units whose slope was 0 for every example since ``clear``; a unit is a place
                    on the last axis, of images ``(N, C, H, W)`` a channel
        """
        return {name: dict(entry) for name, entry in self._found.items()}

    def _saw(self, name: str, module: nn.Module, out: Any) -> None:
        while isinstance(out, tuple | list) and out:
            out = out[0]
        if not self.active or not isinstance(out, Tensor) or out.dtype.kind != "f":
            return
        values = out.detach().numpy()
        entry: dict[str, Any] = {"activation": summary(values)}
        slope_of = _SLOPES.get(type(module))
        if slope_of is not None and values.size:
            slope = slope_of(values)
            entry["saturated"] = float((slope < _FLAT).mean())
            units = values.ndim - 3 if values.ndim >= 4 else values.ndim - 1
            alive: Array = np.any(slope > 0, tuple(axis for axis in range(values.ndim) if axis != units))
            before = self._alive.get(name)
            self._alive[name] = alive if before is None or before.shape != alive.shape else before | alive
            entry["dead"] = float(1 - self._alive[name].mean())
        self._found[name] = entry
        if out.requires_grad:
            out.register_hook(lambda g: entry.__setitem__("gradient", summary(g.detach().numpy())))


class GradientWatch(Callback):
    """Notes gradients while a ``Fit`` runs: ``records``, one every ``every`` updates: ``step``, ``flow`` (``gradient_flow``) and
    ``layers`` (``Watch.report``), before the gradients are clipped by callbacks further on.
    """

    def __init__(self, every: int = 10, modules: Collection[str] | None = None) -> None:
        if not isinstance(every, int) or every <= 0:
            raise ValueError(f"GradientWatch: every must be a positive integer, got {every!r}")
        self.every, self.modules = every, modules
        self.records: list[dict[str, Any]] = []
        self._watch: Watch | None = None

    def start(self, run: Fit) -> None:
        self._watch = Watch(run.model, self.modules).__enter__()
        self._watch.active = run.step % self.every == 0

    def before_update(self, run: Fit) -> None:
        if self._watch is not None and self._watch.active:
            self.records.append({"step": run.step, "flow": gradient_flow(run.model), "layers": self._watch.report()})

    def after_update(self, run: Fit) -> None:
        if self._watch is not None:
            self._watch.active = run.step % self.every == 0

    def finish(self, run: Fit) -> None:
        if self._watch is not None:
            self._watch.__exit__()
            self._watch = None

    def state_dict(self) -> dict[str, Any]:
        return {"records": self.records}

    def load_state_dict(self, state: Any) -> None:
        self.records = list(state["records"])
