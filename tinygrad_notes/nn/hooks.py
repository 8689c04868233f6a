"""Hooks on modules: functions that see, and may replace, what goes into and comes out of a module, forward and backward.

The gradients of a module's inputs (or outputs) are seen together, at one node: an identity that all of them pass through.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..errors import GraphError
from ..functions.convert import to
from ..functions.creation import zeros
from ..functions.moving import cat
from ..functions.shape import reshape
from ..modes import local
from ..optable import p
from ..tape import RemovableHook
from ..tensor import Tensor

__all__ = ["Hookable"]

Gradients = tuple[Tensor | None, ...]


class Hookable:
    """The part of a module that hooks are registered with."""

    _hooks: Hooks | None = None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHook:
        """Call ``hook(module, args)`` before ``forward``; what it returns, unless None, replaces the arguments.

        prepend      before the hooks that are there already
        with_kwargs  ``hook(module, args, kwargs)``, which returns None or new ``(args, kwargs)``
        """
        return self._hooked().add("forward_pre", (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHook:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns, unless None, replaces the output.

        prepend      before the hooks that are there already
        with_kwargs  ``hook(module, args, kwargs, output)``
        """
        return self._hooked().add("forward", (hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHook:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are known, before they go into the module.

        grad_output is a tuple, one per output: 0 for one that is not used (PyTorch: None), None for one that requires no
        grad. What the hook returns, unless None, replaces it.
        """
        return self._hooked().add("backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHook:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known.

        Both are tuples, one per positional argument or output, None for those that require no grad; what the hook returns, unless None,
        replaces grad_input. Raises GraphError where it has another length.
        """
        return self._hooked().add("backward", hook, prepend)

    def _hooked(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks


class Hooks:
    """The hooks of one module, each kind in the order of its calls."""

    def __init__(self) -> None:
        self.forward_pre: OrderedDict[int, Any] = OrderedDict()
        self.forward: OrderedDict[int, Any] = OrderedDict()
        self.backward_pre: OrderedDict[int, Any] = OrderedDict()
        self.backward: OrderedDict[int, Any] = OrderedDict()

    def add(self, kind: str, hook: Any, prepend: bool) -> RemovableHook:
        hooks: OrderedDict[int, Any] = getattr(self, kind)
        handle = RemovableHook(hooks)
        hooks[handle.number] = hook
        if prepend:
            hooks.move_to_end(handle.number, last=False)
        return handle

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``module.forward`` with everything around it."""
        for hook, with_kwargs in tuple(self.forward_pre.values()):
            answer = hook(module, args, kwargs) if with_kwargs else hook(module, args)
            if answer is None:
                continue
            if not with_kwargs:
                args = answer if isinstance(answer, tuple) else (answer,)
            elif isinstance(answer, tuple) and len(answer) == 2:
                args, kwargs = answer
            else:
                raise RuntimeError(f"forward pre-hook with kwargs: must return None or (args, kwargs), got {answer!r}")
        passage = _Passage(module, self) if (self.backward or self.backward_pre) and local.mode.grad else None
        if passage is not None:
            args = passage.enter(args)
        result = module.forward(*args, **kwargs)
        for hook, with_kwargs in tuple(self.forward.values()):
            answer = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if answer is not None:
                result = answer
        return result if passage is None else passage.leave(result)


class _Passage:
    """One call of a module whose backward is watched: the hooks it had then, its inputs and its outputs."""

    def __init__(self, module: Any, hooks: Hooks) -> None:
        self.module = module
        self.before, self.after = tuple(hooks.backward_pre.values()), tuple(hooks.backward.values())
        self.inputs = _Bundle(())
        self.outputs = _Bundle(())
        self.grad_outputs: Gradients | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.inputs = _Bundle(args)
        return self.inputs.watch(args, self._at_inputs)

    def leave(self, result: Any) -> Any:
        values = tuple(result) if isinstance(result, tuple | list) else (result,)
        if not any(isinstance(value, Tensor) for value in values):
            raise TypeError(
                f"backward hooks of {type(self.module).__name__}: the output must be a Tensor or a tuple with Tensors, "
                f"got {type(result).__name__}"
            )
        self.outputs = _Bundle(values)
        watched = self.outputs.watch(values, self._at_outputs)
        if isinstance(result, Tensor):
            return watched[0]
        return type(result)(*watched) if hasattr(result, "_fields") else type(result)(watched)

    def _at_outputs(self, g: Tensor) -> Tensor:
        grads = self.outputs.unpack(g)
        for hook in self.before:
            grads = _replaced("pre-hook", "grad_output", grads, hook(self.module, grads))
        self.grad_outputs = grads
        if not self.inputs.positions:  # no gradient will come out there: this is the end of the module's backward
            self._run_after((None,) * self.inputs.count)
        return self.outputs.pack(grads)

    def _at_inputs(self, g: Tensor) -> Tensor | None:
        if self.grad_outputs is None:  # it came past the outputs, through something that forward left elsewhere
            return None
        return self.inputs.pack(self._run_after(self.inputs.unpack(g)))

    def _run_after(self, grads: Gradients) -> Gradients:
        for hook in self.after:
            grads = _replaced("hook", "grad_input", grads, hook(self.module, grads, self.grad_outputs))
        if not self.inputs.positions and any(g is not None for g in grads):
            raise GraphError(
                f"backward hook of {type(self.module).__name__}: no input requires grad, so there is no gradient to replace; "
                "return None"
            )
        self.grad_outputs = None
        return grads


class _Bundle:
    """Those of some values that require grad, as one: a node that all their gradients pass."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.count = len(values)
        self.positions = [i for i, value in enumerate(values) if isinstance(value, Tensor) and value.requires_grad]
        self.types = [(values[i].shape, values[i].dtype) for i in self.positions]

    def watch(self, values: tuple[Any, ...], hook: Callable[[Tensor], Tensor | None]) -> tuple[Any, ...]:
        """The values, passed through the node that calls ``hook``."""
        if not self.positions:
            return values
        joined = self.pack(values)
        joined.register_hook(hook)
        return tuple(value if part is None else part for value, part in zip(values, self.unpack(joined), strict=True))

    def pack(self, values: Sequence[Any]) -> Tensor:
        """One Tensor of all; None is 0."""
        found = []
        for i, (shape, dtype) in zip(self.positions, self.types, strict=True):
            part = zeros(shape, dtype=dtype) if values[i] is None else values[i]
            if not isinstance(part, Tensor) or part.shape != shape:
                got = part._type() if isinstance(part, Tensor) else type(part).__name__
                raise GraphError(f"backward hook: gradient {i} must be a Tensor of shape {list(shape)}, got {got}")
            found.append(part)
        if len(found) == 1:
            only: Tensor = p.reshape(found[0], shape=found[0].shape)
            return only
        return cat([reshape(part, -1) for part in found])

    def unpack(self, joined: Tensor) -> tuple[Tensor | None, ...]:
        """The parts at their places, None elsewhere."""
        parts: list[Tensor | None] = [None] * self.count
        start = 0
        for i, (shape, dtype) in zip(self.positions, self.types, strict=True):
            if len(self.positions) == 1:
                parts[i] = joined
                break
            stop = start + prod(shape)
            parts[i] = to(reshape(joined[start:stop], shape), dtype)
            start = stop
        return tuple(parts)


def _replaced(what: str, name: str, grads: Gradients, answer: Any) -> Gradients:
    if answer is None:
        return grads
    given = tuple(answer) if isinstance(answer, tuple | list) else (answer,)
    if len(given) != len(grads):
        raise GraphError(f"backward {what}: returned {len(given)} gradients, but {name} has {len(grads)}")
    return given
