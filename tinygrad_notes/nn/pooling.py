"""Pooling, unfold and fold as modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ..tensor import Tensor
from . import functional as F
from .applied import Applied
from .functional.windows import per_axis
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d",
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "Fold", "MaxPool1d", "MaxPool2d", "MaxPool3d", "Unfold",
]  # fmt: skip

Sizes = int | Sequence[int]


class _MaxPool(Module):
    _function: ClassVar[Callable[..., Any]]

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.return_indices, self.ceil_mode = padding, dilation, return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        """input ``(N, C, *lengths)`` or ``(C, *lengths)``; with return_indices also the places."""
        settings = (self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)
        return type(self)._function(input, self.kernel_size, *settings)

    def extra_repr(self) -> str:
        shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        return ", ".join(f"{key}={getattr(self, key)}" for key in shown)


class MaxPool1d(_MaxPool):
    """The largest value of each window: ``F.max_pool1d``."""

    _function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """``MaxPool1d`` over two axes."""

    _function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """``MaxPool1d`` over three axes."""

    _function = staticmethod(F.max_pool3d)


class AvgPool1d(Module):
    """The mean of each window: ``F.avg_pool1d``."""

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        self.kernel_size = per_axis("AvgPool1d", "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else per_axis("AvgPool1d", "stride", stride, 1)
        self.padding = per_axis("AvgPool1d", "padding", padding, 1, 0)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """input ``(N, C, L)`` or ``(C, L)``."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPool(Module):
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """input ``(N, C, *lengths)`` or ``(C, *lengths)``."""
        settings = (self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)
        return type(self)._function(input, self.kernel_size, *settings)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_AvgPool):
    """``AvgPool1d`` over two axes."""

    _function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """``AvgPool1d`` over three axes."""

    _function = staticmethod(F.avg_pool3d)


class _Adaptive(Applied):
    def extra_repr(self) -> str:
        return f"output_size={vars(self)['output_size']}"


class AdaptiveAvgPool1d(_Adaptive, function=F.adaptive_avg_pool1d, settings="output_size"):
    """The mean of so many windows that cover the axis, whatever its length."""


class AdaptiveAvgPool2d(_Adaptive, function=F.adaptive_avg_pool2d, settings="output_size"):
    """``AdaptiveAvgPool1d`` over two axes."""


class AdaptiveAvgPool3d(_Adaptive, function=F.adaptive_avg_pool3d, settings="output_size"):
    """``AdaptiveAvgPool1d`` over three axes."""


class AdaptiveMaxPool1d(_Adaptive, function=F.adaptive_max_pool1d, settings="output_size return_indices"):
    """The largest value of so many windows that cover the axis, whatever its length."""


class AdaptiveMaxPool2d(_Adaptive, function=F.adaptive_max_pool2d, settings="output_size return_indices"):
    """``AdaptiveMaxPool1d`` over two axes."""


class AdaptiveMaxPool3d(_Adaptive, function=F.adaptive_max_pool3d, settings="output_size return_indices"):
    """``AdaptiveMaxPool1d`` over three axes."""


class Unfold(Applied, function=F.unfold, settings="kernel_size dilation padding stride"):
    """Windows as columns."""


class Fold(Applied, function=F.fold, settings="output_size kernel_size dilation padding stride"):
    """The sum of windows, given as columns."""
