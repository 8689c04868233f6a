"""Modules: plain classes whose attributes are parameters, buffers and other modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self

from ..errors import ShapeError
from ..inplace import write
from ..modes import Scope, local, no_grad
from ..tensor import Tensor

__all__ = ["IncompatibleKeys", "Module", "Parameter"]


class Parameter(Tensor):
    """A Tensor that a module trains: it requires a gradient, and modules find it among their attributes.

    data           its first values, shared, not copied
    requires_grad  False freezes it
    """

    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter: needs a Tensor, got {type(data).__name__}; make one with tn.tensor(...)")
        self._array = data._array
        self._grad = self._node = self._view = None
        self.requires_grad_(requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        copied = super().__deepcopy__(memo)
        copied.grad = None  # as in PyTorch: the copy of a model starts without gradients
        assert isinstance(copied, Parameter)
        return copied

    def __repr__(self) -> str:
        return f"Parameter {super().__repr__()}"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict(strict=False)`` could not place."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Base of all networks. Write ``__init__`` and ``forward``; call the module.

    Parameters, buffers and sub-modules are found by walking the attributes in the order of their definition.
    """

    training: bool = True
    _buffers: tuple[tuple[str, bool], ...] = ()
    _name: str | tuple[str, int] | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method; define `def forward(self, ...)`")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mode = local.mode
        outer = mode.scope
        name = self._name or type(self).__name__.lower()
        mode.scope = Scope(outer, name) if isinstance(name, str) else Scope(outer, *name)
        try:
            if mode.tape is not None:
                for key, value in vars(self).items():
                    if isinstance(value, Tensor) and (node := value._current_node()) is not None:
                        mode.tape.names.setdefault(node, f"{mode.scope.path.replace('/', '.')}.{key}")
            return self.forward(*args, **kwargs)
        finally:
            mode.scope = outer

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Module) and value._name is None:
            value._name = name

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """An attribute that is saved with the module (if persistent) but not trained: running statistics, masks."""
        setattr(self, name, tensor)
        self._buffers = (*(b for b in self._buffers if b[0] != name), (name, persistent))

    # ---- walking ----

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct sub-modules with their attribute names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def children(self) -> Iterator[Module]:
        """The direct sub-modules."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with dotted names."""
        seen: set[int] = set()
        stack = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            below = [(f"{name}.{key}" if name else key, child) for key, child in module.named_children()]
            stack.extend(reversed(below))

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """All parameters with dotted names, each once, in the order of definition."""
        seen: set[int] = set()
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """All buffers with dotted names."""
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name, _ in module._buffers:
                value = getattr(module, name)
                if value is not None:
                    yield f"{path}.{name}" if path else name, value

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    # ---- modes ----

    def train(self, mode: bool = True) -> Self:
        """Training behaviour (dropout on) for this module and all below; False for evaluation."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Evaluation behaviour: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or unfreeze all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or set them to 0)."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call ``function`` on every module, the innermost first."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    # ---- state ----

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers by name, sharing memory with the module."""
        found: dict[str, Tensor] = {}
        for path, module in self.named_modules():
            kept = {name for name, persistent in module._buffers if persistent}
            for name, value in vars(module).items():
                if isinstance(value, Parameter) or (name in kept and value is not None):
                    found[f"{path}.{name}" if path else name] = value.detach()
        return found

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True) -> IncompatibleKeys:
        """Copy values into parameters and buffers. Everything is checked before anything is written.

        strict: names must match exactly. Raises ShapeError listing what is missing, unexpected or of another shape.
        """
        own = self.state_dict()
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        faults = []
        if strict and missing:
            faults.append(f"missing: {', '.join(missing)}")
        if strict and unexpected:
            faults.append(f"unexpected: {', '.join(unexpected)}")
        faults += [
            f"{name}: {state_dict[name]._type()} does not fit {own[name]._type()}"
            for name in own
            if name in state_dict and state_dict[name].shape != own[name].shape
        ]
        if faults:
            raise ShapeError(f"load_state_dict of {type(self).__name__}: " + "; ".join(faults))
        with no_grad():
            for name, value in own.items():
                if name in state_dict:
                    write(value, state_dict[name], "load_state_dict")
        return IncompatibleKeys(missing, unexpected)

    # ---- text ----

    def extra_repr(self) -> str:
        """What stands in the brackets of the representation."""
        return ""

    def __repr__(self) -> str:
        count = sum(parameter.numel() for parameter in self.parameters())
        note = f"  # {count:,} parameters" if count else ""
        lines = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()}){note}"
        return "\n".join([f"{type(self).__name__}({note}", *lines, ")"])
