"""Modules: plain classes whose attributes are parameters, buffers and other modules."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, NamedTuple, Self

from ..dtypes import float32, float64
from ..errors import ShapeError
from ..functions.convert import asked
from ..inplace import write
from ..modes import Scope, local, no_grad
from ..tensor import Tensor
from .hooks import Hookable
from .parameter import Parameter, convert

__all__ = ["IncompatibleKeys", "Module", "Parameter"]


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict(strict=False)`` could not place."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module(Hookable):
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
            return self.forward(*args, **kwargs) if self._hooks is None else self._hooks.call(self, args, kwargs)
        finally:
            mode.scope = outer

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Module) and value._name is None:
            value._name = name

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """An attribute that is saved with the module (if persistent) but not trained: running statistics, masks."""
        self._check_name(name, tensor, Tensor, {buffer for buffer, _ in self._buffers})
        setattr(self, name, tensor)
        self._buffers = (*(b for b in self._buffers if b[0] != name), (name, persistent))

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """An attribute that is trained; None keeps the place. Raises ValueError for the result of an operation."""
        self._check_name(name, param, Parameter, {key for key, value in vars(self).items() if isinstance(value, Parameter)})
        setattr(self, name, param)

    def register_module(self, name: str, module: Module | None) -> None:
        """A sub-module under a name; None keeps the place."""
        self._check_name(name, module, Module, dict(self.named_children()))
        setattr(self, name, module)

    add_module = register_module

    def _check_name(self, name: str, value: Any, kind: type, known: Container[str]) -> None:
        owner = type(self).__name__
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{owner}.{name}: needs a {kind.__name__} or None, got {type(value).__name__}")
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"{owner}: {name!r} is no name for an attribute; names are not empty and have no dots")
        if hasattr(self, name) and name not in known and vars(self).get(name, self) is not None:
            raise KeyError(f"{owner}: the attribute {name!r} exists already")

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
                value = getattr(module, name, None)
                if value is not None:
                    yield f"{path}.{name}" if path else name, value

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module with a dotted name; "" is this one. Raises AttributeError where there is none."""
        module = self
        for name in target.split(".") if target else ():
            found = getattr(module, name, None)
            if not isinstance(found, Module):
                raise AttributeError(f"{type(module).__name__} has no sub-module {name!r} (asked for {target!r})")
            module = found
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name. Raises AttributeError where there is none."""
        found = self._get(target, "parameter")
        if not isinstance(found, Parameter):
            raise AttributeError(f"{target!r} is a {type(found).__name__}, not a parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name. Raises AttributeError where there is none."""
        path, _, name = target.rpartition(".")
        found = self._get(target, "buffer")
        if name not in {buffer for buffer, _ in self.get_submodule(path)._buffers}:
            raise AttributeError(f"{target!r} is a {type(found).__name__}, not a buffer")
        buffer: Tensor = found
        return buffer

    def _get(self, target: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no {what} {name!r} (asked for {target!r})")
        return getattr(module, name)

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

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` on every module, the innermost first."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False) -> Self:
        """``to(dtype)``, ``to("cpu")``: bring floating-point parameters and buffers to another dtype, in place: optimizers
        keep their hold on them. Raises RangeError for a device that is not the CPU."""
        wanted = asked(args, dtype, device)
        if wanted is None:
            return self
        if wanted.kind != "f":
            raise TypeError(f"{type(self).__name__}.to: parameters are floating-point, got {wanted}")
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.dtype.kind == "f" and tensor.dtype != wanted:
                convert(tensor, wanted)
        return self

    def float(self) -> Self:
        """As float32."""
        return self.to(float32)

    def double(self) -> Self:
        """As float64."""
        return self.to(float64)

    def cpu(self) -> Self:
        """Itself: every Tensor lives on the CPU."""
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

    def _repr_html_(self) -> str:
        """What notebooks show: the tree of modules with their parameters."""
        from ..viz.display import module_html

        return module_html(self)

    def __repr__(self) -> str:
        count = sum(parameter.numel() for parameter in self.parameters())
        note = f"  # {count:,} parameters" if count else ""
        lines = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()}){note}"
        return "\n".join([f"{type(self).__name__}({note}", *lines, ")"])
