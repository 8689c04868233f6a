"""Kernels over rows, reductions, fused updates: against numpy and torch, into arrays that exist and into fresh ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .peers import torch
from .workloads import Bench, Workload, bench

Sides = dict[str, Callable[[], Any]]
PARAMETERS = 10_000_000
SIZES = {"float32": 4, "float64": 8}


def _made(*shape: int, dtype: str) -> Any:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def _over_rows(name: str, shape: tuple[int, int], dtype: str, fresh: bool) -> Sides:
    from tinygrad_notes.kernels import rows

    x = _made(*shape, dtype=dtype)
    ours = {
        "softmax": rows.softmax,
        "log-softmax": rows.log_softmax,
        "layer norm": lambda x, out: rows.layer_norm(x, w, b, out=out)[0],
    }
    w, b, out = np.ones(shape[1], dtype), np.zeros(shape[1], dtype), None if fresh else np.empty_like(x)
    sides: Sides = {"ours": lambda: ours[name](x, out=out)}
    if torch is not None:
        t, tw, tb, there = (torch.from_numpy(a) for a in (x, w, b, np.empty_like(x)))
        theirs: dict[str, Sides] = {
            "softmax": {"fresh": lambda: torch.softmax(t, -1), "out": lambda: torch.softmax(t, -1, out=there)},
            "log-softmax": {
                "fresh": lambda: torch.log_softmax(t, -1),
                "out": lambda: torch._log_softmax(t, -1, False, out=there),
            },
        }
        norm = {"fresh": lambda: torch.nn.functional.layer_norm(t, shape[1:], tw, tb)}  # it has no out=
        sides["torch"] = theirs.get(name, norm).get("fresh" if fresh else "out", norm["fresh"])
    return sides


def _reduced(name: str, shape: tuple[int, ...], over: tuple[int, ...], dtype: str) -> Sides:
    from tinygrad_notes.kernels import reduce

    x = _made(*shape, dtype=dtype)
    function, theirs = (reduce.sum, np.add.reduce) if name == "sum" else (reduce.max, np.maximum.reduce)
    sides: Sides = {"ours": lambda: function(x, over), "numpy": lambda: theirs(x, axis=over)}
    if torch is not None:
        t = torch.from_numpy(x)
        sides["torch"] = (lambda: t.sum(over)) if name == "sum" else (lambda: t.amax(over))
    return sides


def _muladd(n: int, dtype: str, fresh: bool) -> Sides:
    from tinygrad_notes.kernels import ternary

    a, b, c = _made(3, n, dtype=dtype)
    out = None if fresh else np.empty_like(a)
    sides: Sides = {"ours": lambda: ternary.muladd(a, b, c, out=out)}
    if torch is not None:
        t = [torch.from_numpy(v) for v in (c, a, b)]
        there = None if fresh else torch.empty_like(t[0])
        sides["torch"] = lambda: torch.addcmul(*t, out=there)
    return sides


def _adam(n: int, dtype: str) -> Sides:
    from tinygrad_notes.kernels import update

    p, g, m, v = (np.full(n, 0.1, dtype) for _ in range(4))
    step = iter(range(1, 10**9))

    def ours() -> None:
        update.adam(p, g, m, v, step=float(next(step)), lr=1e-3, betas=(0.9, 0.999), eps=1e-8)

    sides: Sides = {"ours": ours}
    if torch is not None:
        q = torch.nn.Parameter(torch.from_numpy(p.copy()))
        q.grad = torch.from_numpy(g)
        sides["torch"] = torch.optim.Adam([q], 1e-3, fused=True).step
    return sides


def _add_rows(count: int, length: int, width: int, dtype: str) -> Sides:
    from tinygrad_notes.kernels import scatter

    index, rows, out = (
        np.random.default_rng(0).integers(0, length, count),
        _made(count, width, dtype=dtype),
        np.zeros((length, width), dtype),
    )
    sides: Sides = {"ours": lambda: scatter.add_rows(out, index, rows, direct=True)}
    if torch is not None:
        t, ti, there = torch.from_numpy(rows), torch.from_numpy(index), torch.zeros(length, width, dtype=getattr(torch, dtype))
        sides["torch"] = lambda: there.index_add_(0, ti, t)
    return sides


@bench("rows")
def rows(quick: bool) -> Bench:
    """float32 and float64; a quick run has the large sizes of float32 only."""
    for dtype in ("float32",) if quick else ("float32", "float64"):
        size = SIZES[dtype]
        for fresh in (False, True):
            where = "fresh results" if fresh else "results that exist"
            group = f"over rows and three arrays, {dtype}, {where}"
            for shape in ((4096, 1024),) if quick else ((64, 64), (1000, 300), (4096, 1024), (500, 30_000)):
                for name in ("softmax", "log-softmax", "layer norm"):

                    def over(name: str = name, shape: Any = shape, dtype: str = dtype, fresh: bool = fresh) -> Sides:
                        return _over_rows(name, shape, dtype, fresh)

                    moved = 2 * size * shape[0] * shape[1]
                    label = name if shape == (4096, 1024) and size == 4 and not fresh else ""
                    yield Workload(
                        group, f"{name} {shape[0]}×{shape[1]}", over, speed=True, bytes=moved, dtype=dtype, label=label
                    )
            n = 2**25 * 4 // size
            yield Workload(
                group, f"a*b+c {n >> 20}M", lambda n=n, d=dtype, f=fresh: _muladd(n, d, f), "ms", speed=True, bytes=4 * size * n,
                dtype=dtype, rounds=7,
            )  # fmt: skip
        group = f"reductions, {dtype}"
        for shape, axes in (((4096, 1024), (1,)), ((4096, 1024), (0,)), ((2**24,), (0,)), ((64, 64, 56, 56), (0, 2, 3))):
            for name in ("sum", "max"):
                line = f"{name} {'×'.join(map(str, shape))} over {', '.join(map(str, axes))}"

                def made(name: str = name, shape: Any = shape, axes: Any = axes, dtype: str = dtype) -> Sides:
                    return _reduced(name, shape, axes, dtype)

                yield Workload(group, line, made, speed=True, bytes=size * int(np.prod(shape)), dtype=dtype)
        group = f"in place, {dtype}"
        yield Workload(
            group, "Adam, 10M parameters", lambda d=dtype: _adam(PARAMETERS, d), "ms", speed=True, bytes=7 * size * PARAMETERS, dtype=dtype,
            tolerance=None, rounds=9,
        )  # fmt: skip
        for count, length, width in ((4096, 10_000, 256), (4096, 1000, 16)):

            def added(count: int = count, length: int = length, width: int = width, dtype: str = dtype) -> Sides:
                return _add_rows(count, length, width, dtype)

            line = f"rows {count}×{width} added into {length}"
            yield Workload(group, line, added, speed=True, bytes=3 * size * count * width, dtype=dtype, tolerance=None)
