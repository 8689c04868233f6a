"""Vector math against numpy's and torch's own: every function, one thread, and all of them against one of torch's.

Results go into an array that is there already, where the peer can: what is measured is the function, not the allocation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tinygrad_notes.kernels import vector

from .peers import torch
from .workloads import Bench, Row, Workload, bench, mean

NUMPY = ("cos", "exp", "expm1", "log", "log1p", "sin", "tanh")
"""Functions that numpy has."""
POSITIVE = ("log", "log1p")
FUNCTIONS = ("sigmoid", "logsigmoid", "erf", "erfc", "gelu", "gelu_tanh", *NUMPY)
SIZES = {"1k": 1 << 10, "32k": 1 << 15, "1M": 1 << 20}
DTYPES = {"float32": "f", "float64": "d"}


def torch_form(name: str, x: Any, out: Any) -> Callable[[], Any]:
    """torch's function, which is given ``out`` if it takes one."""
    if name == "gelu_tanh":
        return lambda: torch.nn.functional.gelu(x, approximate="tanh")
    if name in ("gelu", "logsigmoid"):
        return partial(getattr(torch.nn.functional, name), x)
    return partial(getattr(torch, name), x, out=out)


def sides(name: str, character: str, n: int, threads: int | None = None) -> dict[str, Callable[[], Any]]:
    """The function of n normally distributed numbers. threads: of torch, if not those of all sides."""
    x = np.random.default_rng(0).normal(size=n).astype(character)
    x = np.abs(x) if name in POSITIVE else x
    made: dict[str, Callable[[], Any]] = {"ours": partial(vector.kernel(name, character), x, out=np.empty_like(x))}
    if name in NUMPY and threads is None:
        made["numpy"] = partial(getattr(np, name), x, out=np.empty_like(x))
    if torch is not None:
        if threads is not None:
            torch.set_num_threads(threads)
        made["torch"] = torch_form(name, torch.from_numpy(x), torch.from_numpy(np.empty_like(x)))
    return made


@bench("vector")
def elementwise(quick: bool) -> Bench:
    """Every function at several sizes; the geometric mean of a million elements."""
    if vector.kernel("exp", "f") is None:
        return
    for dtype, character in DTYPES.items():
        large: list[Row | None] = []
        group = f"vector math, {dtype}, 1 thread, into an array that is there"
        for name in FUNCTIONS:
            for column, n in SIZES.items():
                if quick and column != "1M":
                    continue
                made = partial(sides, name, character, n)
                traffic = 2 * np.dtype(dtype).itemsize * n
                row = yield Workload(
                    group, name, made, unit="ns", per=n, speed=True, threads=1, bytes=traffic, dtype=dtype, column=column
                )
                if column == "1M":
                    large.append(row)
        yield mean(f"geometric mean of 1M, {dtype}", large)
    group = "vector math, float32, 1M elements, all cores against one of torch's"
    for name in ("exp", "tanh", "erf"):
        yield Workload(group, name, partial(sides, name, "f", 1 << 20, 1), unit="ns", per=1 << 20, speed=True)
