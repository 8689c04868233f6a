"""What all transforms do: call the function on fresh inputs, and pull cotangents back to those.

A fresh input shares its value with the argument and has a node of its own, which requires a gradient whatever the argument
does: the argument is not touched. What the function closes over is constant, unless it requires a gradient itself (it may be
the fresh input of an enclosing transform): results stay connected to that, and to nothing else.

Inside ``vmap`` all of this happens on stacked values, with the axes of examples in front (``lowered``): examples do not
meet, so the gradient of one function of all of them holds the gradients of each.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..engine import run_backward
from ..errors import DtypeError, GraphError, ShapeError
from ..modes import enable_grad, local
from ..optable import LEAF, p
from ..tape import Node, Taps, new_node
from ..tensor import Tensor, from_array
from .batched import lowered, raised
from .pytree import LEAF as ONE
from .pytree import flatten, unflatten

__all__ = ["Traced", "matching", "trace"]


class Traced:
    """One call of a function on fresh inputs.

    primals    the arguments that were replaced, as flat Tensors; ``structure`` puts them together again
    outputs    what the function returned, flat; ``returned`` puts them together; ``aux`` came beside them
    """

    def __init__(self, name: str, primals: Any, levels: tuple[Any, ...]) -> None:
        self.name, self.levels = name, levels
        self.primals, self.structure = flatten(primals)
        self.fresh = [_fresh(name, x, levels) for x in self.primals]
        self.own: set[Node] = {_node(x) for x in self.fresh}
        self.outputs: list[Tensor] = []
        self.returned: Any = ONE
        self.aux: Any = None

    def arguments(self) -> Any:
        """The fresh inputs, in the structure of the primals."""
        return unflatten(self.structure, [raised(x, self.levels) for x in self.fresh])

    def value(self) -> Any:
        """What the function returned, free of the fresh inputs."""
        return unflatten(self.returned, [self.released(x) for x in self.outputs])

    def pull(self, cotangents: Sequence[Tensor | None], outputs: Sequence[Tensor] | None = None) -> list[Tensor]:
        """The gradients of the primals, flat, for a cotangent per output (None: 0)."""
        return [self.released(g) for g in self.pulled(cotangents, outputs)]

    def pulled(
        self, cotangents: Sequence[Tensor | None], outputs: Sequence[Tensor] | None = None, create_graph: bool = False
    ) -> list[Tensor]:
        """``pull`` with the graph that was recorded on the way."""
        roots = [(o, g) for o, g in zip(outputs or self.outputs, cotangents, strict=True) if g is not None]
        return _propagated(roots, self.fresh, self.primals, self, create_graph)

    def pusher(self) -> Callable[[Sequence[Tensor]], list[Tensor]]:
        """The derivative as a function: flat tangents of the primals in, flat tangents of the outputs out.

        The gradients are linear in the cotangents; the derivative of that, by the cotangents, is the derivative itself.
        """
        variables = []
        for out in self.outputs:
            low = lowered(out, self.levels)
            variables.append(_leaf(Tensor(np.zeros(low.shape, low.dtype if low.dtype.kind == "f" else np.float32))))
            self.own.add(_node(variables[-1]))
        gradients = self.pulled([raised(u, self.levels) for u in variables], create_graph=True)

        def push(tangents: Sequence[Tensor]) -> list[Tensor]:
            pairs = list(zip(gradients, tangents, strict=True))
            return [self.released(t) for t in _propagated(pairs, variables, self.outputs, self, False)]

        return push

    def released(self, x: Any) -> Any:
        """``x`` free of the fresh inputs, unless something outside that requires a gradient is reached through it."""
        if not isinstance(x, Tensor) or not x.requires_grad:
            return x
        keep = local.mode.grad and _reaches_outside([_node(x)], self.own)
        return x if keep else p.detach(x)


def trace(name: str, func: Callable[..., Any], primals: Any, call: Callable[[Any], Any], has_aux: bool) -> Traced:
    """Call ``call(fresh inputs)``. Raises where the primals or outputs are no Tensors (of floats, for primals)."""
    run = Traced(name, primals, local.mode.levels)
    with enable_grad():
        result = call(run.arguments())
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise GraphError(
                    f"{name}: with has_aux=True the function must return (output, aux), got {type(result).__name__}"
                )
            result, aux = result
            leaves, shape = flatten(aux)
            run.aux = (leaves, shape)
        run.outputs, run.returned = flatten(result)
    for x in run.outputs:
        if not isinstance(x, Tensor):
            raise GraphError(f"{name}: the function must return Tensors, got a {type(x).__name__}")
    if has_aux:
        leaves, shape = run.aux
        run.aux = unflatten(shape, [run.released(x) for x in leaves])
    return run


def matching(name: str, what: str, given: Any, like: Sequence[Tensor], structure: Any) -> list[Tensor]:
    """``given`` as flat Tensors of the shapes and dtypes of ``like``. Raises where it does not fit."""
    leaves, own = flatten(given)
    if own != structure:
        raise GraphError(f"{name}: the {what} must be nested like what they belong to: {structure}, got {own}")
    for x, t in zip(leaves, like, strict=True):
        if not isinstance(x, Tensor) or x.shape != t.shape or x.dtype != t.dtype:
            got = x._type() if isinstance(x, Tensor) else type(x).__name__
            raise ShapeError(f"{name}: one of the {what} is {got}, but belongs to {t._type()}; both need one shape and dtype")
    return leaves


# ---- fresh inputs ----


def _fresh(name: str, x: Any, levels: tuple[Any, ...]) -> Tensor:
    if not isinstance(x, Tensor):
        raise ValueError(f"{name}: can differentiate by Tensors only, got a {type(x).__name__}; make one, or use argnums")
    if x.dtype.kind != "f":
        raise DtypeError(f"{name}: {x._type()} has no gradient: only floating-point Tensors have; use .float()")
    return _leaf(lowered(x, levels))


def _leaf(x: Tensor) -> Tensor:
    """The same value with a node that requires a gradient; on a tape, or where ``x`` requires one, connected to it."""
    out: Tensor = p.reshape(x, shape=x.shape)
    if out._node is None:
        out = from_array(x._array, new_node(LEAF, (), {}, x.shape, x.dtype, True))
    out._view = None
    node = _node(out)
    node.rg = True
    node.taps = Taps()
    node.taps.leaf = weakref.ref(out)  # in-place writes are refused as to any leaf
    return out


def _node(x: Tensor) -> Node:
    node = x._current_node()
    assert node is not None
    return node


def _reaches_outside(nodes: Iterable[Node], own: set[Node]) -> bool:
    """Whether a gradient would flow to something else than the nodes of ``own``."""
    stack = list(nodes)
    seen = set(stack)
    while stack:
        node = stack.pop()
        below = [source for source in node.inputs if source.rg]
        if not below and node not in own:
            return True
        fresh = [source for source in dict.fromkeys(below) if source not in seen]
        seen.update(fresh)
        stack += fresh
    return False


# ---- one backward pass ----


def _propagated(
    pairs: Sequence[tuple[Tensor, Tensor]],
    targets: Sequence[Tensor],
    like: Sequence[Tensor],
    run: Traced,
    create_graph: bool,
) -> list[Tensor]:
    """The gradients of the lowered ``targets``, raised; 0 in the shape of ``like`` where nothing flows."""
    levels, mode = run.levels, local.mode
    with enable_grad():  # outputs that are the same for all examples of vmap are stacked here
        roots = [(lowered(o, levels), lowered(g, levels)) for o, g in pairs if o.dtype.kind == "f"]
    roots = [(o, g) for o, g in roots if o.requires_grad]
    if not create_graph and mode.grad:
        create_graph = any(g.requires_grad for _, g in roots) or _reaches_outside([_node(o) for o, _ in roots], run.own)
    record = create_graph or mode.tape is not None or not all(g._plain for _, g in roots)
    found = run_backward(
        [(_node(o), g if record else g._array) for o, g in roots],
        retain=True,
        targets=[_node(t) for t in targets],
        wrap=from_array if record else None,
        grad_mode=create_graph,
    ).captured
    results = []
    for t, x in zip(targets, like, strict=True):
        g = found.get(_node(t))
        if g is None:
            results.append(Tensor(np.zeros(x.shape, x.dtype)))
        else:
            results.append(raised(g if isinstance(g, Tensor) else from_array(np.array(g)), levels))
    return results
