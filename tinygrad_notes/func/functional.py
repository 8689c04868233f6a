"""The transforms as ``torch.autograd.functional`` calls them: a function and the point, in one call. ``tn.autograd.functional``.

``inputs`` is one Tensor or a tuple of them, and so are the results. Without ``create_graph`` they are detached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import GraphError
from ..tensor import Tensor
from . import gradients, jacobians
from .pytree import flatten, unflatten

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Inputs = Tensor | tuple[Tensor, ...]


def jacobian(func: Callable[..., Any], inputs: Inputs, create_graph: bool = False) -> Any:
    """The Jacobian of ``func`` at ``inputs``: a Tensor, or tuples over outputs and inputs of ``(*output, *input)``."""
    given, which = _given(inputs)
    return _finished(jacobians.jacrev(func, which)(*given), create_graph)


def hessian(func: Callable[..., Any], inputs: Inputs, create_graph: bool = False) -> Any:
    """The Hessian of ``func``, which returns one element, at ``inputs``: a Tensor, or tuples over inputs and inputs."""
    given, which = _given(inputs)
    return _finished(jacobians.hessian(lambda *xs: _single("hessian", func(*xs)), which)(*given), create_graph)


def vjp(func: Callable[..., Any], inputs: Inputs, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """The value of ``func`` and its VJP with ``v``, like the outputs; it may be left out for one element (then 1)."""
    given, _ = _given(inputs)
    value, pull = gradients.vjp(func, *given)
    found = pull(_ones("vjp", "output", value) if v is None else v)
    return _finished(value, create_graph), _finished(_like(inputs, found), create_graph)


def jvp(func: Callable[..., Any], inputs: Inputs, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """The value of ``func`` and its derivative along ``v``, like the inputs; it may be left out for one element (then 1)."""
    given, _ = _given(inputs)
    along = _ones("jvp", "input", inputs) if v is None else v
    value, found = gradients.jvp(func, given, _given(along)[0])
    return _finished(value, create_graph), _finished(found, create_graph)


def hvp(func: Callable[..., Any], inputs: Inputs, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """The value of ``func``, which returns one element, and its Hessian times ``v``, like the inputs."""
    given, _ = _given(inputs)
    along = _ones("hvp", "input", inputs) if v is None else v
    value, found = gradients.hvp(lambda *xs: _single("hvp", func(*xs)), given, _given(along)[0])
    return _finished(value, create_graph), _finished(_like(inputs, found), create_graph)


vhp = hvp
"""``v`` times the Hessian: the same, a Hessian is symmetric."""


def _given(inputs: Any) -> tuple[tuple[Tensor, ...], int | tuple[int, ...]]:
    """The inputs as a tuple, and what ``argnums`` says of them."""
    if isinstance(inputs, Tensor):
        return (inputs,), 0
    given = tuple(inputs)
    return given, tuple(range(len(given)))


def _like(inputs: Inputs, found: tuple[Any, ...]) -> Any:
    return found[0] if isinstance(inputs, Tensor) else found


def _single(name: str, out: Any) -> Tensor:
    if not isinstance(out, Tensor) or out.numel() != 1:
        got = out._type() if isinstance(out, Tensor) else type(out).__name__
        raise GraphError(f"{name}: the function must return a Tensor with one element, got {got}; reduce it (.sum(), .mean())")
    result: Tensor = out.reshape(())
    return result


def _ones(name: str, what: str, x: Any) -> Tensor:
    if not isinstance(x, Tensor) or x.numel() != 1:
        got = x._type() if isinstance(x, Tensor) else type(x).__name__
        raise GraphError(
            f"{name}: v may be left out only for an {what} with one element, got {got}; pass v=<Tensors like the {what}>"
        )
    return Tensor(np.ones(x.shape, x.dtype))


def _finished(tree: Any, create_graph: bool) -> Any:
    leaves, structure = flatten(tree)
    return unflatten(structure, leaves if create_graph else [x.detach() for x in leaves])
