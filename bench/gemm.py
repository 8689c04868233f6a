"""Matrix products: weights packed beforehand and not, small row counts and large squares, against numpy's BLAS and torch.

A line's speed is the better peer's time over ours. ``out=`` on every side, so that nobody's allocator is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tinygrad_notes.kernels import gemm, native

from .peers import torch
from .workloads import Bench, Workload, bench, mean

Sides = dict[str, Callable[[], Any]]

FEW_ROWS = [(8, 64, 256), (8, 512, 2048), (12, 100, 300), (16, 128, 512), (24, 192, 768), (32, 256, 1024), (48, 300, 500)]
FEW_ROWS += [(64, 64, 256), (64, 512, 2048), (40, 450, 1500)]
SQUARES = (512, 1024)
TALL = [(2048, 128, 512), (128, 2048, 512), (700, 900, 600)]
BATCHES = [(64, 32, 64, 32), (32, 128, 64, 128)]


def _arrays(dtype: str, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def _against(a: np.ndarray, b: np.ndarray, ours: Callable[..., Any]) -> Sides:
    """Ours, and the peers' plain products into arrays of their own."""
    shape = (*a.shape[:-1], b.shape[-1])
    outs = [np.empty(shape, a.dtype) for _ in range(3)]
    sides: Sides = {"ours": partial(ours, out=outs[0]), "numpy": partial(np.matmul, a, b, out=outs[1])}
    if torch is not None:
        x, y, out = (torch.from_numpy(z) for z in (a, b, outs[2]))
        sides["torch"] = partial(torch.matmul, x, y, out=out)
    return sides


def _packed(dtype: str, m: int, k: int, n: int) -> Sides:
    a, b = _arrays(dtype, (m, k), (k, n))
    w = gemm.pack(b)
    return _against(a, b, partial(gemm.matmul_packed, a, w))


def _plain(dtype: str, a_shape: tuple[int, ...], b_shape: tuple[int, ...]) -> Sides:
    a, b = _arrays(dtype, a_shape, b_shape)
    return _against(a, b, partial(gemm.matmul, a, b))


def _transposed(dtype: str, m: int, k: int, n: int) -> Sides:
    """``x @ w.T``, a linear layer with PyTorch's weights."""
    a, w = _arrays(dtype, (m, k), (n, k))
    return _against(a, w.T, partial(gemm.matmul, a, w.T))


@bench("gemm")
def products(quick: bool) -> Bench:
    """Speeds by shape; geometric means of the groups."""
    if not native.available():
        return
    for dtype in ("float32", "float64"):
        size = np.dtype(dtype).itemsize
        forms: dict[str, Callable[[int, int, int], Sides]] = {
            "weights packed beforehand": lambda m, k, n, dtype=dtype: _packed(dtype, m, k, n),
            "packing included": lambda m, k, n, dtype=dtype: _plain(dtype, (m, k), (k, n)),
            "x @ w.T, packing included": lambda m, k, n, dtype=dtype: _transposed(dtype, m, k, n),
        }
        for form, sides in forms.items():
            rows = []
            for m, k, n in FEW_ROWS[::3] if quick else FEW_ROWS:
                counts = {"flops": 2 * m * k * n, "bytes": size * (m * k + k * n + m * n)}
                make = partial(sides, m, k, n)
                rows.append(
                    (
                        yield Workload(
                            f"{dtype} matmul, few rows, {form}", f"{m}×{k}×{n}", make, speed=True, dtype=dtype, **counts
                        )
                    )
                )
            yield mean("geometric mean", rows)
        rows = []
        squares = [(n, n, n) for n in SQUARES]
        for m, k, n in squares[:1] if quick else squares + TALL:
            counts = {"flops": 2 * m * k * n, "bytes": size * (m * k + k * n + m * n)}
            make = partial(_plain, dtype, (m, k), (k, n))
            label = f"gemm {dtype} {m}×{k}×{n}"
            rows.append(
                (yield Workload(f"{dtype} matmul, large", f"{m}×{k}×{n}", make, speed=True, dtype=dtype, label=label, **counts))
            )
        yield mean("geometric mean", rows)
        for count, m, k, n in [] if quick else BATCHES:
            counts = {"flops": 2 * count * m * k * n, "bytes": size * count * (m * k + k * n + m * n)}
            make = partial(_plain, dtype, (count, m, k), (count, k, n))
            yield Workload(f"{dtype} matmul, batches", f"{count} of {m}×{k}×{n}", make, speed=True, dtype=dtype, **counts)
