"""Kernels over rows: accuracy against float64, edges as numpy and torch have them, the same bits for any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from tinygrad_notes.kernels import calls, gates, native, rows

import tinygrad_notes as tn

Array = np.ndarray[Any, Any]

needs_kernels = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")
LENGTHS = (1, 2, 15, 16, 17, 63, 64, 65, 1000, 1024, 1025, 5000)
DTYPES = ("f4", "f8")


@pytest.fixture(params=[pytest.param("kernels", marks=needs_kernels), "numpy"], autouse=True)
def path(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Every test runs on the kernels, whatever the size, and on numpy; and it is checked which of them ran."""
    monkeypatch.setattr(gates, "ROWS", 1 if request.param == "kernels" else 10**12)
    ran: list[str] = []

    def listening(room: str, name: str, form: str) -> Callable[..., None] | None:
        ran.append(name)
        return calls.kernel(room, name, form)

    monkeypatch.setattr(rows, "kernel", listening)
    before = tn.get_num_threads()
    with np.errstate(all="ignore"):
        yield request.param
    tn.set_num_threads(before)
    assert bool(ran) == (request.param == "kernels")


def exact(x: Array) -> dict[str, Array]:
    """In long double."""
    x = x.astype(np.longdouble)
    shifted = x - x.max(-1, keepdims=True)
    whole = np.exp(shifted).sum(-1, keepdims=True)
    mean = x.mean(-1, keepdims=True)
    variance = np.square(x - mean).mean(-1, keepdims=True)
    return {
        "softmax": np.exp(shifted) / whole,
        "log_softmax": shifted - np.log(whole),
        "logsumexp": (x.max(-1, keepdims=True) + np.log(whole))[..., 0],
        "mean": mean[..., 0],
        "variance": variance[..., 0],
        "normal": (x - mean) / np.sqrt(variance + np.longdouble(1e-5)),
    }


def near(found: Array, wanted: Array, ulps: float, floor: float) -> None:
    """In units in the last place of the value, or of ``floor`` where that is larger."""
    unit = np.finfo(found.dtype).eps * np.maximum(np.abs(wanted), floor)
    assert np.max(np.abs(found - wanted) / unit) <= ulps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
