"""Asking for gradients: ``backward`` into ``.grad``, and ``grad`` as a function, with torch's signatures.

Leaf gradients are committed at the very end, all in one step that no signal can interrupt: Ctrl-C finds every ``.grad``
untouched or complete.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from .anomaly import detect_anomaly, set_detect_anomaly
from .engine import Gradients, run_backward
from .errors import GraphError, ShapeError
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .inplace import update
from .modes import local, set_grad_enabled
from .optable import p
from .storage import note_write
from .tape import Node
from .tensor import Tensor, from_array

__all__ = ["GradcheckError", "backward", "detect_anomaly", "grad", "gradcheck", "gradgradcheck", "set_detect_anomaly"]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of the sum of ``tensors`` (each weighted by its ``grad_tensors``) into ``.grad`` of the leaves.

    Raises GraphError: nothing to differentiate, non-scalar without a cotangent, freed or stale graph.
    """
    roots = _sequence(tensors)
    only = None if inputs is None else _sequence(inputs)
    if only is not None and not only:
        raise GraphError("backward: inputs is empty; name at least one, or leave it out for all leaves")
    found = _run("backward", roots, grad_tensors, retain_graph, create_graph, only)
    if only is None:
        owners = [(reference(), g, owned) for reference, g, owned in found.commits]
        _commit([(t, g, owned) for t, g, owned in owners if t is not None and t.requires_grad], create_graph)
    else:
        wanted = [(t, found.captured.get(_node_of("backward", t))) for t in only]
        _commit([(t, g, False) for t, g in wanted if g is not None], create_graph)


