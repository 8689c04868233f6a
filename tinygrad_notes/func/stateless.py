"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError
from ..functions.moving import stack
from ..tensor import Tensor

if TYPE_CHECKING:
    from ..nn.module import Module

__all__ = ["functional_call", "stack_module_state"]

State = Mapping[str, Tensor]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: State | Sequence[State],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with other parameters and buffers, given by name; the module itself stays as it is.

    parameter_and_buffer_dicts  one dict, or several without a name in common; what is not named keeps its own value
    args                        the arguments; one that is no tuple stands alone
    tie_weights                 a parameter that has several names is replaced under all of them
    strict                      every parameter and buffer must be named, and nothing else
    Raises RuntimeError where names are missing or unknown (strict), ValueError where two dicts or tied names disagree.
    """
    given = _joined(
        [parameter_and_buffer_dicts] if isinstance(parameter_and_buffer_dicts, Mapping) else parameter_and_buffer_dicts
    )
    places = _places(module)
    values = {**(_tied(places, given) if tie_weights else {}), **given}
    if strict and values.keys() != places.keys():
        missing, unknown = sorted(places.keys() - values.keys()), sorted(values.keys() - places.keys())
        faults = [f"{what}: {', '.join(names)}" for what, names in (("missing", missing), ("unexpected", unknown)) if names]
        raise ShapeError(f"functional_call of {type(module).__name__}: " + "; ".join(faults))
    replaced = [(places[name], value) for name, value in values.items() if name in places]
    before = [(owner, name, vars(owner)[name]) for (owner, name), _ in replaced]
    try:
        for (owner, name), value in replaced:
            vars(owner)[name] = value
        arguments = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*arguments, **(kwargs or {}))
    finally:
        for owner, name, value in before:
            vars(owner)[name] = value


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Parameters and buffers of equal modules, stacked along a new first axis: what ``vmap`` maps over an ensemble.

    Returns (parameters, buffers); the parameters are new leaves that require grad where the models' do.
    """
    if not models:
        raise ValueError("stack_module_state: needs at least one module")
    if len({type(model) for model in models}) > 1 or len({model.training for model in models}) > 1:
        raise ValueError("stack_module_state: the modules must be of one class, all in training or all in evaluation mode")
    parameters: dict[str, Tensor] = {}
    for name, first in models[0].named_parameters():
        stacked = stack([dict(model.named_parameters())[name].detach() for model in models])
        parameters[name] = stacked.requires_grad_(first.requires_grad)
    buffers = {name: stack([dict(m.named_buffers())[name].detach() for m in models]) for name, _ in models[0].named_buffers()}
    return parameters, buffers


def _joined(dicts: Sequence[State]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for state in dicts:
        twice = sorted(found.keys() & state.keys())
        if twice:
            raise ValueError(f"functional_call: {', '.join(twice)} stands in several of the dicts; name each once")
        found |= state
    for name, value in found.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"functional_call: {name} is a {type(value).__name__}, not a Tensor")
    return found


def _places(module: Module) -> dict[str, tuple[Module, str]]:
    """Where each parameter and buffer lives, under each of its names."""
    walked = (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
    own = {id(value) for _, value in walked}
    found = {name: (module, name) for name, value in vars(module).items() if id(value) in own}
    for path, child in module.named_children():
        found |= {f"{path}.{name}": place for name, place in _places(child).items()}
    return found


def _tied(places: Mapping[str, tuple[Module, str]], given: State) -> dict[str, Tensor]:
    """What the other names of the given parameters stand for."""
    by_value: dict[int, list[str]] = {}
    for full, (owner, name) in places.items():
        by_value.setdefault(id(vars(owner)[name]), []).append(full)
    found: dict[str, Tensor] = {}
    for names in by_value.values():
        values = {id(given[name]): given[name] for name in names if name in given}
        if len(values) > 1:
            raise ValueError(f"functional_call: {', '.join(names)} are one parameter, but were given different values")
        found |= {name: value for value in values.values() for name in names}
    return found