def test_accuracy(n: int, dtype: str) -> None:
    x = (np.random.default_rng(n).standard_normal((3, n)) * 4).astype(dtype)
    want = exact(x)
    near(rows.softmax(x), want["softmax"], 24 if dtype == "f4" else 48, 1e-30)  # x - m is rounded: |x - m| / 2 units
    near(rows.log_softmax(x), want["log_softmax"], 3, 1.0)
    near(rows.logsumexp(x), want["logsumexp"], 3, 1.0)
    mean, variance = rows.moments(x)
    near(mean, want["mean"], 8, 1.0)
    near(variance, want["variance"], 16, 1e-3)
    out, mean, rstd = rows.layer_norm(x)
    near(out, want["normal"], 16, float(np.sqrt(n)))
    near(mean, want["mean"], 8, 1.0)
    near(rstd, 1 / np.sqrt(want["variance"] + 1e-5), 16, 1.0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_far_apart(dtype: str) -> None:
    """Denormal shares come out, and what is below them is 0."""
    x = np.array([[0.0, -80.0, -100.0, -103.0, -700.0, -740.0, -1e30, -np.inf]], dtype)
    want = exact(x)["softmax"]
    found = rows.softmax(x)
    assert np.all(np.abs(found - want) <= np.maximum(np.finfo(dtype).eps * 2 * want, np.finfo(dtype).smallest_subnormal))
    assert rows.log_softmax(x)[0].tolist() == x[0].tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinite_and_missing_values(dtype: str) -> None:
    inf, nan = np.inf, np.nan
    x = np.array([[1, -inf, 1], [-inf, -inf, -inf], [inf, 0, 1], [0, nan, 1], [nan, nan, nan], [inf, -inf, nan]], dtype)
    np.testing.assert_array_equal(rows.softmax(x)[0], [0.5, 0, 0.5])
    assert np.isnan(rows.softmax(x)[1:]).all() == np.isnan(rows.log_softmax(x)[1:]).all() == True  # noqa: E712
    np.testing.assert_allclose(rows.logsumexp(x), [1 + np.log(2), -inf, inf, nan, nan, nan], rtol=1e-6)
    assert np.isnan(rows.layer_norm(x)[0][1:]).all()


@pytest.mark.torch
@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize("dtype", DTYPES)
def test_edges_are_torchs(dtype: str) -> None:
    import torch

    inf, nan = np.inf, np.nan
    x = np.array([[1, -inf, 1], [-inf, -inf, -inf], [inf, 0, 1], [0, nan, 1], [1e30, -1e30, 0], [-0.0, 0.0, 0]], dtype)
    there = torch.from_numpy(x)
    np.testing.assert_allclose(rows.softmax(x), torch.softmax(there, -1), rtol=1e-6)
    np.testing.assert_allclose(rows.log_softmax(x), torch.log_softmax(there, -1), rtol=1e-6)
    np.testing.assert_allclose(rows.logsumexp(x), torch.logsumexp(there, -1), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_strides(dtype: str) -> None:
    base = np.random.default_rng(0).standard_normal((6, 5, 37)).astype(dtype)
    for x in (base[:, 2], base[::-2, 1, 3:], base[:, :, ::2], base[..., ::-1], base.T, base[0, 0], np.broadcast_to(base[0, 0], (4, 37)),
              base[:, :1], base[..., :1], base.transpose(1, 0, 2)):  # fmt: skip
        plain = x.copy("C")
        np.testing.assert_array_equal(rows.softmax(x), rows.softmax(plain))
        np.testing.assert_array_equal(rows.log_softmax(x), rows.log_softmax(plain))
        np.testing.assert_array_equal(rows.logsumexp(x), rows.logsumexp(plain))
        for found, wanted in zip(
            rows.layer_norm(x) + rows.moments(x), rows.layer_norm(plain) + rows.moments(plain), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)
        assert rows.softmax(x).shape == x.shape
        assert rows.logsumexp(x).shape == rows.moments(x)[1].shape == x.shape[:-1]


def test_single_values() -> None:
    x = np.array(3.0)
    assert rows.softmax(x) == 1
    assert rows.log_softmax(x) == 0
    assert rows.logsumexp(x) == 3
    assert [float(a) for a in rows.layer_norm(x)[:2]] == [0, 3]
    assert rows.softmax(x).shape == rows.logsumexp(x).shape == rows.layer_norm(x)[0].shape == ()


@pytest.mark.parametrize("dtype", DTYPES)
def test_weight_bias_and_correction(dtype: str) -> None:
    rng = np.random.default_rng(1)
    x, weight, bias = rng.standard_normal((9, 70)).astype(dtype), rng.random(70).astype(dtype), rng.random(70).astype(dtype)
    plain = rows.layer_norm(x, eps=0.1)[0]
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(rows.layer_norm(x, weight, bias, 0.1)[0], plain * weight + bias, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(rows.layer_norm(x, weight, None, 0.1)[0], plain * weight)
    np.testing.assert_array_equal(rows.layer_norm(x, None, bias, 0.1)[0], plain + bias)
    np.testing.assert_allclose(rows.moments(x, 1)[1], x.var(-1, ddof=1), rtol=32 * tolerance)
    assert np.isnan(rows.moments(x[:, :1], 1)[1]).all()


def test_into_the_argument_itself() -> None:
    x = np.random.default_rng(2).standard_normal((5, 100)).astype("f4")
    for function in (rows.softmax, rows.log_softmax, lambda x, out=None: rows.layer_norm(x, out=out)[0]):
        y = x.copy()
        assert function(y, out=y) is y
        np.testing.assert_array_equal(y, function(x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_for_any_number_of_threads(dtype: str) -> None:
    x = np.random.default_rng(3).standard_normal((301, 517)).astype(dtype)
    found = []
    for number in (1, 2, 3):
        tn.set_num_threads(number)
        found.append([rows.softmax(x), rows.log_softmax(x), rows.logsumexp(x), *rows.layer_norm(x), *rows.moments(x)])
    for one, two, three in zip(*found, strict=True):
        assert one.tobytes() == two.tobytes() == three.tobytes()


def test_nothing_is_written_beyond() -> None:
    """The last, partial vector of a row ends where the row does."""
    for n in (1, 15, 17, 65):
        x, room = np.ones((2, n), "f4"), np.full(2 * n + 32, 7, "f4")
        rows.softmax(x, out=room[16:-16].reshape(2, n))
        assert (room[:16] == 7).all()
        assert (room[-16:] == 7).all()
        np.testing.assert_allclose(room[16:-16], 1 / n, rtol=1e-6)


def test_empty() -> None:
    """Nothing to do is numpy's business."""
    rows.softmax(np.ones((2, 3)))  # so that a kernel has run
    assert rows.softmax(np.empty((0, 3))).shape == (0, 3)
    assert rows.log_softmax(np.empty((3, 0))).shape == (3, 0)
    assert rows.logsumexp(np.empty((3, 0))).tolist() == [-np.inf] * 3
    assert rows.moments(np.empty((0, 3)))[0].shape == (0,)
