"""Fused updates against the same formulas in float64; and a*b+c."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tinygrad_notes.kernels import calls, gates, native, ternary, update

import tinygrad_notes as tn

Array = np.ndarray[Any, Any]

needs_kernels = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")
DTYPES = ("f4", "f8")
SHAPES = ((1,), (16,), (17,), (7, 9), (5000,), (40, 1001))


@pytest.fixture(params=[pytest.param("kernels", marks=needs_kernels), "numpy"], autouse=True)
def path(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Every test runs on the kernels, whatever the size, and on numpy; and it is checked which of them ran."""
    monkeypatch.setattr(gates, "UPDATE", 1 if request.param == "kernels" else 10**12)
    monkeypatch.setattr(gates, "TERNARY", 0 if request.param == "kernels" else 10**12)
    ran: list[str] = []

    def listening(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any) -> Any:
            ran.append(words[1])
            return function(*words)

        return call

    monkeypatch.setattr(update, "kernel", listening(calls.kernel))
    monkeypatch.setattr(ternary, "ufunc", listening(ternary.ufunc))
    before = tn.get_num_threads()
    yield request.param
    tn.set_num_threads(before)
    assert bool(ran) == (request.param == "kernels")


def arrays(shape: tuple[int, ...], dtype: str) -> list[Array]:
    """p, g, m, v, top."""
    rng = np.random.default_rng(len(shape) + shape[-1])
    p, g, m, v, top = (rng.standard_normal(shape).astype(dtype) for _ in range(5))
    return [p, g, m, v**2, top**2]


def adam64(p: Array, g: Array, m: Array, v: Array, top: Array | None, o: dict[str, Any]) -> None:
    """As the paper has it."""
    g = -g if o["maximize"] else g
    if o["decoupled"]:
        p -= o["lr"] * o["weight_decay"] * p
    else:
        g = g + o["weight_decay"] * p
    (b1, b2), t = o["betas"], o["step"]
    m[...] = b1 * m + (1 - b1) * g
    v[...] = b2 * v + (1 - b2) * g * g
    if top is not None:
        top[...] = np.maximum(top, v)
    p -= o["lr"] * (m / (1 - b1**t)) / (np.sqrt((v if top is None else top) / (1 - b2**t)) + o["eps"])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("amsgrad", "decoupled", "maximize"), [(0, 0, 0), (1, 0, 1), (0, 1, 0), (1, 1, 0)])
def test_adam(shape: tuple[int, ...], dtype: str, amsgrad: int, decoupled: int, maximize: int) -> None:
    found = arrays(shape, dtype)[: 4 + amsgrad]
    want: list[Array | None] = [a.astype("f8") for a in found]
    options = {
        "lr": 0.01,
        "betas": (0.9, 0.99),
        "eps": 1e-6,
        "weight_decay": 0.1,
        "decoupled": bool(decoupled),
        "maximize": bool(maximize),
    }
    g = found[1].copy()
    for step in (1, 2, 3):
        update.adam(*found, **options, step=float(step))
        adam64(*[*want, None][:5], options | {"step": step})
    assert found[1].tobytes() == g.tobytes()
    for a, b in zip(found, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=16 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("held", "nesterov"), [(False, False), (True, False), (True, True)])
