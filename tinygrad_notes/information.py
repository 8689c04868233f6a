"""``tn.information``: how much a distribution tells, and what it costs to take it for another (Shannon 1948, Kullback & Leibler 1951).

Of probabilities, in nats or to any base. The losses that training minimises are in ``nn.functional``: they take scores, whose
logarithms of probabilities stay accurate where probabilities underflow.
"""

from __future__ import annotations

import math

import numpy as np

from .errors import RangeError
from .functions import logic, pointwise, reduce
from .functions.arguments import axis, floating
from .functions.names import numpy_names
from .nn.functional.parts import probabilities, same_shape
from .tensor import Tensor

__all__ = ["cross_entropy", "entropy", "kl_divergence"]


@numpy_names
def entropy(p: Tensor, dim: int = -1, base: float | None = None) -> Tensor:
    """``H(p) = -sum p log p`` along ``dim``: the mean surprise, and the least mean length of a code.

    p     probabilities; 0 adds nothing, and gets the slope 0 (its true one is infinite)
    base  of the logarithm: 2 for bits, 10 for hartleys; default: e, for nats
    Raises RangeError for what is no distribution: values outside [0, 1], or a sum other than 1.
    """
    _check_distribution("entropy", p, dim)
    return _in_base("entropy", -reduce.sum(p * _log_where(p, p), dim), base)


@numpy_names
def cross_entropy(p: Tensor, q: Tensor, dim: int = -1, base: float | None = None) -> Tensor:
    """``H(p, q) = -sum p log q`` along ``dim``: the mean length of a code made for q, when p holds.

    Arguments as of ``entropy``; infinite where q is 0 and p is not. Raises LabelsError unless p and q have one shape.
    """
    _check_pair("cross_entropy", p, q, dim)
    return _in_base("cross_entropy", -reduce.sum(p * _log_where(p, q), dim), base)


@numpy_names
def kl_divergence(p: Tensor, q: Tensor, dim: int = -1, base: float | None = None) -> Tensor:
    """``KL(p‖q) = sum p log(p / q) = H(p, q) - H(p)`` along ``dim``: never below 0, and 0 only where p is q.

    Arguments as of ``cross_entropy``.
    """
    _check_pair("kl_divergence", p, q, dim)
    return _in_base("kl_divergence", reduce.sum(p * (_log_where(p, p) - _log_where(p, q)), dim), base)


def _log_where(p: Tensor, x: Tensor) -> Tensor:
    """``log x``, and 0 where both are 0, whose limit ``p log x`` is 0."""
    return pointwise.log(pointwise.where(logic.bitwise_and(pointwise.le(p, 0), pointwise.le(x, 0)), 1.0, x))


def _in_base(name: str, nats: Tensor, base: float | None) -> Tensor:
    if base is None:
        return nats
    if not base > 0 or base == 1 or math.isinf(base):
        raise RangeError(f"{name}: the base of a logarithm is positive and not 1, got {base}")
    return nats / math.log(base)


def _check_pair(name: str, p: Tensor, q: Tensor, dim: int) -> None:
    same_shape(name, p, q)
    _check_distribution(name, p, dim)
    _check_distribution(name, q, dim)


def _check_distribution(name: str, p: Tensor, dim: int) -> None:
    """Raise unless the values along ``dim`` are probabilities that add up to 1, up to rounded decimals."""
    floating(name, p)
    behind = axis(name, p, dim) - p.ndim  # counted from the back: ``vmap`` has axes in front
    probabilities(name, "distribution", p)
    values = p._all_values()
    totals = np.asarray(values.sum(behind) if values.ndim else values)
    wrong = totals[np.abs(totals - 1) > 1e-3]
    if wrong.size:
        raise RangeError(
            f"{name}: the probabilities of {p._type()} along dim={dim} must add up to 1, got {wrong.flat[0]:g}; divide by the sum"
        )
