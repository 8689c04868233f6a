"""Large blocks of memory that are freed and wanted again at once, as every training step does."""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["reuse_large_blocks"]

LARGEST = 32 * 2**20 - 2**16
"""Just below the largest threshold that glibc sets by itself (``mallopt(3)``, M_MMAP_THRESHOLD)."""


@cache
def reuse_large_blocks() -> None:
    """Once: free an untouched block of 32 MB. glibc takes it as a sign that blocks up to that size come and go, and keeps them,
    where it would give each back to the system and pay for fresh pages: a third of a convolution's time. Elsewhere: nothing.
    """
    np.empty(LARGEST, np.uint8)