def test_sgd(shape: tuple[int, ...], dtype: str, held: bool, nesterov: bool) -> None:
    p, g, b, *_ = arrays(shape, dtype)
    p64, g64, b64 = (a.astype("f8") for a in (p, g, b))
    update.sgd(
        p, g, b if held else None, lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.3, nesterov=nesterov, maximize=True
    )
    g64 = -g64 + 0.3 * p64
    if held:
        b64 = 0.9 * b64 + 0.8 * g64
        g64 = g64 + 0.9 * b64 if nesterov else b64
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(p, p64 - 0.1 * g64, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(b, b64, rtol=tolerance, atol=tolerance)


def test_infinite_and_missing_gradients_stay_where_they_are(path: str) -> None:
    p, m, v, top = np.ones(40, "f4"), np.zeros(40, "f4"), np.zeros(40, "f4"), np.zeros(40, "f4")
    g = np.zeros(40, "f4")
    g[3], g[17], g[18] = np.nan, np.inf, -np.inf
    with np.errstate(all="ignore"):
        update.adam(p, g, m, v, top, step=1.0, lr=0.1, betas=(0.9, 0.999), eps=1e-8)
        q = np.ones(40, "f4")
        update.sgd(q, g, lr=0.1)
    assert np.flatnonzero(np.isnan(p)).tolist() == [3, 17, 18]
    assert np.flatnonzero(np.isnan(top)).tolist() == [3]
    assert (q[3] != q[3], q[17], q[18]) == (True, -np.inf, np.inf)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_for_any_number_of_threads_and_any_order(dtype: str) -> None:
    found = []
    for number in (1, 2, 3):
        tn.set_num_threads(number)
        made = arrays((123, 457), dtype)
        update.adam(*made, step=5.0, lr=0.1, betas=(0.9, 0.999), eps=1e-8)
        update.sgd(*made[:3], lr=0.1, momentum=0.9)
        found.append(b"".join(a.tobytes() for a in made))
    turned = [np.asfortranarray(a) for a in arrays((123, 457), dtype)]
    update.adam(*turned, step=5.0, lr=0.1, betas=(0.9, 0.999), eps=1e-8)
    update.sgd(*turned[:3], lr=0.1, momentum=0.9)
    found.append(b"".join(np.ascontiguousarray(a).tobytes() for a in turned))
    assert len(set(found)) == 1


def test_arrays_with_gaps_are_numpys(path: str) -> None:
    made = [np.repeat(a, 2)[::2] for a in arrays((40,), "f8")]
    want = [a.copy() for a in made]
    options: dict[str, Any] = {"step": 2.0, "lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8}
    update.adam(*made, **options)
    update.adam(*want, **options)
    for a, b in zip(made, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-15)


# ---- a * b + c ----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 15, 16, 17, 4097, 100_001])
def test_muladd_has_numpys_bits(n: int, dtype: str) -> None:
    a, b, c = np.random.default_rng(n).standard_normal((3, n)).astype(dtype)
    a[0] = np.inf
    for x, y, z in ((a, b, c), (a, b[:1], c), (a[:1], b, c[0]), (a[::2], b[::-2], c[::2]), (a[:, None], b[:3], c[:3])):
        np.testing.assert_array_equal(ternary.muladd(x, y, np.asarray(z)), x * y + z)
    out = np.full(n + 2, 7, dtype)
    assert ternary.muladd(a, b, c, out=out[1:-1]).base is out
    np.testing.assert_array_equal(out, np.concatenate([[7], a * b + c, [7]]))
    want = a * b + c
    ternary.muladd(a, b, c, out=c)
    np.testing.assert_array_equal(c, want)


@needs_kernels
@pytest.mark.parametrize("offset", [0, 1, 5])
def test_what_is_written_past_the_cache_is_the_same(offset: int, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinygrad_notes.kernels import layout, team

    a, b, c = np.random.default_rng(0).standard_normal((3, 70_001)).astype("f4")
    words = team._team().words  # type: ignore[union-attr]
    before = int(words[layout.CACHE // 8])
    try:
        words[layout.CACHE // 8] = 1000
        for n in (251, 70_001 - offset):
            for number in (1, 2, 3):
                tn.set_num_threads(number)
                out = np.full(n + offset, 7, "f4")
                ternary.muladd(a[:n], b[:n], c[:n], out=out[offset:])
                np.testing.assert_array_equal(out[offset:], a[:n] * b[:n] + c[:n])
                assert (out[:offset] == 7).all()
    finally:
        words[layout.CACHE // 8] = before
