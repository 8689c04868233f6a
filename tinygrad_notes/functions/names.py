"""numpy's names of arguments, ``axis`` and ``keepdims``, beside PyTorch's ``dim`` and ``keepdim``, in every function alike."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, TypeVar

from ..rules import compile_source

__all__ = ["numpy_names", "torch_names"]

Function = TypeVar("Function", bound=Callable[..., Any])

_NUMPY = {"dim": "axis", "dims": "axis", "keepdim": "keepdims"}


class _NotGiven:
    def __repr__(self) -> str:
        return "..."


_NOT_GIVEN = _NotGiven()


def numpy_names(function: Function) -> Function:
    """Let a function of ``dim``, ``dims`` or ``keepdim`` be called with numpy's ``axis`` and ``keepdims`` as well.

    A decorator, for every such function that is public or a method; ``*dims`` may be starred::

        @numpy_names
        def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor: ...

        cumsum(x, axis=1)

    The function knows PyTorch's names only: what users call is a short function generated around it. That costs a plain call
    one more call, 50 to 100 ns. A function too hot for it (``sum``) takes ``**numpy: Any`` and begins with the line ::

        if numpy:
            return sum(**torch_names(sum, locals(), numpy))

    which costs 30 ns; the decorator then only shows numpy's names in its signature. Raises TypeError where both names of an
    argument are given (in the hot form: where PyTorch's is not its default).
    """
    signature = inspect.signature(function)
    kinds = inspect.Parameter
    parameters = [p for p in signature.parameters.values() if p.kind is not kinds.VAR_KEYWORD]
    aliases = [kinds(_NUMPY[p.name], kinds.KEYWORD_ONLY, default=_NOT_GIVEN, annotation=p.annotation)
               for p in parameters if p.name in _NUMPY]  # fmt: skip
    if not aliases:
        raise ValueError(f"{function.__name__} has none of the arguments {', '.join(_NUMPY)}")
    made: Any = function if len(parameters) < len(signature.parameters) else _around(function, parameters)
    made.__signature__ = signature.replace(parameters=[*(_shown(p, parameters) for p in parameters), *aliases])
    return made  # type: ignore[no-any-return]


def _around(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    """``def gather(input, dim=NOT_GIVEN, index=NOT_GIVEN, **names)``: renames only where there is something to rename.

    Compiled when it is first called, for the sake of import.
    """
    made: FunctionType = FunctionType(_first_call.__code__, {"prepare": lambda: _prepare(made, function, parameters)})
    return functools.update_wrapper(made, function)


def prepare() -> Callable[..., Any]:
    """In the globals of a function around another: gives it its own code."""
    raise NotImplementedError


def _first_call(*args: Any, **kwargs: Any) -> Any:
    return prepare()(*args, **kwargs)


def _prepare(made: FunctionType, function: Callable[..., Any], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    head, passed, required, defaults, lines = [], [], ["names"], [], []
    for parameter in (p for p in parameters if p.kind is not p.KEYWORD_ONLY):
        name, default = parameter.name, parameter.default
        passed.append(name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            head.append(f"*{name}")
            continue
        head.append(name)
        if _may_be_absent(parameter, parameters):
            defaults.append(_NOT_GIVEN)
            if default is parameter.empty:
                required.append(f"{name} is NOT_GIVEN")
            else:
                made.__globals__[f"default_{name}"] = default
                lines.append(f"    if {name} is NOT_GIVEN: {name} = default_{name}")
        elif default is not parameter.empty:
            defaults.append(default)
    starred = f"*{passed[-1]}" in head
    given = f"torch_names(FUNCTION, {{{', '.join(f'{name!r}: {name}' for name in passed)}}}, names)"
    lines = [
        f"def {function.__name__}({', '.join(head)}, **names):",
        f"    if {' or '.join(required)}: return FUNCTION({f'*{given}.values()' if starred else f'**{given}'})",
        *lines,
        f"    return FUNCTION({', '.join([*passed[:-1], f'*{passed[-1]}' if starred else passed[-1]])})",
    ]
    title = f"names of {function.__module__}.{function.__name__}"
    code = compile_source(title, "\n".join(lines), {}, function.__name__).__code__
    made.__globals__.update(FUNCTION=function, torch_names=torch_names, NOT_GIVEN=_NOT_GIVEN)
    made.__defaults__ = tuple(defaults)
    made.__code__ = code
    return made


def _may_be_absent(parameter: inspect.Parameter, parameters: list[inspect.Parameter]) -> bool:
    """Whether it may be given by another name, or is required but stands behind one that may."""
    before = parameters[: parameters.index(parameter)]
    behind = parameter.default is parameter.empty and any(p.name in _NUMPY for p in before)
    return parameter.name in _NUMPY or (behind and parameter.kind is not parameter.KEYWORD_ONLY)


def _shown(parameter: inspect.Parameter, parameters: list[inspect.Parameter]) -> inspect.Parameter:
    required = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
    return parameter.replace(default=_NOT_GIVEN) if required and _may_be_absent(parameter, parameters) else parameter


@functools.cache
def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def torch_names(function: Callable[..., Any], given: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call under PyTorch's names: those ``given`` so, and ``names``, which may be numpy's."""
    parameters = _parameters(function)
    hot = bool(function.__code__.co_flags & inspect.CO_VARKEYWORDS)
    found: dict[str, Any] = {}
    for name, parameter in parameters.items():
        value = given.get(name, _NOT_GIVEN)
        starred = parameter.kind is parameter.VAR_POSITIONAL
        if value is not _NOT_GIVEN and not (hot and value is parameter.default) and not (starred and not value):
            found[name] = value
    for name, value in names.items():
        ours = next((known for known in parameters if _NUMPY.get(known) == name), name)
        if ours not in parameters:
            raise TypeError(f"{function.__name__}() got an unexpected keyword argument {name!r}")
        if ours in found:
            raise TypeError(f"{function.__name__}() got both {ours} and {_NUMPY[ours]}, numpy's name for it; give one of them")
        found[ours] = value
    return found
