"""What functions of several results return: tuples with PyTorch's names."""

from __future__ import annotations

from typing import NamedTuple

from ..tensor import Tensor

__all__ = ["MinMax", "Picked", "StdMean", "VarMean"]


class Picked(NamedTuple):
    """``max``, ``sort``, ...: values, and the indices at which they stand in their axis."""

    values: Tensor
    indices: Tensor


class MinMax(NamedTuple):
    """``aminmax``."""

    min: Tensor
    max: Tensor


class VarMean(NamedTuple):
    """``var_mean``."""

    var: Tensor
    mean: Tensor


class StdMean(NamedTuple):
    """``std_mean``."""

    std: Tensor
    mean: Tensor
