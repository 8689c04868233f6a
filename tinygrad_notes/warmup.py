"""Compile every kernel ahead of time: ``tinygrad-notes warmup``. Compiled kernels stay on disk (``kernels/cache.py``)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from tqdm import tqdm

from . import ops  # noqa: F401 (fills the table)
from .kernels import native
from .kernels.fused import fused
from .optable import TABLE, expression_of, rule_reads

__all__ = ["kernels", "warmup"]


def kernels() -> list[tuple[str, str]]:
    """Room and name of every kernel that programs may ask for."""
    texts: dict[str, None] = {}
    for op in TABLE.values():
        if op.kind != "elementwise":
            continue
        wanted: list[tuple[str, tuple[str, ...], Callable[..., Any]]] = []
        if isinstance(op.forward, np.ufunc):
            wanted.append((op.expr, op.args, op.forward))
        for rule in op.vjp:
            expression = None if rule is None else expression_of(rule)
            if rule is not None and expression is not None and "g" in rule_reads(rule):
                wanted.append((expression, rule_reads(rule), rule))
        for expression, names, otherwise in wanted:
            if (found := fused(expression, names, otherwise)) is not None:
                texts.update(dict.fromkeys(found.texts))
    return [*native.every(), *(("fused", text) for text in texts)]


def warmup(jobs: int) -> int:
    """Compile what is not compiled yet, in so many processes; the exit status."""
    if not native.available():
        print(
            "no kernels on this machine, or TINYGRAD_NOTES_KERNELS=0: numpy does all the work, nothing to compile",
            file=sys.stderr,
        )
        return 0
    begun = time.perf_counter()
    wanted = kernels()
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for _ in tqdm(pool.map(_compile, wanted), total=len(wanted), desc="kernels", unit="kernel"):
            pass
    print(f"{len(wanted)} kernels are ready, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return 0


def _compile(kernel: tuple[str, str]) -> None:
    native.address(*kernel)