def backward_method(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add d(self)/d(leaf) into ``.grad`` of every leaf that requires grad.

    gradient      the cotangent, of this Tensor's shape; may be left out for a single element (then 1)
    retain_graph  keep what the rules need for another backward (default: ``create_graph``)
    create_graph  record the gradient's own computation, so that it can be differentiated
    inputs        only these Tensors; default: all leaves
    """
    backward(self, gradient, retain_graph, create_graph, inputs)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of ``outputs`` with respect to ``inputs``; no ``.grad`` is touched.

    only_inputs        True: PyTorch's signature, of a time when False added into ``.grad`` of the other leaves
    allow_unused       None instead of an error for an input that the outputs do not depend on
    is_grads_batched   ``grad_outputs`` have an axis of several cotangents in front, and so have the gradients: all at once
    materialize_grads  zeros instead of None where an input was not used
    """
    if not only_inputs:
        raise ValueError("grad: only_inputs=False is gone, in PyTorch too; use backward to add into .grad of all leaves")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "grad: materialize_grads=True gives zeros for unused inputs, which allow_unused=False forbids; drop one"
        )
    if is_grads_batched:
        return _grad_batched(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    wanted = _sequence(inputs)
    if not wanted:
        raise GraphError("grad: needs at least one input")
    found = _run("grad", _sequence(outputs), grad_outputs, retain_graph, create_graph, wanted)
    results: list[Tensor | None] = []
    for position, tensor in enumerate(wanted):
        g = found.captured.get(_node_of("grad", tensor))
        if g is not None:
            results.append(g if isinstance(g, Tensor) else from_array(np.array(g)))
        elif materialize_grads:
            results.append(from_array(np.zeros(tensor.shape, tensor.dtype)).requires_grad_(create_graph))
        elif allow_unused:
            results.append(None)
        else:
            raise GraphError(
                f"grad: input {position} ({tensor._type()}) was not used to compute the outputs; pass allow_unused=True for None "
                "there, or materialize_grads=True for zeros"
            )
    return tuple(results)


def _grad_batched(outputs: Any, inputs: Any, grad_outputs: Any, *rest: Any) -> tuple[Tensor | None, ...]:
    from .func.vmap import vmap  # here: most programs never need it

    retain_graph, create_graph, allow_unused, materialize_grads = rest
    unused: list[int] = []

    def one(*cotangents: Tensor) -> tuple[Tensor, ...]:
        found = grad(
            outputs, inputs, cotangents, retain_graph, create_graph, True, allow_unused, materialize_grads=materialize_grads
        )
        unused.extend(i for i, g in enumerate(found) if g is None)
        return tuple(from_array(np.zeros(())) if g is None else g for g in found)

    if grad_outputs is None or any(g is None for g in _sequence(grad_outputs)):
        raise GraphError("grad: is_grads_batched=True needs a cotangent for every output, with an axis in front")
    found = vmap(one)(*_sequence(grad_outputs))
    return tuple(None if i in unused else g for i, g in enumerate(found))


# ---- what both do ----


def _run(
    name: str,
    roots: Sequence[Tensor],
    cotangents: Tensor | Sequence[Tensor | None] | None,
    retain_graph: bool | None,
    create_graph: bool,
    inputs: Sequence[Tensor] | None,
) -> Gradients:
    given = [None] * len(roots) if cotangents is None else _sequence(cotangents)
    if len(given) != len(roots):
        raise ShapeError(f"{name}: {len(roots)} outputs but {len(given)} cotangents; give one each (None for a single element)")
    starts = [(_node_of(name, root), _cotangent(name, root, g)) for root, g in zip(roots, given, strict=True)]
    record = create_graph or local.mode.tape is not None or not all(g._plain for _, g in starts)
    seeds = [(node, g if record else g._array) for node, g in starts]
    targets = None if inputs is None else [_node_of(name, t) for t in inputs]
    retain = create_graph if retain_graph is None else retain_graph
    return run_backward(seeds, retain=retain, targets=targets, wrap=from_array if record else None, grad_mode=create_graph)


def _sequence(value: Any) -> Sequence[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, Tensor | np.ndarray) else [value]


def _node_of(name: str, tensor: Tensor) -> Node:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: needs Tensors, got {type(tensor).__name__}")
    if not tensor._plain:
        raise GraphError(
            f"{name}: {tensor._type()} is inside a vmap; use tn.func.grad, vjp or jvp there, or call {name} outside"
        )
    node = tensor._current_node()
    if node is None or not node.rg:
        raise GraphError(
            f"{name}: {tensor._type()} does not require grad and no gradient reaches it; call requires_grad_() on what it is "
            "computed from, before computing it, and outside no_grad"
        )
    return node


def _cotangent(name: str, root: Tensor, g: Tensor | None) -> Tensor:
    if g is None:
        if root.numel() != 1:
            raise GraphError(
                f"{name}: the gradient of {root._type()} with {root.numel()} elements needs a cotangent: reduce it first (.sum(), "
                ".mean()), or pass gradient=<a Tensor of that shape>"
            )
        ones = np.ones(root.shape, root.dtype)
        return from_array(ones) if local.mode.tape is None else Tensor(ones)  # on a tape, a constant
    if not isinstance(g, Tensor):
        raise TypeError(f"{name}: the cotangent must be a Tensor, got {type(g).__name__}")
    if g.shape != root.shape or g.dtype != root.dtype:
        raise ShapeError(f"{name}: the cotangent {g._type()} must have the shape and dtype of the output {root._type()}")
    return g


def _commit(owners: Sequence[tuple[Tensor, Any, bool]], create_graph: bool) -> None:
    """Everything is computed first; then the slots are filled and the old buffers written by C code alone."""
    if create_graph or local.mode.tape is not None:
        mode = local.mode
        before, mode.scope = mode.scope, mode.scope.mirror()
        try:
            with set_grad_enabled(create_graph):
                _commit_recorded(owners, create_graph)
        finally:
            mode.scope = before
        return
    slots, fresh, buffers, sums = [], [], [], []
    for tensor, g, owned in owners:
        old = tensor._grad
        if old is None:
            slots.append(tensor)
            fresh.append(from_array(np.asarray(g, order="C") if owned else np.array(g, order="C")))
        else:
            with np.errstate(all="ignore"):
                total = old._array + g
            if not old._array.flags.writeable:  # a slot that the user filled, with an expanded Tensor say
                slots.append(tensor)
                fresh.append(from_array(np.asarray(total)))
                continue
            sums.append(total)
            buffers.append(old._array)
            note_write(old._array, "backward (accumulating into .grad)")
    # one bytecode for both: C only, so no signal handler runs between the first and the last
    deque((*map(setattr, slots, repeat("_grad"), fresh), *map(np.ndarray.__setitem__, buffers, repeat(...), sums)), maxlen=0)


def _commit_recorded(owners: Sequence[tuple[Tensor, Any, bool]], create_graph: bool) -> None:
    for tensor, g, _ in owners:
        if tensor._grad is None:
            tensor._grad = p.clone(g)
        elif create_graph:
            tensor._grad = tensor._grad + g
        else:
            update(tensor._grad, "add", g)


def __getattr__(name: str) -> Any:
    """``tn.autograd.functional`` is opened when first used."""
    if name != "functional":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .func import functional

    return functional
