"""What the tests of functions share: running a sample here and in torch, and the differentiable part of what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from samples import Input, Sample, rooms

import tinygrad_notes as tn
from tinygrad_notes.tensor import from_array

SAMPLES: list[Sample] = [sample for room in rooms().values() for sample in room]


def ids(found: Sequence[Sample]) -> list[str]:
    """``cumsum-0, cumsum-1, ...``"""
    count: dict[str, int] = {}
    names = []
    for sample in found:
        count[sample.name] = count.get(sample.name, -1) + 1
        names.append(f"{sample.name}-{count[sample.name]}")
    return names


def arrays(inputs: Sequence[Input], dtype: Any) -> list[np.ndarray[Any, Any]]:
    return [given.array(dtype, seed) for seed, given in enumerate(inputs)]


def here(sample: Sample, dtype: Any) -> list[tn.Tensor]:
    """The inputs as Tensors of ours, floats requiring grad."""
    found = [from_array(a) for a in arrays(sample.inputs, dtype)]
    return [x.requires_grad_() if x.dtype.kind == "f" and sample.orders else x for x in found]


def parts(result: Any) -> list[Any]:
    """A result as a flat list of Tensors."""
    if isinstance(result, tuple | list):
        return [part for item in result for part in parts(item)]
    return [result]


def flowing(result: Any) -> list[Any]:
    """The parts through which a gradient flows."""
    return [part for part in parts(result) if part.requires_grad]
