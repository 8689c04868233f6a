"""Penalties on the size of parameters, to be added to a loss, and the norms that measure it.

Which parameters are meant is the caller's choice: usually weights, not biases, ``[q for q in net.parameters() if q.ndim > 1]``.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import RangeError
from ..functions import moments, pointwise, reduce
from ..functions.moving import cat, stack
from ..functions.shape import flatten
from ..modes import scope
from ..tensor import Tensor

__all__ = ["joint_norm", "lq_penalty"]


def lq_penalty(parameters: Tensor | Iterable[Tensor], q: float = 2.0) -> Tensor:
    """``sum |w|^q`` over all elements of all parameters: ridge (2), lasso (1), bridge (any other; Frank & Friedman 1993).

    ``loss + c / 2 * lq_penalty(weights)`` has the gradient of ``weight_decay=c`` in ``SGD``. The slope at w = 0 is 0, for
    q < 1 too, where it is infinite on both sides. Raises RangeError unless q is positive: ``joint_norm(weights, 0)`` counts.
    """
    if not 0 < q < float("inf"):
        raise RangeError(f"lq_penalty: q must be positive and finite, got {q}")
    with scope("lq_penalty"):
        return reduce.sum(stack([_sum_of_powers(w, q) for w in _listed("lq_penalty", parameters)]))


def joint_norm(parameters: Tensor | Iterable[Tensor], p: float = 2.0) -> Tensor:
    """``(sum |w|^p)^(1 / p)`` of all parameters as one vector: L1, L2, Lp; inf: the largest ``|w|``; 0: how many are not 0.

    Slopes as of ``tn.linalg.vector_norm``; the count has none.
    """
    with scope("joint_norm"):
        return moments.vector_norm(cat([flatten(w) for w in _listed("joint_norm", parameters)]), p)


def _sum_of_powers(w: Tensor, q: float) -> Tensor:
    if q == 2:
        return reduce.sum(w * w)
    size = pointwise.abs(w)  # whose slope at 0 is 0, also where that of the power is infinite
    return reduce.sum(size if q == 1 else pointwise.pow(size, q))


def _listed(name: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not found:
        raise ValueError(f"{name}: there are no parameters; an iterator that was used up before gives none again")
    return found
