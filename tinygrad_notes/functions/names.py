"""numpy's names of arguments, ``axis`` and ``keepdims``, beside PyTorch's ``dim`` and ``keepdim``, in every function alike."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["numpy_names"]

Function = TypeVar("Function", bound=Callable[..., Any])

NUMPY = {"dim": "axis", "dims": "axis", "keepdim": "keepdims"}
"""numpy's name of an argument, by PyTorch's."""


def numpy_names(function: Function) -> Function:
    """Let a function of ``dim``, ``dims`` or ``keepdim`` be called with numpy's ``axis`` and ``keepdims`` as well.

    A decorator, for every such function that is public or a method. The function itself knows PyTorch's names only. Where it
    stars them, ``*dims``, they may also be given as one keyword, ``dims=(0, 1)``. Raises TypeError where both names of an
    argument are given.
    """
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    places = {NUMPY[name]: place for place, name in enumerate(code.co_varnames[:count]) if name in NUMPY}
    numpys = {code.co_varnames[place]: name for name, place in places.items()}
    if not places:
        raise ValueError(f"{function.__name__} has none of the arguments {', '.join(NUMPY)}")

    starred = code.co_varnames[count - 1]
    if code.co_flags & inspect.CO_VARARGS and starred in NUMPY:
        places[starred] = count - 1

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs and not places.keys().isdisjoint(kwargs):
            args, kwargs = _renamed(function, places, args, kwargs)
        return function(*args, **kwargs)

    vars(call)["numpy_names"] = numpys  # for the stub
    return call  # type: ignore[return-value]


def _renamed(
    function: Callable[..., Any], places: dict[str, int], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same call under PyTorch's names."""
    code = function.__code__
    found = dict(kwargs)
    for name in places.keys() & kwargs.keys():
        place, value = places[name], found.pop(name)
        ours = code.co_varnames[place]
        starred = place >= code.co_argcount + code.co_kwonlyargcount
        if (ours in kwargs and ours != name) or len(args) > (code.co_argcount if starred else place):
            raise TypeError(f"{function.__name__}() got both {ours} and {NUMPY[ours]}, numpy's name for it; give one of them")
        if starred:
            args = (*args, value)
        else:
            found[ours] = value
    return args, found
