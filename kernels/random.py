"""Counter-based random bits: the value is a function of (seed, offset, position) and of nothing else.

Philox 4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), in numpy's implementation, whose
streams numpy promises to keep.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

__all__ = ["philox_bits", "philox_blocks"]

_WORDS = 4  # 64-bit words that one counter value yields


def philox_blocks(shape: tuple[int, ...], width: int) -> int:
    """Counter values that ``philox_bits`` consumes: depends on the shape and the width only."""
    per_block = _WORDS * (2 if width <= 32 else 1)
    return -(-prod(shape) // per_block)


def philox_bits(seed: Any, offset: Any, *, shape: tuple[int, ...], width: int) -> np.ndarray[Any, Any]:
    """Uniform unsigned integers below ``2**width``, uint32 for ``width <= 32`` and uint64 above, of the given shape."""
    count, blocks = prod(shape), philox_blocks(shape, width)
    words = np.random.Philox(key=int(seed), counter=int(offset)).random_raw(blocks * _WORDS)
    size = 32 if width <= 32 else 64
    bits = words.view(np.uint32) if size == 32 else words
    bits = bits[:count].reshape(shape)
    return bits >> bits.dtype.type(size - width) if width < size else bits
