"""Normalisation: values brought to mean 0 and variance 1 over some axes, then scaled and shifted."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...functions import pointwise, reduce
from ...functions.arguments import floating
from ...functions.shape import reshape
from ...modes import no_grad
from ...tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last axes (Ba et al. 2016), var biased.

    normalized_shape  the last axes of ``input``; weight and bias have this shape
    """
    out, _, _ = _standardized(input, _last_axes("layer_norm", input, normalized_shape), eps)
    return _scaled(out, weight, bias)


def rms_norm(input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """``x / sqrt(mean(x²) + eps) * weight`` over the last axes (Zhang & Sennrich 2019); eps: default the dtype's own."""
    dims = _last_axes("rms_norm", input, normalized_shape)
    power = reduce.mean(input * input, dims, True)
    return _scaled(input / pointwise.sqrt(power + (np.finfo(input.dtype).eps.item() if eps is None else eps)), weight, None)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel (Ioffe & Szegedy 2015).

    input         ``(N, C)`` or ``(N, C, d1, ...)``
    running_mean  ``(C,)``, as running_var, weight and bias
    training      with mean and (biased) variance of the batch; the running ones, unless None, are moved towards the batch's
                  in place: ``running = (1 - momentum) running + momentum batch``, the variance unbiased. Else with the running
    Raises ValueError for a single value per channel in training, and where statistics are missing.
    """
    floating("batch_norm", input)
    if input.ndim < 2:
        raise ShapeError(f"batch_norm: needs (N, C, ...), got {input._type()}")
    channels, dims = input.shape[1], (0, *range(2, input.ndim))
    _check_channels("batch_norm", channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    count = input.numel() // max(channels, 1)
    if training:
        if count == 1:
            raise ValueError(f"batch_norm: training needs more than one value per channel, got {input._type()}")
        out, mean, var = _standardized(input, dims, eps)
        _follow(running_mean, mean, momentum)
        _follow(running_var, var * (count / (count - 1)) if count else var, momentum)
    elif running_mean is None or running_var is None:
        raise ArgumentError("batch_norm: without training it needs running_mean and running_var")
    else:
        center, spread = _per_channel(running_mean, input), _per_channel(running_var, input)
        out = (input - center) / pointwise.sqrt(spread + eps)
    return _scaled_channels(out, weight, bias)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalised over each of ``num_groups`` groups of channels of each example (Wu & He 2018).

    input ``(N, C, ...)``; weight and bias ``(C,)``. Raises ShapeError unless the groups divide C.
    """
    if input.ndim < 2 or num_groups <= 0 or input.shape[1] % num_groups:
        raise ShapeError(f"group_norm: the channels (axis 1) of {input._type()} do not divide into {num_groups} groups")
    _check_channels("group_norm", input.shape[1], weight=weight, bias=bias)
    length = prod(input.shape[1:]) // num_groups
    groups = reshape(input, input.shape[0], num_groups, length)
    return _scaled_channels(reshape(_standardized(groups, (2,), eps)[0], input.shape), weight, bias)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalised over the places of each channel of each example (Ulyanov et al. 2016); arguments as of ``batch_norm``.

    use_input_stats: with the statistics of the input, towards whose mean over examples the running ones are moved.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if input.ndim < 3:
        raise ShapeError(f"instance_norm: needs (N, C, d1, ...), got {input._type()}")
    _check_channels(
        "instance_norm", input.shape[1], running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    count = prod(input.shape[2:])
    if count == 1:
        raise ValueError(f"instance_norm: needs more than one place per channel, got {input._type()}")
    out, mean, var = _standardized(input, tuple(range(2, input.ndim)), eps)
    _follow(running_mean, reduce.mean(mean, 0), momentum)
    _follow(running_var, reduce.mean(var, 0) * (count / (count - 1)) if count else var, momentum)
    return _scaled_channels(out, weight, bias)


# ---- what they share ----


def _standardized(x: Tensor, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """``(x - mean) / sqrt(var + eps)`` with mean and biased variance over ``dims``, whose axes they keep."""
    mean = reduce.mean(x, dims, True)
    centered = x - mean
    var = reduce.mean(centered * centered, dims, True)
    return centered / pointwise.sqrt(var + eps), mean, var


def _follow(running: Tensor | None, now: Tensor, momentum: Any) -> None:
    """``running = (1 - momentum) running + momentum now``, in place and unseen by gradients."""
    if running is not None:
        with no_grad():
            running.mul_(1 - momentum).add_(reshape(now.detach(), running.shape) * momentum)


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _scaled_channels(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    weight, bias = (None if t is None else _per_channel(t, x) for t in (weight, bias))
    return _scaled(x, weight, bias)


def _per_channel(t: Tensor, x: Tensor) -> Tensor:
    return reshape(t, -1, *(1,) * (x.ndim - 2))


def _last_axes(name: str, x: Tensor, shape: Sequence[int]) -> tuple[int, ...]:
    floating(name, x)
    wanted = tuple(shape)
    if not wanted or x.shape[x.ndim - len(wanted) :] != wanted or x.ndim < len(wanted):
        raise ShapeError(f"{name}: the last axes of {x._type()} are not normalized_shape={list(wanted)}")
    return tuple(range(x.ndim - len(wanted), x.ndim))


def _check_channels(name: str, channels: int, **parts: Tensor | None) -> None:
    for key, part in parts.items():
        if part is not None and part.shape != (channels,):
            raise ShapeError(f"{name}: {key} must hold one number per channel, {channels} in all, got {part._type()}")
