"""Modules that hold modules or parameters."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, ClassVar, Self

from ..tensor import Tensor
from .module import Module, Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


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

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def __setitem__(self, index: int, module: Module) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__}: needs modules, got {type(module).__name__}")
        setattr(self, [name for name, _ in self.named_children()][index], module)

    def __len__(self) -> int:
        return sum(1 for _ in self.named_children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __getitem__(self, index: Any) -> Any:
        chosen = list(self.children())[index]
        return chosen if isinstance(chosen, Module) else self._of(chosen)

    def _of(self, modules: list[Module]) -> Any:
        names = [module._name for module in modules]
        part = type(self)(modules)
        for module, name in zip(modules, names, strict=True):  # they are still called after the whole
            module.__dict__["_name"] = name
        return part


class Sequential(_Numbered):
    """One module after the other: ``Sequential(Linear(2, 3), Dropout(), Linear(3, 1))``, or a dict of them by name."""

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            super().__init__(modules)  # type: ignore[arg-type]

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


class _Keyed(Module):
    """Values under names, as attributes."""

    _kind: ClassVar[type]

    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        self.update(values or {})

    def _values(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if isinstance(value, self._kind)}

    def _accept(self, name: str, value: Any) -> None:
        raise AssertionError("a subclass says what it holds")  # pragma: no cover

    def update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add or replace values."""
        for name, value in values.items() if isinstance(values, Mapping) else values:
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        self._accept(name, value)

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __delitem__(self, name: str) -> None:
        if name not in self._values():
            raise KeyError(name)
        delattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self._values()

    def __len__(self) -> int:
        return len(self._values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def pop(self, name: str) -> Any:
        """Take a value out."""
        value = self[name]
        del self[name]
        return value

    def clear(self) -> None:
        """Take all out."""
        for name in self._values():
            del self[name]

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._values().keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._values().values()

    def items(self) -> ItemsView[str, Any]:
        """Names and values."""
        return self._values().items()


class ModuleDict(_Keyed):
    """Modules by name, each called by the code that holds the dict."""

    _kind = Module

    def _accept(self, name: str, value: Any) -> None:
        self.add_module(name, value)


class ParameterDict(_Keyed):
    """Parameters by name; Tensors become parameters."""

    _kind = Parameter

    def _accept(self, name: str, value: Any) -> None:
        self.register_parameter(name, _as_parameter("ParameterDict", value))


class ParameterList(Module):
    """Parameters by number; Tensors become parameters."""

    def __init__(self, values: Iterable[Tensor] = ()) -> None:
        self.extend(values)

    def append(self, value: Tensor) -> Self:
        """Add a parameter at the end."""
        setattr(self, str(len(self)), _as_parameter("ParameterList", value))
        return self

    def extend(self, values: Iterable[Tensor]) -> Self:
        """Add parameters at the end."""
        for value in values:
            self.append(value)
        return self

    def __len__(self) -> int:
        return sum(1 for _ in self.parameters())

    def __iter__(self) -> Iterator[Parameter]:
        return iter(list(self.parameters()))

    def __getitem__(self, index: Any) -> Any:
        chosen = list(self)[index]
        return ParameterList(chosen) if isinstance(chosen, list) else chosen

    def __setitem__(self, index: int, value: Tensor) -> None:
        setattr(self, str(range(len(self))[index]), _as_parameter("ParameterList", value))


def _as_parameter(name: str, value: Any) -> Parameter:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: needs Tensors, got {type(value).__name__}")
    return value if isinstance(value, Parameter) else Parameter(value)
