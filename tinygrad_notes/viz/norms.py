"""How large values and gradients are: the Euclidean norm per node, from which pictures take their tint.

A node never holds its value. Values come from running a tape again on copies (``replay.observe``); gradients from the backward
pass that the tape holds, or from one that runs now. Each array is reduced to three numbers as soon as it is there.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine import run_backward
from ..replay import observe
from ..tape import Node, Tape

__all__ = ["Norm", "length", "norm_of", "norms_of_backward", "norms_of_gradients", "norms_of_values"]

Array = np.ndarray[Any, Any]
Norms = dict[Node, "Norm"]


@dataclass(frozen=True, slots=True)
class Norm:
    """size: the Euclidean norm of the finite elements; nan, inf: how many elements are not finite."""

    size: float
    nan: int = 0
    inf: int = 0


def norm_of(array: Array) -> Norm:
    """The norm of the finite elements, and how many are not."""
    flat = array.ravel()
    size = length(flat)
    if np.isfinite(size):
        return Norm(size)
    return Norm(length(flat[np.isfinite(flat)]), int(np.isnan(flat).sum()), int(np.isinf(flat).sum()))


def length(flat: Array) -> float:
    """The Euclidean norm of all elements, in float64; scaled first where squares would overflow or vanish."""
    squares = float(np.einsum("i,i->", flat, flat, dtype=np.float64))  # one pass, no copy, no threads unlike a dot product
    if 1e-280 < squares < np.inf:
        return float(np.sqrt(squares))
    values = np.abs(flat.astype(np.float64, copy=False))
    largest = float(values.max(initial=0.0))
    return largest * float(np.sqrt(np.square(values / largest).sum())) if 0.0 < largest < np.inf else largest


def norms_of_values(tape: Tape, wanted: Container[Node] | None = None) -> Norms:
    """Per node with a floating-point value, all or those ``wanted``, the norm of it, as the tape gives it now."""
    found: Norms = {}

    def tell(node: Node, value: Array) -> None:
        if node.dtype.kind == "f" and (wanted is None or node in wanted):
            found[node] = norm_of(value)

    observe(tape, tell)
    return found


def norms_of_gradients(tape: Tape) -> Norms:
    """Per node that a recorded backward pass reached, the norm of the gradient that the last one brought there; per node that
    holds the gradient of another, that of its value. What else backward computes, the factors, is no gradient."""
    values = norms_of_values(tape, {holder for holders in tape.gradients.values() for holder in holders})
    return {node: values[holders[-1]] for node, holders in tape.gradients.items() if holders[-1] in values} | values


def norms_of_backward(roots: Iterable[Node], nodes: Iterable[Node]) -> Norms:
    """The norms of the gradients of the sum of ``roots`` at ``nodes``, from a backward pass that runs now and changes nothing.

    Hooks on the way run. Raises GraphError if an earlier backward has freed the graph.
    """
    seeds = [(root, np.ones(root.shape, root.dtype)) for root in roots]
    found = run_backward(seeds, retain=True, targets=[node for node in nodes if node.rg])
    return {node: norm_of(np.asarray(g)) for node, g in found.captured.items()}
