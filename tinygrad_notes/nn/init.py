"""First values of parameters, written in place under PyTorch's names; each returns its argument.

Glorot & Bengio 2010 (xavier), He et al. 2015 (kaiming), Saxe et al. 2014 (orthogonal).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..functions.generator import Generator
from ..functions.pointwise import where
from ..functions.random import rand, randn
from ..functions.sort import argsort
from ..inplace import write
from ..modes import no_grad
from ..tensor import Tensor, from_array

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "orthogonal_",
    "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """What the deviation must be multiplied by so that the nonlinearity keeps the variance.

    param: the negative slope of "leaky_relu" (default 0.01). Raises ValueError for a name that is not known.
    """
    kinds = ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
    if nonlinearity in ("linear", "identity", "sigmoid", *kinds):
        return 1.0
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    gains = {"tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    if nonlinearity not in gains:
        raise ValueError(f"calculate_gain: {nonlinearity!r} is none of linear, sigmoid, leaky_relu, {', '.join(gains)}")
    return gains[nonlinearity]


def _put(tensor: Tensor, value: Any, by: str) -> Tensor:
    with no_grad():
        return write(tensor, value, by)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in [a, b)."""
    return _put(tensor, rand(tensor.shape, dtype=tensor.dtype, generator=generator) * (b - a) + a, "uniform_")


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with the given mean and standard deviation."""
    return _put(tensor, randn(tensor.shape, dtype=tensor.dtype, generator=generator) * std + mean, "normal_")


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None
) -> Tensor:
    """Normal, what falls outside [a, b] drawn again."""
    if not (a < b and std > 0 and a - mean < 8 * std and mean - b < 8 * std):
        raise ValueError(f"trunc_normal_: nothing of N({mean}, {std}) can be drawn from [{a}, {b}]")
    normal_(tensor, mean, std, generator)
    with no_grad():
        while bool((outside := (tensor < a) | (tensor > b)).any()):
            again = randn(tensor.shape, dtype=tensor.dtype, generator=generator) * std + mean
            write(tensor, again.where(outside, tensor), "trunc_normal_")
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere."""
    return _put(tensor, val, "constant_")


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix. Raises ValueError unless there are two axes."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: {tensor._type()} is no matrix")
    return _put(tensor, np.eye(tensor.shape[0], tensor.shape[1]), "eye_")


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Weights ``(out, in, *window)`` of a convolution that hands its input on: in each group, channel i to channel i.

    Raises ValueError unless there are one to three axes of a window, and the groups divide the channels.
    """
    if not 3 <= tensor.ndim <= 5 or groups < 1 or tensor.shape[0] % groups:
        raise ValueError(
            f"dirac_: needs weights (out, in, *window) with out divisible by groups={groups}, got {tensor._type()}"
        )
    values = np.zeros(tensor.shape)
    middle = tuple(n // 2 for n in tensor.shape[2:])
    per_group = tensor.shape[0] // groups
    for first in range(0, tensor.shape[0], per_group or 1):
        for i in range(min(per_group, tensor.shape[1])):
            values[(first + i, i, *middle)] = 1.0
    return _put(tensor, values, "dirac_")


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal with deviation ``std``, but a share ``sparsity`` of each column 0 (Martens 2010): its places are drawn.

    Raises ValueError unless there are two axes.
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: {tensor._type()} is no matrix")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity must lie in [0, 1], got {sparsity}")
    normal_(tensor, 0.0, std, generator)
    with no_grad():
        places = argsort(argsort(rand(tensor.shape, generator=generator), 0), 0)  # of each value in its column, as if sorted
        return write(tensor, where(places < math.ceil(sparsity * tensor.shape[0]), 0.0, tensor), "sparse_")


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in ±gain sqrt(6 / (fan_in + fan_out))."""
    bound = gain * math.sqrt(6 / _fans("xavier_uniform_", tensor)["sum"])
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with deviation gain sqrt(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / _fans("xavier_normal_", tensor)["sum"]), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform in ±gain sqrt(3 / fan); a: the slope of leaky_relu; mode: "fan_in" or "fan_out"."""
    bound = math.sqrt(3) * _deviation("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with deviation gain / sqrt(fan); arguments as of ``kaiming_uniform_``."""
    return normal_(tensor, 0.0, _deviation("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Rows (or columns, whichever are fewer) orthogonal and of length ``gain``; axes behind the first count as one."""
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: needs at least two axes, got {tensor._type()}")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = randn(max(rows, columns), min(rows, columns), dtype=tensor.dtype, generator=generator).numpy()
    q, r = np.linalg.qr(drawn)
    q = q * np.where(np.diag(r) < 0, -1, 1)  # uniform over all rotations: the signs of r's diagonal are made positive
    found = np.ascontiguousarray(q if rows >= columns else q.T).reshape(tensor.shape) * gain
    return _put(tensor, from_array(found.astype(tensor.dtype)), "orthogonal_")


def _fans(name: str, tensor: Tensor) -> dict[str, int]:
    """How many inputs one output reads, and the other way round: weight ``(out, in, *window)``."""
    if tensor.ndim < 2:
        raise ValueError(f"{name}: {tensor._type()} has no fan_in and fan_out; it needs at least two axes")
    window = math.prod(tensor.shape[2:])
    fan_in, fan_out = tensor.shape[1] * window, tensor.shape[0] * window
    return {"fan_in": fan_in, "fan_out": fan_out, "sum": fan_in + fan_out}


def _deviation(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(_fans(name, tensor)[mode], 1))
