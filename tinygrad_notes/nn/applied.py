"""Modules without state: each calls one function, and what it is made with are the function's settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from ..tensor import Tensor
from .module import Module

__all__ = ["Applied"]


class Applied(Module):
    """A function as a module. A subclass names the function; nothing else is needed::

        class ELU(Applied, function=F.elu):
            "``x`` where it is positive, else ``alpha (exp(x) - 1)``."

        ELU(alpha=0.5)(x)  # F.elu(x, alpha=0.5)

    function  gets what the module is called with, and the settings by keyword
    settings  which of its arguments are set when the module is made; default: all that have a default
    shown     whether the settings stand in the representation
    Settings that are Tensors are buffers: saved with the module.
    """

    _function: ClassVar[Callable[..., Any]]
    _settings: ClassVar[inspect.Signature]
    _shown: ClassVar[bool] = True

    def __init_subclass__(
        cls, function: Callable[..., Any] | None = None, settings: str | None = None, shown: bool = True, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if function is None:
            return
        every = inspect.signature(function).parameters
        wanted = (
            [q for q in every.values() if q.default is not q.empty] if settings is None else map(every.get, settings.split())
        )
        cls._function, cls._shown = staticmethod(function), shown
        cls._settings = inspect.Signature([q for q in wanted if q is not None])
        if cls.__init__ is Applied.__init__:
            cls.__signature__ = cls._settings  # type: ignore[attr-defined]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            given = self._settings.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}{self._settings}: {error}") from None
        given.apply_defaults()
        for name, value in given.arguments.items():
            if isinstance(value, Tensor):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *inputs: Any) -> Any:
        """The function of ``inputs``."""
        return self._function(*inputs, **{name: getattr(self, name) for name in self._settings.parameters})

    def extra_repr(self) -> str:
        if not self._shown:
            return ""
        values = {name: getattr(self, name) for name in self._settings.parameters}
        return ", ".join(f"{name}={value!r}" for name, value in values.items() if name != "inplace" or value)
