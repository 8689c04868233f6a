"""Dropout: values, channels or, before ``selu``, values at its lower limit, left out at random in training."""

from __future__ import annotations

from ...errors import ShapeError
from ...functions import pointwise
from ...functions.generator import Generator
from ...functions.random import bernoulli_mask
from ...inplace import replace
from ...tensor import Tensor

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d"]


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Each value 0 with probability p, the others divided by 1 - p (Srivastava et al. 2014, inverted): the mean stays.

    inplace    write the result into ``input``
    generator  of the random numbers; default: the global one
    Raises ValueError for p outside [0, 1].
    """
    if inplace:
        return replace(input, dropout, "dropout", p, training, generator=generator)
    _check_probability("dropout", p)
    return _kept(input, input.shape, p, generator) if training and p > 0 else input


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """``dropout`` of whole channels (Tompson et al. 2015): input ``(N, C, L)`` or one example ``(C, L)``."""
    return _channel_dropout("dropout1d", input, p, training, inplace, generator, {2: 1, 3: 2})


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """``dropout`` of whole channels: input ``(N, C, H, W)`` or, as in PyTorch, ``(N, C, L)``."""
    return _channel_dropout("dropout2d", input, p, training, inplace, generator, {3: 2, 4: 2})


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """``dropout`` of whole channels: input ``(N, C, D, H, W)`` or one example ``(C, D, H, W)``."""
    return _channel_dropout("dropout3d", input, p, training, inplace, generator, {4: 1, 5: 2})


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Dropout for ``selu`` (Klambauer et al. 2017): dropped values become its lower limit, then mean 0 and variance 1 are restored.

    Raises ValueError for p outside [0, 1].
    """
    if inplace:
        return replace(input, alpha_dropout, "alpha_dropout", p, training, generator=generator)
    _check_probability("alpha_dropout", p)
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0.0
    lowest = -1.7580993408473766
    scale = ((1 - p) * (1 + p * lowest * lowest)) ** -0.5
    kept = bernoulli_mask(input.shape, 1 - p, generator)
    result: Tensor = pointwise.where(kept, input, lowest) * scale - scale * p * lowest
    return result


def _kept(input: Tensor, shape: tuple[int, ...], p: float, generator: Generator | None) -> Tensor:
    """What a mask of ``shape``, which broadcasts to the input, leaves of it, divided by 1 - p."""
    mask = bernoulli_mask(shape, 1 - p, generator)
    return pointwise.where(mask, input * (1 / (1 - p) if p < 1 else 0.0), 0.0)


def _channel_dropout(
    name: str, input: Tensor, p: float, training: bool, inplace: bool, generator: Generator | None, leading: dict[int, int]
) -> Tensor:
    """leading: by the number of axes, how many of them the mask has: those of examples and channels."""
    _check_probability(name, p)
    if input.ndim not in leading:
        raise ShapeError(f"{name}: needs {' or '.join(f'{n}-d' for n in leading)} input, got {input._type()}")
    if not training or p == 0:
        return input
    axes = leading[input.ndim]
    shape = input.shape[:axes] + (1,) * (input.ndim - axes)
    return replace(input, _kept, name, shape, p, generator) if inplace else _kept(input, shape, p, generator)


def _check_probability(name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: the probability must lie in [0, 1], got {p}")
