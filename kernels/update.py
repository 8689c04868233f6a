"""Optimizers' steps on one parameter, in place and in one pass over memory: Adam and its kin, gradient descent with momentum.

All arrays of a call have one dtype and one shape. Numbers are float64: bias corrections are made in it and rounded once.
Own kernels where they win (``gates.py``), numpy elsewhere, with the same results to a few ulp.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from . import gates
from .calls import kernel

__all__ = ["adam", "sgd"]

Array = np.ndarray[Any, Any]

_NAMES = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}


def _name(p: Array, *others: Array) -> str | None:
    """The kernels' name of the dtype, if all arrays are as the kernels want them: in one order, without gaps."""
    name = _NAMES.get(p.dtype) if p.size >= gates.UPDATE and p.flags.forc else None
    if name and all(other.strides == p.strides and other.dtype == p.dtype and other.shape == p.shape for other in others):
        return name
    return None


def adam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    top: Array | None = None,
    *,
    step: float,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float = 0.0,
    decoupled: bool = False,
    maximize: bool = False,
) -> None:
    """``m += (g - m) (1 - β1);  v = β2 v + (1 - β2) g²;  p -= lr m̂ / (sqrt(v̂) + eps)``, m̂ = m / (1-β1ᵗ), v̂ = v / (1-β2ᵗ).

    top           the largest v so far, which stands for v in the last formula: AMSGrad
    step          t, from 1 on
    weight_decay  ``g + weight_decay p`` for g, or, decoupled, ``p (1 - lr weight_decay)`` for p
    maximize      ``-g`` for g
    """
    beta1, beta2 = betas
    root = sqrt(1 - beta2**step)
    rate, floor = lr / (1 - beta1**step) * root, eps * root
    penalty, kept = (0.0, 1 - lr * weight_decay) if decoupled else (weight_decay, 1.0)
    arrays = (g, m, v) if top is None else (g, m, v, top)
    if name := _name(p, *arrays):
        call = kernel("update", f"{'adam' if top is None else 'amsgrad'}_{name}", "6q8d")
        if call is not None:
            sign = -1.0 if maximize else 1.0
            words = id(p), id(g), id(m), id(v), id(top), sign, penalty, kept, 1 - beta1, beta2, 1 - beta2, rate, floor
            call(p.size * gates.ADAM[name], p.size, *words)
            return
    number = p.dtype.type
    g = _penalised(p, g, penalty, maximize)
    if decoupled:
        p *= number(kept)
    m += (g - m) * number(1 - beta1)
    v *= number(beta2)
    v += g * g * number(1 - beta2)
    if top is not None:
        np.maximum(top, v, out=top)
    p -= number(rate) * m / (np.sqrt(v if top is None else top) + number(floor))


def sgd(
    p: Array,
    g: Array,
    b: Array | None = None,
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> None:
    """``b = momentum b + (1 - dampening) g;  p -= lr b``, with Nesterov ``p -= lr (g + momentum b)``; without b ``p -= lr g``.

    weight_decay  ``g + weight_decay p`` for g
    maximize      ``-g`` for g
    """
    if name := _name(p, *((g,) if b is None else (g, b))):
        variant = "descent" if b is None else "nesterov" if nesterov else "momentum"
        call = kernel("update", f"{variant}_{name}", "4q5d")
        if call is not None:
            sign = -1.0 if maximize else 1.0
            call(
                p.size * gates.SGD[name], p.size, id(p), id(g), id(b), sign, weight_decay, momentum, 1 - dampening, lr
            )  # fmt: skip
            return
    number = p.dtype.type
    g = _penalised(p, g, weight_decay, maximize)
    if b is not None:
        b *= number(momentum)
        b += g * number(1 - dampening)
        g = g + number(momentum) * b if nesterov else b
    p -= number(lr) * g


def _penalised(p: Array, g: Array, penalty: float, maximize: bool) -> Array:
    """The gradient that is followed."""
    g = -g if maximize else g
    return g + p.dtype.type(penalty) * p if penalty else g
