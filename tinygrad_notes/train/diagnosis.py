"""Why a model errs: bias, variance and noise measured over many training sets; underfitting and overfitting read off losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

__all__ = ["BiasVariance", "Diagnosis", "bias_variance", "diagnose"]

Array = np.ndarray[Any, Any]


class Model(Protocol):
    """What scikit-learn's regressors are."""

    def fit(self, X: Any, y: Any) -> Any:
        """Learn from inputs ``(N, ...)`` and targets ``(N,)``."""

    def predict(self, X: Any) -> Any:
        """The targets ``(M,)`` of inputs ``(M, ...)``."""


@dataclass(frozen=True)
class BiasVariance:
    """``error = bias2 + variance + noise`` of squares, the mean over points and training sets (Geman et al. 1992).

    truth        what the models should predict, ``(M,)``
    predictions  of a model trained on each set, ``(sets, M)``
    noise        variance of the targets about the truth
    error        mean square of prediction minus a new noisy target, measured: it differs from the sum by chance alone
    """

    truth: Array
    predictions: Array
    noise: float
    error: float

    @property
    def bias2(self) -> float:
        """Square of mean prediction minus truth. With few sets too high, by ``variance / sets``."""
        return float(np.mean((self.predictions.mean(0) - self.truth) ** 2))

    @property
    def variance(self) -> float:
        """Of the predictions over the training sets."""
        return float(np.mean(self.predictions.var(0)))


def bias_variance(
    model_factory: Callable[[], Model],
    draw: Callable[[np.random.Generator], Array],
    truth: Callable[[Array], Array],
    points: Array,
    *,
    noise: float,
    sets: int = 100,
    seed: int = 0,
) -> BiasVariance:
    """Train a new model on each of many training sets, and take its square error apart.

    model_factory  makes a model with ``fit(x, y)`` and ``predict(x)``; one that starts at random adds to the variance
    draw           gives the inputs of a training set, ``(N, ...)``, from random numbers
    truth          the function to be learned: inputs to targets ``(N,)``, without noise
    points         where the predictions are compared, ``(M, ...)``
    noise          standard deviation of the normal noise of targets
    seed           of inputs and noise
    Raises ValueError for fewer than two sets, negative noise, or predictions that are no ``(M,)``.
    """
    if sets < 2 or not noise >= 0:
        raise ValueError(f"bias_variance: needs two sets or more and noise >= 0, got sets={sets}, noise={noise}")
    rng = np.random.default_rng(seed)
    expected = np.asarray(truth(points), np.float64)
    predictions, errors = np.empty((sets, len(points))), np.empty(sets)
    for i in range(sets):
        x = draw(rng)
        target = np.asarray(truth(x), np.float64)
        model = model_factory()
        model.fit(x, target + noise * rng.standard_normal(target.shape))
        found = np.asarray(model.predict(points))
        if found.shape != expected.shape or expected.ndim != 1:
            raise ValueError(
                f"bias_variance: predictions {list(found.shape)} do not fit the truth {list(expected.shape)}, (M,)"
            )
        predictions[i] = found
        errors[i] = np.mean((found - expected - noise * rng.standard_normal(len(points))) ** 2)
    return BiasVariance(expected, predictions, noise**2, float(errors.mean()))


@dataclass(frozen=True)
class Diagnosis:
    """What the ends of two curves of losses say.

    bias     last training loss over the acceptable one: what a larger model or longer training could win
    gap      last validation loss over the last training loss: what more data or regularisation could win
    best     where the validation loss was least
    rise     how much it has risen since: what stopping there would have won
    verdict  "underfitting", "overfitting", "underfitting and overfitting" or "fits"
    """

    bias: float
    gap: float
    best: int
    rise: float
    verdict: str


def diagnose(training: Sequence[float], validation: Sequence[float], *, acceptable: float, tolerance: float) -> Diagnosis:
    """Read curves of losses, over epochs or over sizes of the training set.

    acceptable  the loss that would be good enough
    tolerance   how much bias is no underfitting yet, how much gap or rise no overfitting
    Raises ValueError for curves that are empty, of different lengths or not finite at their ends.
    """
    if len(training) != len(validation) or not len(training):
        raise ValueError(f"diagnose: needs two curves of one length, got {len(training)} and {len(validation)} losses")
    last, last_validation = float(training[-1]), float(validation[-1])
    if not np.isfinite([last, last_validation, acceptable]).all() or not tolerance >= 0:
        raise ValueError(
            f"diagnose: the last losses must be finite and the tolerance 0 or more, got {last}, {last_validation} and {tolerance}"
        )
    best = int(np.nanargmin(np.asarray(validation, np.float64)))
    bias, gap, rise = last - acceptable, last_validation - last, last_validation - float(validation[best])
    faults = {"underfitting": bias > tolerance, "overfitting": max(gap, rise) > tolerance}
    return Diagnosis(bias, gap, best, rise, " and ".join(name for name, true in faults.items() if true) or "fits")
