"""Matrix products by kernels: every layout and odd size against float64, both widths of registers, the same bits for any team."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinygrad_notes.kernels import gemm, native, team

WIDTHS = native.widths()
needs_kernels = pytest.mark.skipif(not WIDTHS, reason="no kernels here: switched off, no Numba, or another processor")
DTYPES = [np.float32, np.float64]
each_kind = pytest.mark.parametrize(("width", "dtype"), [(w, d) for w in WIDTHS or (0,) for d in DTYPES])


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = team.get_num_threads()
    yield
    team.set_num_threads(before)


def values(shape: tuple[int, ...], dtype: type, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def check(found: np.ndarray, a: np.ndarray, b: np.ndarray, more: np.ndarray | float = 0.0) -> None:
    """Within the bound of a sum of K rounded products, plus what was added to it."""
    exact = a.astype(np.float64) @ b.astype(np.float64) + more
    size = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64) + np.abs(more)
    bound = 4 * np.sqrt(a.shape[-1] + 1) * np.finfo(a.dtype).eps * size
    assert found.dtype == a.dtype
    assert found.shape == exact.shape
    assert (np.abs(found - exact) <= bound).all(), np.max(np.abs(found - exact) - bound)


SIZES = [
    (1, 1, 1), (2, 1, 3), (3, 2, 1), (1, 100, 1), (15, 17, 31), (17, 15, 33), (31, 33, 15), (33, 100, 17), (9, 64, 48), (10, 3, 49),
    (100, 31, 100), (8, 700, 130), (40, 1, 40), (5, 513, 5), (64, 1100, 700),
]  # fmt: skip


@needs_kernels
@each_kind
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_all_transposes_of_odd_sizes(width: int, dtype: type, sizes: tuple[int, int, int]) -> None:
    m, k, n = sizes
    for a in (values((m, k), dtype), values((k, m), dtype).T):
        for b in (values((k, n), dtype, 1), values((n, k), dtype, 1).T):
            found = gemm.matmul(a, b, width=width)
            check(found, a, b)
            packed = gemm.pack(b, width=width)
            assert np.array_equal(packed.unpack(), b)
            assert np.array_equal(gemm.matmul_packed(a, packed), found)  # every sum is the same chain


@needs_kernels
@each_kind
def test_any_strides(width: int, dtype: type) -> None:
    m, k, n = 23, 50, 70
    big_a, big_b = values((3 * m, 3 * k), dtype), values((3 * k, 3 * n), dtype, 1)
    a_views = [big_a[::3, ::3], big_a[m - 1 :: -1, :k], big_a[:m, k - 1 :: -1], np.broadcast_to(big_a[:1, :k], (m, k))]
    a_views += [np.broadcast_to(big_a[:m, :1], (m, k)), big_a[1 : m + 1, 1 : k + 1], np.broadcast_to(big_a[:1, :1], (m, k))]
    b_views = [big_b[::3, ::3], big_b[k - 1 :: -1, :n], big_b[:k, n - 1 :: -1], np.broadcast_to(big_b[:1, :n], (k, n))]
    b_views += [np.broadcast_to(big_b[:k, :1], (k, n)), big_b[1 : k + 1, 1 : n + 1], np.broadcast_to(big_b[:1, :1], (k, n))]
    for a in a_views:
        for b in b_views:
            check(gemm.matmul(a, b, width=width), a, b)
    a = np.ndarray((m, k), dtype, np.zeros(m * k * 8 + 1, np.uint8).data, 1)  # not aligned to its own elements
    a[...] = a_views[0]
    check(gemm.matmul(a, b_views[0], width=width), a, b_views[0])


@needs_kernels
@each_kind
def test_sizes_of_zero(width: int, dtype: type) -> None:
    for m, k, n in ((0, 3, 4), (3, 4, 0), (0, 0, 0)):
        assert gemm.matmul(values((m, k), dtype), values((k, n), dtype), width=width).shape == (m, n)
    a, b = values((3, 0), dtype), values((0, 20), dtype)
    assert np.array_equal(gemm.matmul(a, b, np.full((3, 20), 7, dtype), width=width), np.zeros((3, 20)))
    assert np.array_equal(gemm.matmul(a, b, np.full((3, 20), 7, dtype), accumulate=True, width=width), np.full((3, 20), 7))
    bias = values((20,), dtype)
    assert np.array_equal(gemm.matmul(a, b, bias=bias, width=width), np.broadcast_to(bias, (3, 20)))
    assert np.array_equal(gemm.matmul_packed(a, gemm.pack(b, width=width)), np.zeros((3, 20)))
    assert gemm.matmul(values((0, 3, 4), dtype), values((4, 5), dtype), width=width).shape == (0, 3, 5)


@needs_kernels
@each_kind
@pytest.mark.parametrize(
    ("front_a", "front_b"), [((3,), (3,)), ((3,), ()), ((), (3,)), ((2, 1), (3,)), ((1,), (4,)), ((2, 3), (1, 3)), ((5,), (1,))]
)
def test_batches_broadcast(width: int, dtype: type, front_a: tuple[int, ...], front_b: tuple[int, ...]) -> None:
    for m, k, n in ((3, 5, 7), (20, 33, 40)):
        a, b = values((*front_a, m, k), dtype), values((*front_b, k, n), dtype, 1)
        check(gemm.matmul(a, b, width=width), a, b)
        a_t = np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)
        b_t = np.ascontiguousarray(b.swapaxes(-1, -2)).swapaxes(-1, -2)[..., ::-1]
        check(gemm.matmul(a_t, b_t, width=width), a_t, b_t)
        if not front_b:
            check(gemm.matmul_packed(a, gemm.pack(b, width=width)), a, b)


@needs_kernels
@each_kind
def test_bias_activation_and_accumulation(width: int, dtype: type) -> None:
    for m, k, n in ((5, 9, 50), (40, 1100, 33)):
        a, b, bias, start = values((m, k), dtype), values((k, n), dtype, 1), values((n,), dtype, 2), values((m, n), dtype, 3)
        packed = gemm.pack(b, width=width)
        plain = gemm.matmul(a, b, width=width)
        check(gemm.matmul(a, b, bias=bias, width=width), a, b, bias)
        assert np.array_equal(gemm.matmul(a, b, bias=bias, width=width), plain + bias)
        out = start.copy()
        assert gemm.matmul(a, b, out, accumulate=True, width=width) is out
        check(out, a, b, start)
        with_all = gemm.matmul(a, b, start.copy(), bias=bias, activation="relu", accumulate=True, width=width)
        assert np.array_equal(with_all, np.maximum(out + bias, 0))
        assert np.array_equal(
            gemm.matmul_packed(a, packed, start.copy(), bias=bias, activation="relu", accumulate=True), with_all
        )
        assert np.array_equal(gemm.matmul(a, b, activation="relu", width=width), np.maximum(plain, 0))
        tolerance = 8 * np.finfo(dtype).eps
        for name, exact in (("tanh", np.tanh), ("sigmoid", lambda x: 1 / (1 + np.exp(-x)))):
            got = gemm.matmul(a, b, bias=bias, activation=name, width=width)
            np.testing.assert_allclose(got, exact((plain + bias).astype(np.float64)), rtol=tolerance, atol=1e-37)


@needs_kernels
@each_kind
def test_nan_and_infinity_stay_where_they_belong(width: int, dtype: type) -> None:
    """Columns of padding, rows of a neighbouring tile and sums started at zero bring none in."""
    m, k, n = 19, 20, 21
    for value in (np.nan, np.inf, -np.inf):
        a, b = np.abs(values((m, k), dtype)), np.abs(values((k, n), dtype, 1))
        a[3, 4], b[5, n - 1] = value, value
        with np.errstate(all="ignore"):
            expected = a @ b
        for got in (gemm.matmul(a, b, width=width), gemm.matmul_packed(a, gemm.pack(b, width=width))):
            assert np.array_equal(np.isnan(got), np.isnan(expected))
            assert np.array_equal(np.isinf(got), np.isinf(expected))
        out = gemm.matmul(np.ones((m, k), dtype), np.ones((k, n), dtype), np.full((m, n), value, dtype), width=width)
        assert np.array_equal(out, np.full((m, n), k))  # overwritten, not multiplied by zero
    nan = np.full((2, 3), np.nan, dtype)
    assert np.isnan(gemm.matmul(nan, np.ones((3, 4), dtype), activation="relu", width=width)).all()


@needs_kernels
@each_kind
def test_out_in_every_form(width: int, dtype: type) -> None:
    a, b = values((30, 30), dtype), values((30, 30), dtype, 1)
    expected = gemm.matmul(a, b, width=width)
    for out in (np.empty((30, 30), dtype).T, np.empty((60, 60), dtype)[::2, ::2], np.empty((30, 90), dtype)[::-1, 7:37]):
        assert gemm.matmul(a, b, out, width=width) is out
        assert np.array_equal(out, expected)
    for aliased in (a, b, a.T, b[::-1]):
        original = [a.copy(), b.copy()]
        gemm.matmul(a, b, aliased, width=width)
        assert np.array_equal(aliased, expected)
        a[...], b[...] = original
    around = np.zeros((34, 40), dtype)
    gemm.matmul(a, b, around[2:32, 5:35], width=width)
    assert np.array_equal(around[2:32, 5:35], expected)
    around[2:32, 5:35] = 0
    assert not around.any()  # nothing was written beside it
    a.flags.writeable = b.flags.writeable = False
    assert np.array_equal(gemm.matmul(a, b, width=width), expected)


@needs_kernels
@each_kind
@pytest.mark.parametrize("sizes", [(64, 300, 500), (500, 300, 20), (8, 700, 1000), (33, 40, 77)], ids=str)
def test_the_same_bits_for_any_number_of_threads(width: int, dtype: type, sizes: tuple[int, int, int]) -> None:
    m, k, n = sizes
    a, b = values((2, m, k), dtype), values((k, n), dtype, 1)
    packed, bias = gemm.pack(b, width=width), values((n,), dtype, 2)
    results = []
    for threads in (1, 2, 3, 5):
        team.set_num_threads(threads)
        results.append(
            [
                gemm.matmul(a[0], b, bias=bias, activation="relu", width=width),
                gemm.matmul_packed(a[0], packed, bias=bias, activation="relu"),
                gemm.matmul(a[1], np.asfortranarray(b), width=width),
                gemm.matmul(a.swapaxes(1, 2)[:, :20], a[:, :, : n // 2], width=width),
            ]
        )
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert np.array_equal(one, two)


@needs_kernels
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_views(data: st.DataObject) -> None:
    """Views with steps of either sign, of matrices in either order."""
    dtype, width = data.draw(st.sampled_from(DTYPES)), data.draw(st.sampled_from(WIDTHS or (0,)))
    m, k, n = (data.draw(st.integers(1, 60)) for _ in range(3))

    def view(rows: int, columns: int, seed: int) -> np.ndarray:
        steps = [data.draw(st.sampled_from([1, 1, 2, -1, -3])) for _ in range(2)]
        whole = np.array(
            values((rows * abs(steps[0]), columns * abs(steps[1])), dtype, seed), order=data.draw(st.sampled_from("CF"))
        )
        return whole[:: steps[0], :: steps[1]]

    a, b = view(m, k, 0), view(k, n, 1)
    check(gemm.matmul(a, b, width=width), a, b)


def test_bad_arguments() -> None:
    a, b = values((3, 4), np.float32), values((4, 5), np.float32)
    with pytest.raises(ValueError, match=r"(?i)out"):
        gemm.matmul(a, b, np.empty((3, 4), np.float32))
    out = np.empty((3, 5), np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match=r"read-only"):
        gemm.matmul(a, b, out)
    with pytest.raises(ValueError, match=r"bias must be float32 \(5,\), got float32 \(4,\)"):
        gemm.matmul(a, b, bias=a[0])
    with pytest.raises(ValueError, match=r"activation must be one of none, relu, tanh, sigmoid; got 'softplus'"):
        gemm.matmul(a, b, activation="softplus")
    with pytest.raises(ValueError, match=r"accumulate adds to out, which is missing"):
        gemm.matmul(a, b, accumulate=True)
    with pytest.raises(ValueError, match=r"\(3, 4\)"):
        gemm.matmul_packed(a, gemm.pack(a))
    with pytest.raises(TypeError, match=r"pack takes a matrix of float32 or float64, got int64"):
        gemm.pack(np.ones((3, 4), np.int64))
    with pytest.raises(ValueError, match=r"this packed matrix is float32 \(4, 5\), got float32 \(3, 4\)"):
        gemm.pack(b).update(a)
    if WIDTHS:
        with pytest.raises(ValueError, match=r"\(3, 4\) and \(3, 4\) do not fit: 4 columns meet 3 rows"):
            gemm.matmul(a, a, width=WIDTHS[0])
        with pytest.raises(ValueError, match=r"no tiles of 128 bits on this machine"):
            gemm.matmul(a, b, width=128)


def test_what_the_kernels_leave_to_numpy() -> None:
    a, b = np.arange(6).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    assert not gemm.kernel_wins(a, b)
    assert np.array_equal(gemm.matmul(a, b), a @ b)
    assert np.array_equal(gemm.matmul(b, np.ones(4)), b @ np.ones(4))
    swapped = b.astype(">f8")
    assert np.array_equal(gemm.matmul(swapped, swapped.T), b @ b.T)


@needs_kernels
def test_which_products_the_kernel_takes() -> None:
    large, small, column = values((200, 200), np.float32), values((4, 4), np.float32), values((200, 1), np.float32)
    assert gemm.kernel_wins(large, large)
    assert gemm.kernel_wins(np.broadcast_to(large, (3, 200, 200)), large.T)
    assert not gemm.kernel_wins(small, small)
    assert not gemm.kernel_wins(large, column)
    assert not gemm.kernel_wins(large, large.astype(np.float64))
    assert not gemm.kernel_wins(large.astype(">f4"), large.astype(">f4"))
    assert np.array_equal(gemm.matmul(large, large), gemm.matmul(large, large, width=WIDTHS[0]))
    assert np.array_equal(gemm.matmul(large, column), large @ column)


@needs_kernels
def test_the_kernel_ran() -> None:
    """A middling product with a packed operand goes to the kernel: its bits are those of the chain, whatever BLAS does."""
    a, b = values((32, 300), np.float32), values((300, 400), np.float32, 1)
    assert gemm.pack(b).width == WIDTHS[0]
    chained = np.zeros((32, 400), np.float64)
    for i in range(300):  # a fused multiply-add: the product exact in float64, rounded once with the sum
        chained = (chained + a[:, i, None].astype(np.float64) * b[i].astype(np.float64)).astype(np.float32).astype(np.float64)
    assert np.array_equal(gemm.matmul_packed(a, gemm.pack(b)), chained.astype(np.float32))


def test_without_kernels() -> None:
    """Switched off, everything gives numpy's result, packed operands included."""
    code = """
import numpy as np
from tinygrad_notes.kernels import gemm, native
assert native.widths() == ()
a, b = np.random.default_rng(0).standard_normal((2, 20, 20)).astype("f4")
bias = a[0]
assert not gemm.kernel_wins(a, b)
packed = gemm.pack(b)
assert packed.width == 0 and np.array_equal(packed.unpack(), b)
expected = np.maximum(a @ b + bias, 0)
assert np.array_equal(gemm.matmul(a, b, bias=bias, activation="relu"), expected)
assert np.array_equal(gemm.matmul_packed(a, packed, bias=bias, activation="relu"), expected)
packed.update(a)
assert np.array_equal(gemm.matmul_packed(a, packed, a @ a, accumulate=True), 2 * (a @ a))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env={"TINYGRAD_NOTES_KERNELS": "0", "PATH": ""})
