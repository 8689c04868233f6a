"""Convolution and its transpose as modules (LeCun et al. 1989), with PyTorch's parameters and first values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, ClassVar

from ..functions.padding import pad
from ..tensor import Tensor
from . import functional as F
from .functional.convolution import paddings
from .functional.windows import Shape, per_axis
from .layers import uniform_parameter
from .module import Module

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Sizes = int | Sequence[int]


class _Convolution(Module):
    """What all of them hold; a subclass names its number of axes and its function."""

    _axes: ClassVar[int]
    _function: ClassVar[Callable[..., Tensor]]
    padding: str | Shape
    output_padding: Shape

    def _set_up(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes, padding: str | Sizes, dilation: Sizes,
        groups: int, padding_mode: str,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"{name}: groups={groups} must divide both {in_channels} and {out_channels} channels")
        self.in_channels, self.out_channels, self.groups, self.padding_mode = in_channels, out_channels, groups, padding_mode
        self.kernel_size = per_axis(name, "kernel_size", kernel_size, self._axes)
        self.stride = per_axis(name, "stride", stride, self._axes)
        self.dilation = per_axis(name, "dilation", dilation, self._axes)
        self.padding = padding if isinstance(padding, str) else per_axis(name, "padding", padding, self._axes, 0)
        self.output_padding = (0,) * self._axes

    def _start(self, shape: Shape, bias: bool, dtype: Any) -> None:
        fan_in = prod(shape[1:])
        self.weight = uniform_parameter(shape, fan_in, dtype)
        self.bias = uniform_parameter((self.out_channels,), fan_in, dtype) if bias else None

    def extra_repr(self) -> str:
        none, one = (0,) * self._axes, (1,) * self._axes
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        usual = {"padding": none, "dilation": one, "output_padding": none, "groups": 1}
        parts += [f"{key}={getattr(self, key)}" for key, value in usual.items() if getattr(self, key) != value]
        parts += ["bias=False"] if self.bias is None else []
        parts += [f"padding_mode={self.padding_mode}"] if self.padding_mode != "zeros" else []
        return ", ".join(parts)


class _Forward(_Convolution):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: str | Sizes = 0,
        dilation: Sizes = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", dtype: Any = None,
    ) -> None:  # fmt: skip
        self._set_up(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        name = type(self).__name__
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"{name}: padding_mode must be 'zeros', 'reflect', 'replicate' or 'circular', got {padding_mode!r}"
            )
        if isinstance(padding, str) and (padding not in ("same", "valid") or (padding == "same" and set(self.stride) != {1})):
            raise ValueError(f"{name}: padding must be numbers, 'valid', or, with stride 1, 'same'; got {padding!r}")
        self._start((out_channels, in_channels // groups, *self.kernel_size), bias, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """input ``(N, C, *lengths)`` or ``(C, *lengths)``; result with the output channels in place of C."""
        padding = self.padding
        if self.padding_mode != "zeros":
            ends = paddings(type(self).__name__, padding, self.kernel_size, self.stride, self.dilation)
            input, padding = pad(input, ends, self.padding_mode), (0,) * self._axes
        return type(self)._function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Forward):
    """``F.conv1d`` with learned weights.

    in_channels, out_channels  of input and result
    kernel_size                length of the window
    stride, padding, dilation, groups  as of ``F.conv1d``
    padding_mode               "zeros", "reflect", "replicate" or "circular"
    weight ``(out, in / groups, K)``, bias ``(out,)`` or None; both start uniform in ±1/sqrt(in K / groups)
    """

    _axes = 1
    _function = staticmethod(F.conv1d)


class Conv2d(_Forward):
    """``Conv1d`` over two axes; weight ``(out, in / groups, KH, KW)``."""

    _axes = 2
    _function = staticmethod(F.conv2d)


class Conv3d(_Forward):
    """``Conv1d`` over three axes; weight ``(out, in / groups, KD, KH, KW)``."""

    _axes = 3
    _function = staticmethod(F.conv3d)


class _Transposed(_Convolution):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Sizes = 0,
        output_padding: Sizes = 0, groups: int = 1, bias: bool = True, dilation: Sizes = 1, padding_mode: str = "zeros",
        dtype: Any = None,
    ) -> None:  # fmt: skip
        self._set_up(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(f"{name}: only padding_mode='zeros' has a transpose, got {padding_mode!r}")
        self.output_padding = per_axis(name, "output_padding", output_padding, self._axes, 0)
        self._start((in_channels, out_channels // groups, *self.kernel_size), bias, dtype)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """input ``(N, C, *lengths)`` or ``(C, *lengths)``; result with the output channels in place of C.

        output_size: the lengths of the result, where several would do; it then says what output_padding is.
        """
        extra = self.output_padding if output_size is None else self._extra(input, tuple(output_size)[-self._axes :])
        return type(self)._function(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, input: Tensor, wanted: Shape) -> Shape:
        cut = per_axis("", "padding", self.padding, self._axes, 0)  # type: ignore[arg-type]
        geometry = zip(input.shape[-self._axes :], self.stride, cut, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * s - 2 * c + d * (k - 1) + 1 for n, s, c, d, k in geometry]
        extra = tuple(w - n for w, n in zip(wanted, least, strict=False))
        if len(extra) != self._axes or any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
            raise ValueError(
                f"{type(self).__name__}: output_size={list(wanted)} must be {least}, or more by less than the stride {self.stride}, "
                f"for {input._type()}"
            )
        return extra


class ConvTranspose1d(_Transposed):
    """``F.conv_transpose1d`` with learned weights: makes lengths longer where ``Conv1d`` makes them shorter.

    weight ``(in, out / groups, K)``, bias ``(out,)`` or None; both start uniform in ±1/sqrt(out K / groups)
    """

    _axes = 1
    _function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_Transposed):
    """``ConvTranspose1d`` over two axes; weight ``(in, out / groups, KH, KW)``."""

    _axes = 2
    _function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_Transposed):
    """``ConvTranspose1d`` over three axes; weight ``(in, out / groups, KD, KH, KW)``."""

    _axes = 3
    _function = staticmethod(F.conv_transpose3d)
