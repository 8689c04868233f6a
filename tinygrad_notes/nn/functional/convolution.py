"""Convolution as windows and a matrix product, and its transpose: the sum of the windows that each input value makes.

    out[n, o, l] = sum_k W[o, k] columns(x)[n, k, l] + b[o]        k runs over channels and places in the window

Guide to the arithmetic of sizes: Dumoulin & Visin 2016, arXiv:1603.07285.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...errors import DtypeError, RangeError, ShapeError, describe
from ...functions.arguments import floating
from ...functions.linalg import matmul
from ...functions.padding import pad
from ...functions.shape import permute, reshape, squeeze
from ...optable import p
from ...tensor import Tensor
from .windows import Shape, batch_of_one, columns, fit, per_axis

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "fold", "unfold",
]  # fmt: skip

Sizes = int | Sequence[int]


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: str | Sizes = 0, dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """``out[n, o, t] = b[o] + sum_{c, k} W[o, c, k] x[n, c, stride t + dilation k - padding]``.

    input    ``(N, C, L)`` or ``(C, L)``
    weight   ``(O, C / groups, K)``; bias ``(O,)``
    padding  zeros at both ends; "valid" is none, "same" keeps the length (stride 1 only, an odd one goes to the end)
    groups   the channels are divided into so many, each with its own share of the outputs
    Raises ShapeError where channels, groups or lengths do not fit.
    """
    return _convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: str | Sizes = 0, dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """``conv1d`` over two axes. input ``(N, C, H, W)`` or ``(C, H, W)``, weight ``(O, C / groups, KH, KW)``."""
    return _convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: str | Sizes = 0, dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """``conv1d`` over three axes. input ``(N, C, D, H, W)`` or ``(C, D, H, W)``, weight ``(O, C / groups, KD, KH, KW)``."""
    return _convolution("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _convolution(
    name: str, axes: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes, padding: str | Sizes,
    dilation: Sizes, groups: int,
) -> Tensor:  # fmt: skip
    x, single = _operands(name, axes, input, weight, bias)
    step, apart = per_axis(name, "stride", stride, axes), per_axis(name, "dilation", dilation, axes)
    size, out_channels = weight.shape[2:], weight.shape[0]
    if groups < 1 or out_channels % groups or x.shape[1] != weight.shape[1] * groups:
        raise ShapeError(
            f"{name}: weight {weight._type()} with groups={groups} reads {weight.shape[1] * groups} channels and must divide "
            f"its {out_channels} outputs; the input {input._type()} has {x.shape[1]} channels"
        )
    if bias is not None and bias.shape != (out_channels,):
        raise ShapeError(f"{name}: the bias must be ({out_channels},), as weight {weight._type()} needs, got {bias._type()}")
    ends = paddings(name, padding, size, step, apart)
    x = pad(x, ends) if any(ends) else x
    fit(name, input, size, apart, x.shape[2:])
    found, counts = columns(x, size, step, apart)
    grouped = reshape(found, x.shape[0], groups, weight.shape[1] * prod(size), prod(counts))
    out = _mix(reshape(weight, groups, out_channels // groups, weight.shape[1] * prod(size)), grouped)
    return _finished(reshape(out, x.shape[0], out_channels, *counts), bias, single)


def paddings(name: str, padding: str | Sizes, size: Shape, step: Shape, dilation: Shape) -> list[int]:
    """What ``pad`` takes: two numbers per axis, the last axis first. Raises ValueError for a word that is not known."""
    if not isinstance(padding, str):
        return [n for n in reversed(per_axis(name, "padding", padding, len(size), 0)) for _ in range(2)]
    if padding not in ("same", "valid"):
        raise RangeError(f"{name}: padding must be an integer, one per axis, 'valid' or 'same', got {padding!r}")
    if padding == "valid":
        return [0] * 2 * len(size)
    if set(step) != {1}:
        raise RangeError(f"{name}: padding='same' keeps the length with stride 1 only, got stride {step}")
    totals = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
    return [n for total in reversed(totals) for n in (total // 2, total - total // 2)]


def _operands(name: str, axes: int, input: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, bool]:
    x, single = batch_of_one(name, input, axes)
    floating(name, x)
    if weight.ndim != axes + 2 or 0 in weight.shape[2:]:
        raise ShapeError(f"{name}: the weight must be (out, in / groups, window of {axes} axes), got {weight._type()}")
    if any(t is not None and t.dtype != x.dtype for t in (weight, bias)):
        shown = describe(t._array for t in (input, weight, bias) if t is not None)
        raise DtypeError(f"{name}({shown}): all need one dtype; cast with .to(dtype)")
    return x, single


def _mix(weight: Tensor, x: Tensor) -> Tensor:
    """weight ``(G, A, B)`` times x ``(N, G, B, L)``: one small product per example while its share of the weight's gradient
    is no larger than the data, else one large product."""
    groups, rows, shared = weight.shape
    count, length = x.shape[0], x.shape[-1]
    if min(rows, shared) <= length:
        return matmul(weight[0] if groups == 1 else weight, x)
    joined = reshape(permute(x, 1, 2, 0, 3), groups, shared, count * length)
    out = matmul(weight, joined)
    return permute(reshape(out, groups, rows, count, length), 2, 0, 1, 3)


def _finished(out: Tensor, bias: Tensor | None, single: bool) -> Tensor:
    if bias is not None:
        out = out + reshape(bias, -1, *(1,) * (out.ndim - 2))
    return squeeze(out, 0) if single else out


# ---- the transpose ----


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0,
    groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """What the gradient of ``conv1d`` does to a gradient: each input value adds its window, ``x[n, c, t] W[c, o, :]``, to the output.

    input           ``(N, C, L)`` or ``(C, L)``
    weight          ``(C, O / groups, K)``; bias ``(O,)``
    padding         so many are cut off both ends of the result
    output_padding  so many are added at its end; below stride or dilation
    The result's length is ``(L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1``.
    """
    return _transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0,
    groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """``conv_transpose1d`` over two axes. input ``(N, C, H, W)`` or ``(C, H, W)``, weight ``(C, O / groups, KH, KW)``."""
    return _transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0,
    groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """``conv_transpose1d`` over three axes. input ``(N, C, D, H, W)``, weight ``(C, O / groups, KD, KH, KW)``."""
    return _transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _transposed(
    name: str, axes: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes, padding: Sizes,
    output_padding: Sizes, groups: int, dilation: Sizes,
) -> Tensor:  # fmt: skip
    x, single = _operands(name, axes, input, weight, bias)
    step, apart = per_axis(name, "stride", stride, axes), per_axis(name, "dilation", dilation, axes)
    cut, extra = per_axis(name, "padding", padding, axes, 0), per_axis(name, "output_padding", output_padding, axes, 0)
    size, (channels, share) = weight.shape[2:], weight.shape[:2]
    if groups < 1 or channels % groups or x.shape[1] != channels:
        raise ShapeError(
            f"{name}: weight {weight._type()} reads {channels} channels, which groups={groups} must divide; the input "
            f"{input._type()} has {x.shape[1]} channels"
        )
    if bias is not None and bias.shape != (share * groups,):
        raise ShapeError(f"{name}: the bias must be ({share * groups},), as weight {weight._type()} needs, got {bias._type()}")
    if any(e >= max(s, d) for e, s, d in zip(extra, step, apart, strict=True)):
        raise RangeError(f"{name}: output_padding={extra} must be below stride {step} or dilation {apart}")
    counts = x.shape[2:]
    full = tuple((n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(counts, step, apart, size, strict=True))
    lengths = [n - 2 * c + e for n, c, e in zip(full, cut, extra, strict=True)]
    if min(lengths) < 1 or 0 in counts:
        raise ShapeError(f"{name}: the result of {input._type()} would have the lengths {lengths}")
    per_group = reshape(weight, groups, channels // groups, share * prod(size)).mT
    found = _mix(per_group, reshape(x, x.shape[0], groups, channels // groups, prod(counts)))
    windows = reshape(found, x.shape[0], share * groups, *size, *counts)
    whole = (x.shape[0], share * groups, *full)
    out: Tensor = p.unpatches(windows, dim=2, size=size, step=step, dilation=apart, shape=whole)
    ends = [n for c, e in zip(reversed(cut), reversed(extra), strict=True) for n in (-c, e - c)]
    return _finished(pad(out, ends) if any(ends) else out, bias, single)


# ---- windows as columns, and back ----


def unfold(input: Tensor, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> Tensor:
    """The windows of ``(N, C, H, W)`` or ``(C, H, W)`` as columns: ``(N, C KH KW, L)`` for L windows."""
    x, single = batch_of_one("unfold", input, 2)
    size, step, apart, around = _geometry("unfold", kernel_size, dilation, padding, stride)
    ends = paddings("unfold", around, size, step, apart)
    x = pad(x, ends) if any(ends) else x
    fit("unfold", input, size, apart, x.shape[2:])
    found: Tensor = p.patches(x, dim=2, size=size, step=step, dilation=apart)
    counts = found.shape[4:]
    out = reshape(found, x.shape[0], x.shape[1] * prod(size), prod(counts))
    return squeeze(out, 0) if single else out


def fold(
    input: Tensor, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Tensor:
    """The sum of overlapping windows, the transpose of ``unfold``: ``(N, C KH KW, L)`` to ``(N, C, *output_size)``.

    Raises ShapeError unless L is the number of windows in ``output_size``, and K divides the columns.
    """
    x, single = batch_of_one("fold", input, 1)
    size, step, apart, around = _geometry("fold", kernel_size, dilation, padding, stride)
    lengths = per_axis("fold", "output_size", output_size, 2)
    full = tuple(n + 2 * a for n, a in zip(lengths, around, strict=True))
    counts = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(full, size, step, apart, strict=True))
    if x.shape[1] % prod(size) or min(counts) < 1 or x.shape[2] != prod(counts):
        raise ShapeError(
            f"fold: {input._type()} must be (N, C * {prod(size)}, {prod(counts) if min(counts) > 0 else 0}) for windows {size} in "
            f"output_size={lengths}"
        )
    windows = reshape(x, x.shape[0], x.shape[1] // prod(size), *size, *counts)
    out: Tensor = p.unpatches(windows, dim=2, size=size, step=step, dilation=apart, shape=(*windows.shape[:2], *full))
    ends = [-n for n in reversed(around) for _ in range(2)]
    out = pad(out, ends) if any(ends) else out
    return squeeze(out, 0) if single else out


def _geometry(
    name: str, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> tuple[Shape, Shape, Shape, Shape]:
    found = [per_axis(name, "kernel_size", kernel_size, 2), per_axis(name, "stride", stride, 2)]
    found += [per_axis(name, "dilation", dilation, 2), per_axis(name, "padding", padding, 2, 0)]
    return found[0], found[1], found[2], found[3]
