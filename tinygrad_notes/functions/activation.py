"""Activations that PyTorch also has below ``torch`` and as methods: composites; ``nn.functional`` shows them too."""

from __future__ import annotations

from typing import Any

from ..dtypes import canonical_dtype
from ..errors import DtypeError, RangeError, ShapeError
from ..optable import TABLE, p
from ..tensor import Tensor
from . import bounds, pointwise, reduce
from .arguments import axis, floating
from .convert import clone
from .names import numpy_names
from .shape import reshape

__all__ = ["celu", "hardshrink", "log_softmax", "prelu", "relu", "selu", "softmax", "threshold"]

METHODS = "hardshrink log_softmax prelu relu softmax"
INPLACE = "relu"


def relu(input: Tensor) -> Tensor:
    """``max(x, 0)``; the slope at 0 is 0. Raises DtypeError for bools."""
    if input.dtype.kind == "b":
        raise DtypeError(f"relu: {input._type()} holds no numbers; use .float() first")
    result: Tensor = TABLE["relu"].bind(input)
    return result


def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """``x`` where it is above the threshold, else ``value``."""
    return pointwise.where(input <= threshold, value, input)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``x`` where it is positive, else ``weight * x`` (He et al. 2015): one weight, or one per channel (axis 1)."""
    if weight.ndim > 1:
        raise ShapeError(f"prelu: weight must be one number or one per channel, got {weight._type()}")
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if input.ndim == 0 or weight.numel() != channels:
            raise ShapeError(f"prelu: {input._type()} has {channels} channels, but weight is {weight._type()}")
        weight = reshape(weight, -1, *(1,) * (input.ndim - 2))
    elif weight.ndim:
        weight = reshape(weight, (1,) * input.ndim)
    return pointwise.where(input > 0, input, weight * bounds.clamp(input, max=0.0))  # the weight's gradient at inf is 0


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``x`` outside ``[-lambd, lambd]``, else 0."""
    return pointwise.where(pointwise.abs(input) <= lambd, 0.0, input)


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where it is positive, else ``alpha (exp(x / alpha) - 1)`` (Barron 2017). Raises RangeError for alpha = 0."""
    if alpha == 0:
        raise RangeError("celu: alpha cannot be 0")
    return elu(input, alpha, 1 / alpha)


def selu(input: Tensor) -> Tensor:
    """``1.0507 elu(x, alpha=1.6733)``: constants that keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return elu(input, 1.6732632423543772) * 1.0507009873554805


def elu(input: Tensor, alpha: float, rate: float = 1.0) -> Tensor:
    """``x`` where it is positive, else ``alpha (exp(rate x) - 1)``."""
    negative = bounds.clamp(input, max=0.0)  # what is not chosen must not overflow either
    return pointwise.where(input > 0, input, pointwise.expm1(negative if rate == 1 else negative * rate) * alpha)


@numpy_names
def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """``exp(x_i) / sum_j exp(x_j)`` along ``dim``; the largest x is subtracted first, which changes nothing but overflow.

    -inf gets the share 0; NaN where an x is inf, as in PyTorch: several of them would have no limit.
    """
    e = pointwise.exp(_below_top("softmax", input, dim, dtype))
    return e / reduce.sum(e, dim, True)


@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """``x_i - log sum_j exp(x_j)`` along ``dim``, finite where softmax underflows."""
    shifted = _below_top("log_softmax", input, dim, dtype)
    return shifted - pointwise.log(reduce.sum(pointwise.exp(shifted), dim, True))


def _below_top(name: str, x: Tensor, dim: int, dtype: Any) -> Tensor:
    """``x`` minus its largest value along ``dim``."""
    along = axis(name, x, dim)
    if dtype is not None:
        x = x.to(canonical_dtype(dtype))
    floating(name, x)
    if x.ndim and not x.shape[along]:
        return clone(x)
    top: Tensor = p.amax(x.detach(), dim=(along,) if x.ndim else (), keepdim=True)
    return x - top
