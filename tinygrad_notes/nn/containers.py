"""Modules that hold modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .module import Module

__all__ = ["ModuleList", "Sequential"]


class _Numbered(Module):
    """Sub-modules under the names "0", "1", ... ."""

    def __init__(self, modules: Iterable[Module]) -> None:
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> Any:
        """Add a module at the end."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__}: needs modules, got {type(module).__name__}")
        setattr(self, str(len(self)), module)
        return self

    def __len__(self) -> int:
        return sum(1 for _ in self.named_children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __getitem__(self, index: Any) -> Any:
        chosen = list(self.children())[index]
        return chosen if isinstance(chosen, Module) else self._of(chosen)

    def _of(self, modules: list[Module]) -> Any:
        return type(self)(modules)


class Sequential(_Numbered):
    """One module after the other: ``Sequential(Linear(2, 3), Dropout(), Linear(3, 1))``."""

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def _of(self, modules: list[Module]) -> Any:
        return type(self)(*modules)

    def forward(self, input: Any) -> Any:
        """The last module's output of ... of the first module's output of ``input``."""
        for module in self:
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules, each called by the code that holds the list."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__(modules)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_name" or isinstance(value, Module):
            self._number()

    def _number(self) -> None:
        """Members are named after the list and their place, so that pictures can roll them up."""
        owner = self._name if isinstance(self._name, str) else "item"
        for i, module in enumerate(self.children()):
            module.__dict__["_name"] = (owner, i)
