"""Normalisation as modules: they hold weight, bias and running statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..dtypes import int64
from ..functions.creation import ones, zeros
from ..modes import no_grad
from ..tensor import Tensor
from . import functional as F
from .module import Module, Parameter

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "LayerNorm",
    "RMSNorm",
]  # fmt: skip


def _start(module: Module, shape: tuple[int, ...], weight: bool, bias: bool, dtype: Any) -> None:
    """weight 1 and bias 0, or None."""
    module.register_parameter("weight", Parameter(ones(shape, dtype=dtype)) if weight else None)
    module.register_parameter("bias", Parameter(zeros(shape, dtype=dtype)) if weight and bias else None)


class LayerNorm(Module):
    """Over the last axes, ``normalized_shape`` (an int: the last one); weight and bias of this shape start at 1 and 0."""

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        _start(self, self.normalized_shape, elementwise_affine, bias, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(*, *normalized_shape)``."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        shown = f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        return f"{shown}, bias={self.bias is not None}"


class RMSNorm(Module):
    """Over the last axes by their root mean square; weight starts at 1."""

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: Any = None,
    ) -> None:
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.register_parameter("weight", Parameter(ones(self.normalized_shape, dtype=dtype)) if elementwise_affine else None)

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(*, *normalized_shape)``."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Over groups of channels of each example; weight and bias ``(num_channels,)`` start at 1 and 0."""

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        if num_groups <= 0 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_channels} channels do not divide into {num_groups} groups")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        _start(self, (num_channels,), affine, bias, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(N, C, ...)``."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        shown = f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
        return f"{shown}, bias={self.bias is not None}"


class _Running(Module):
    """Per channel: weight and bias, running mean and variance.

    num_features         channels C
    eps                  added to the variance
    momentum             the batch's share in the running statistics; None: all batches count alike (BatchNorm)
    affine               with weight (1 at first) and bias (0)
    track_running_stats  with running_mean and running_var, which evaluation uses
    """

    _ndims: ClassVar[tuple[int, ...]]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        self.num_features, self.eps, self.momentum, self.affine = num_features, eps, momentum, affine
        self.track_running_stats = track_running_stats
        _start(self, (num_features,), affine, bias, dtype)
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=int64) if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Back to mean 0 and variance 1."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            with no_grad():
                self.running_mean.zero_()
                self.running_var.fill_(1.0)
                self.num_batches_tracked.zero_()

    def _check(self, input: Tensor) -> None:
        if input.ndim not in self._ndims:
            wanted = " or ".join(f"{n}-d" for n in self._ndims)
            raise ValueError(f"{type(self).__name__}: expected {wanted} input, got {input._type()}")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Running):
    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(N, C, ...)``."""
        self._check(input)
        batch, momentum = self.training or self.running_mean is None, self.momentum
        if self.training and self.num_batches_tracked is not None:
            with no_grad():
                self.num_batches_tracked.add_(1)
                share: Any = 1 / self.num_batches_tracked.double() if momentum is None else momentum
        else:
            share = 0.0
        return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, batch, share, self.eps)


class BatchNorm1d(_BatchNorm):
    """Per channel over the batch; input ``(N, C)`` or ``(N, C, L)``."""

    _ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Per channel over the batch; input ``(N, C, H, W)``."""

    _ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """Per channel over the batch; input ``(N, C, D, H, W)``."""

    _ndims = (5,)


class _InstanceNorm(_Running):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(N, C, ...)``, or one example ``(C, ...)``."""
        if input.ndim == self._ndims[0] - 1:
            return self.forward(input.unsqueeze(0)).squeeze(0)
        self._check(input)
        own, share = self.training or self.running_mean is None, self.momentum or 0.0
        return F.instance_norm(input, self.running_mean, self.running_var, self.weight, self.bias, own, share, self.eps)


class InstanceNorm1d(_InstanceNorm):
    """Per channel and example; input ``(N, C, L)``."""

    _ndims = (3,)


class InstanceNorm2d(_InstanceNorm):
    """Per channel and example; input ``(N, C, H, W)``."""

    _ndims = (4,)


class InstanceNorm3d(_InstanceNorm):
    """Per channel and example; input ``(N, C, D, H, W)``."""

    _ndims = (5,)
