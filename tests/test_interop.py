"""numpy's protocols, DLPack and einops: what they compute is recorded, or they raise; memory is shared, gradients never lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.interop import FUNCTIONS

A = np.arange(6.0).reshape(2, 3) / 4 - 0.62
B = np.array([[0.33, -1.2, 0.83], [2.0, 0.1, -0.4]])


def leaf(array: np.ndarray[Any, Any]) -> tn.Tensor:
    return tn.tensor(array, requires_grad=array.dtype.kind == "f")


# ---- numpy's functions and ufuncs ----

CALLS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: np.all(a > 0, axis=1),
    lambda a, b: np.any(a > 0, axis=0, keepdims=True),
    lambda a, b: np.argmax(a, axis=1),
    lambda a, b: np.argmin(a),
    lambda a, b: np.count_nonzero(a > 0, axis=0),
    lambda a, b: np.cumprod(a, axis=1),
    lambda a, b: np.cumsum(a),
    lambda a, b: np.cumsum(a, axis=0),
    lambda a, b: np.prod(a),
    lambda a, b: np.prod(a, axis=1),
    lambda a, b: np.std(a),
    lambda a, b: np.std(a, axis=0, ddof=1, keepdims=True),
    lambda a, b: np.var(a, 1),
    lambda a, b: np.diagonal(a),
    lambda a, b: np.diagonal(a[None], 1, 1, 2),
    lambda a, b: np.flip(a),
    lambda a, b: np.flip(a, axis=1),
    lambda a, b: np.hstack([a, b]),
    lambda a, b: np.hstack((a[0], B[0])),
    lambda a, b: np.vstack([a[0], b]),
    lambda a, b: np.moveaxis(a, 0, -1),
    lambda a, b: np.repeat(a, 2),
    lambda a, b: np.repeat(a, np.array([1, 0, 2]), axis=1),
    lambda a, b: np.roll(a, 2),
    lambda a, b: np.roll(a, 1, axis=1),
    lambda a, b: np.tile(a, (2, 1, 2)),
    lambda a, b: np.tril(a, -1),
    lambda a, b: np.triu(a),
    lambda a, b: np.dot(a, np.stack([b.T, b.T])),
    lambda a, b: np.einsum("ij,kj->ik", a, b),
    lambda a, b: np.einsum("ij,kj", a, B),
    lambda a, b: np.kron(a, b),
    lambda a, b: np.linalg.norm(a),
    lambda a, b: np.linalg.norm(a, axis=1, keepdims=True),
    lambda a, b: np.outer(a, B[0]),
    lambda a, b: np.tensordot(a, b, axes=2),
    lambda a, b: np.tensordot(a, b, axes=([1], [1])),
    lambda a, b: np.trace(a),
    lambda a, b: np.argsort(a, axis=0),
    lambda a, b: np.argsort(b, axis=None),
    lambda a, b: np.sort(b),
    lambda a, b: np.sort(b, axis=0),
    lambda a, b: np.clip(a, -0.5, 0.5),
    lambda a, b: np.clip(a, None, b),
    lambda a, b: np.diff(a),
    lambda a, b: np.diff(a, 1, 0),
    lambda a, b: np.isclose(a, b),
    lambda a, b: np.isclose(A + 1e-9, a),
    lambda a, b: np.nan_to_num(a, nan=3.0, posinf=1.0, neginf=-1.0),
    lambda a, b: np.nonzero(a > 0)[1],
    lambda a, b: np.round(a, 1),
    lambda a, b: np.around(a),
    lambda a, b: np.broadcast_to(a, (2, 2, 3)),
    lambda a, b: np.broadcast_to(a[0, 0], 3),
    lambda a, b: np.concatenate([a, b, A]),
    lambda a, b: np.concatenate((a, b), axis=-1),
    lambda a, b: np.concatenate((a, b), axis=None),
    lambda a, b: np.copy(a),
    lambda a, b: np.dot(a, b.T),
    lambda a, b: np.dot(a[0], b[1]),
    lambda a, b: np.dot(A, b.T),
    lambda a, b: np.dot(a, 2.0),
    lambda a, b: np.expand_dims(a, 1),
    lambda a, b: np.expand_dims(a, (0, -1)),
    lambda a, b: np.max(a, axis=(0, 1)),
    lambda a, b: np.amax(a, 1, keepdims=True),
    lambda a, b: np.mean(a, axis=0),
    lambda a, b: np.min(a),
    lambda a, b: np.ravel(a),
    lambda a, b: np.reshape(a, (3, -1)),
    lambda a, b: np.reshape(a, -1),
    lambda a, b: np.squeeze(a[:1]),
    lambda a, b: np.squeeze(a[:, :1], axis=1),
    lambda a, b: np.stack([a, b], axis=-1),
    lambda a, b: np.sum(a),
    lambda a, b: np.sum(a, 1, keepdims=True),
    lambda a, b: np.sum(a, axis=(0, -1)),
    lambda a, b: np.swapaxes(a, 0, 1),
    lambda a, b: np.take(a, np.array([2, 0, -1]), axis=1),
    lambda a, b: np.take(a, np.array([[5, 0], [1, 1]])),
    lambda a, b: np.take_along_axis(a, np.array([[2, 0], [1, 1]]), 1),
    lambda a, b: np.take_along_axis(a, np.argsort(b, axis=0), axis=0),
    lambda a, b: np.transpose(a),
    lambda a, b: np.transpose(a[None], (2, 0, 1)),
    lambda a, b: np.where(A > 0, a, b),
    lambda a, b: np.where(a > b, a, 0.0),
    lambda a, b: np.empty_like(a) * 0,
    lambda a, b: np.full_like(a, 3),
    lambda a, b: np.ones_like(a, dtype=np.int64),
    lambda a, b: np.zeros_like(a),
]
"""One call at least of every function in FUNCTIONS; ``a`` and ``b`` are arrays, or Tensors of the same values."""

UFUNCS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: np.add(a, b),
    "add an array": lambda a, b: B + a,
    "subtract a scalar": lambda a, b: np.subtract(2.0, a),
    "multiply": lambda a, b: np.multiply(a, B),
    "divide": lambda a, b: B / a,
    "true_divide": lambda a, b: np.true_divide(a, b),
    "power": lambda a, b: np.power(a, 2),
    "negative": lambda a, b: np.negative(a),
    "absolute": lambda a, b: np.absolute(a),
    "exp": lambda a, b: np.exp(a),
    "log": lambda a, b: np.log(a * a),
    "sqrt": lambda a, b: np.sqrt(a * a + 1),
    "tanh": lambda a, b: np.tanh(a),
    "sin": lambda a, b: np.sin(a),
    "matmul": lambda a, b: A.T @ b,
    "arctan2": lambda a, b: np.arctan2(a, b),
    "maximum": lambda a, b: np.maximum(a, B),
    "floor_divide": lambda a, b: a // b,
    "remainder": lambda a, b: np.remainder(a, b),
    "rint": lambda a, b: np.rint(a),
    "log1p": lambda a, b: np.log1p(a * a),
    "isfinite": lambda a, b: np.isfinite(a),
    "logical_and": lambda a, b: np.logical_and(a > 0, b > 0),
    "invert": lambda a, b: ~(a > 0),
    "left_shift": lambda a, b: np.left_shift(np.argsort(a), 2),
    "arcsinh": lambda a, b: np.arcsinh(a),
    "degrees": lambda a, b: np.degrees(a),
    "logaddexp": lambda a, b: np.logaddexp(a, b),
    "equal": lambda a, b: np.equal(a, B),
    "less": lambda a, b: np.less(B, a),
    "floor": lambda a, b: np.floor(a),
    "0-d array": lambda a, b: np.array(2.0) * a,
    "numpy scalar": lambda a, b: np.float64(2.0) * a,
}
RECORDED = {f"function {i}": call for i, call in enumerate(CALLS)} | {f"ufunc {name}": call for name, call in UFUNCS.items()}


@pytest.mark.parametrize("name", RECORDED)
def test_numpy_records_and_gives_what_numpy_gives(name: str) -> None:
    call = RECORDED[name]
    expected = call(A, B)
    a, b = leaf(A), leaf(B)
    with tn.Tape() as tape:
        found = call(a, b)
    assert isinstance(found, tn.Tensor)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)
    if found.requires_grad:
        a.detach().numpy()[...] += 0.01
        np.testing.assert_allclose(tape.replay(found)[0], call(A + 0.01, B), rtol=1e-12)


FLOWING = {name: call for name, call in RECORDED.items() if call(leaf(A), leaf(B)).requires_grad}


@pytest.mark.parametrize("name", FLOWING)
def test_gradients_flow_through_numpy(name: str) -> None:
    assert tn.autograd.gradcheck(lambda a, b: FLOWING[name](a, b) + 0 * (a.sum() + b.sum()), (leaf(A), leaf(B)))


def test_every_function_has_a_call() -> None:
    seen: set[Any] = set()
    original = tn.Tensor.__array_function__

    def note(self: Any, function: Any, *rest: Any) -> Any:
        seen.add(function)
        return original(self, function, *rest)

    tn.Tensor.__array_function__ = note  # type: ignore[method-assign]
    try:
        for call in CALLS:
            call(leaf(A), leaf(B))
    finally:
        tn.Tensor.__array_function__ = original  # type: ignore[method-assign]
    assert set(FUNCTIONS) - seen == {np.allclose, np.amin, np.array_equal, np.ndim, np.shape, np.size}
    assert np.allclose(leaf(A), A + 1e-9)
    assert not np.allclose(A, leaf(B))
    assert np.array_equal(leaf(A), A)
    assert not np.array_equal(leaf(A), leaf(A[0]))
    assert (np.shape(leaf(A)), np.ndim(leaf(A)), np.size(leaf(A)), np.size(leaf(A), 1)) == ((2, 3), 2, 6, 3)


t, w = tn.ones(2, 3), tn.ones(2, 3, requires_grad=True)
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "unknown ufunc": (lambda: np.spacing(t), r"^np\.spacing does not record.*t\.detach\(\)\.numpy\(\)"),
    "two results": (lambda: np.modf(t), r"^np\.modf does not record"),
    "reduce": (lambda: np.add.reduce(t), r"^np\.add\.reduce does not record"),
    "accumulate": (lambda: np.add.accumulate(t), r"^np\.add\.accumulate"),
    "outer": (lambda: np.multiply.outer(t, t), r"^np\.multiply\.outer"),
    "at": (lambda: np.add.at(np.zeros(3), [0], t[0]), r"^np\.add\.at"),
    "at a Tensor": (lambda: np.add.at(t, 0, 1.0), r"^np\.add\.at"),
    "out array": (lambda: np.exp(t, out=np.zeros((2, 3))), r"^np\.exp with out .*an array cannot take a result with its gradient"),
    "out Tensor": (lambda: np.exp(np.zeros((2, 3)), out=t), r"^np\.exp with out"),
    "dtype": (lambda: np.add(t, 1, dtype=np.float64), r"^np\.add with dtype"),
    "where": (lambda: np.add(t, 1, where=np.array(True)), r"^np\.add with where"),
    "where is a Tensor": (lambda: np.add(np.ones((2, 3)), 1, where=t > 0), r"^np\.add with where"),
    "a ufunc of the user": (lambda: np.frompyfunc(lambda x: x, 1, 1)(t), r"does not record"),
    "unknown function": (lambda: np.median(w), r"^np\.median has no counterpart that records.*t\.detach\(\)\.numpy\(\)"),
    "of a module": (lambda: np.fft.fft(w), r"^np\.fft\.fft has no counterpart"),
    "linalg": (lambda: np.linalg.svd(w), r"^np\.linalg\.svd has no counterpart"),
    "deep in the arguments": (lambda: np.hsplit(ary=w, indices_or_sections=3), r"^np\.hsplit has no counterpart"),
    "in a list": (lambda: np.block([[w, w]]), r"^np\.block has no counterpart"),
    "written": (lambda: np.copyto(w, 1.0), r"^np\.copyto has no counterpart"),
    "function out": (lambda: np.sum(t, out=np.zeros(())), r"^np\.sum: got an unexpected keyword argument 'out'; with Tensors it "),
    "function dtype": (lambda: np.sum(t, dtype=float), r"unexpected keyword argument 'dtype'.*it takes a, axis, keepdims"),
    "function where": (lambda: np.mean(t, where=True), r"unexpected keyword argument 'where'"),
    "a Tensor elsewhere": (lambda: np.sum(np.ones(2), out=t), r"^np\.sum: got an unexpected keyword"),
    "where alone": (lambda: np.where(t > 0), r"^np\.where: missing a required argument: 'x'"),
    "too many": (lambda: np.transpose(t, (0, 1), 3), r"transpose"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_recorded_raises(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(TypeError, match=message):
        call()


def test_what_has_nothing_to_lose_is_an_array_to_other_functions() -> None:
    x = tn.tensor(A)
    assert np.median(x) == np.median(A)
    np.testing.assert_array_equal(np.block([[x, x]]), np.block([[A, A]]))
    with pytest.raises(ValueError, match="read-only"):
        np.copyto(x, 1.0)  # backward would not know
    np.testing.assert_array_equal(x.numpy(), A)
    with tn.Tape():
        assert np.median(x) == np.median(A)
        with pytest.raises(TypeError, match=r"^np\.median has no counterpart"):
            np.median(x * 2)


def test_matplotlib_draws_tensors() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    x, y = tn.arange(5), tn.rand(5)
    figure, axes = plt.subplots()
    (line,) = axes.plot(x, y)
    np.testing.assert_array_equal(line.get_ydata(), y.numpy())
    bars = axes.bar(x, y)
    np.testing.assert_allclose([bar.get_height() for bar in bars], y.numpy())
    axes.scatter(x, y)
    axes.imshow(tn.rand(3, 4))
    plt.close(figure)


def test_an_array_is_not_written_with_a_result_that_has_a_gradient() -> None:
    array = np.ones(3)
    with pytest.raises(TypeError, match=r"^np\.add with out .*write x = x \+ t instead of x \+= t"):
        array += leaf(np.ones(3))
    with pytest.raises(RuntimeError, match=r"t\.detach\(\)\.numpy\(\)"):
        array[:] = leaf(np.ones(3))
    with pytest.raises(RuntimeError, match=r"requires grad"):
        np.array([leaf(np.ones(3)), leaf(np.ones(3))])
    np.testing.assert_array_equal(array, 1)


def test_other_types_have_their_say() -> None:
    class Foreign:
        def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> str:
            return f"foreign {function.__name__}"

    assert np.concatenate([t, Foreign()]) == "foreign concatenate"  # type: ignore[list-item]


# ---- arrays ----


def test_asarray_shares_memory_and_refuses_what_would_be_lost() -> None:
    x = tn.tensor([1.0, 2.0])
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert np.asarray(x, np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(x), x.numpy())
    with pytest.raises(RuntimeError, match=r"requires grad"):
        np.asarray(leaf(A))
    with tn.no_grad():
        with pytest.raises(RuntimeError, match=r"requires grad"):
            np.asarray(leaf(A))
        assert np.asarray(leaf(A) * 2).shape == (2, 3)


def test_what_a_tape_recorded_is_no_array() -> None:
    x = tn.tensor([1.0, 2.0])
    with tn.Tape():
        y = x * 2
        for _ in range(2):
            assert np.asarray(x).shape == (2,)  # data from outside is what it is
            assert np.asarray(tn.zeros(2)).shape == (2,)
            with pytest.raises(RuntimeError, match=r"np\.asarray: Tensor f32\[2\] was computed under a Tape.*t\.numpy\(\)"):
                np.asarray(y)
            with pytest.raises(BufferError, match=r"was computed under a Tape"):
                np.from_dlpack(y)
            assert y.numpy().tolist() == y.tolist() == [2.0, 4.0]  # asked for by name
            assert y.sum().item() == 6.0
        with tn.Tape(), pytest.raises(RuntimeError, match=r"was computed under a Tape"):
            np.asarray(y)
    assert np.asarray(y).tolist() == [2.0, 4.0]


# ---- DLPack ----


def test_dlpack_with_numpy_shares_memory_both_ways() -> None:
    x = tn.tensor([[1.0, 2.0], [3.0, 4.0]])
    array = np.from_dlpack(x)
    array[0, 0] = 7
    assert x[0, 0].item() == 7
    for source in (A.copy(), A.copy().T, A.copy()[:, ::2], A > 0, np.arange(3), np.zeros((0, 2), np.float32), np.array(2.0)):
        back = tn.from_dlpack(source)
        assert (back.dtype, back.shape) == (source.dtype, source.shape)
        assert back.numpy().strides == source.strides or not source.size
        assert np.shares_memory(back.numpy(), source) or not source.size
        np.testing.assert_array_equal(back.numpy(), source)
        np.testing.assert_array_equal(np.from_dlpack(back), source)
    assert tn.from_dlpack(x).numpy().base is not None
    assert np.shares_memory(tn.from_dlpack(x).numpy(), x.numpy())
    assert not np.shares_memory(tn.from_dlpack(x, copy=True).numpy(), x.numpy())
    assert x.__dlpack_device__() == (1, 0)


def test_dlpack_refuses() -> None:
    x = tn.tensor([1.0, 2.0])
    with pytest.raises(BufferError, match=r"__dlpack__: Tensor f64\[2,3\] requires grad; export t\.detach\(\)"):
        np.from_dlpack(leaf(A))
    assert np.from_dlpack(leaf(A).detach()).shape == (2, 3)
    flipped = tn.from_numpy(A[:, ::-1])
    with pytest.raises(BufferError, match=r"runs backward in memory \(flipped\).*export a clone\(\)"):
        np.from_dlpack(flipped)
    np.testing.assert_array_equal(np.from_dlpack(flipped, copy=True), A[:, ::-1])
    np.testing.assert_array_equal(np.from_dlpack(flipped.clone()), A[:, ::-1])
    with pytest.raises(BufferError, match="readonly"):
        x.expand(3, 2).__dlpack__()  # an old consumer, which cannot be told
    assert not np.from_dlpack(x.expand(3, 2)).flags.writeable
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError, match=r"from_dlpack: a list does not speak DLPack; tn\.tensor copies"):
        tn.from_dlpack([1.0])
    with pytest.raises(RuntimeError, match=r"dtype complex128 is not supported"):
        tn.from_dlpack(A + 1j)
    read_only = A.copy()
    read_only.flags.writeable = False
    with pytest.raises(RuntimeError, match=r"read-only"):
        tn.from_dlpack(read_only).zero_()


@pytest.mark.torch
def test_dlpack_with_torch_shares_memory_both_ways() -> None:
    torch = pytest.importorskip("torch")
    x = tn.tensor(A)
    theirs = torch.from_dlpack(x)
    theirs[0, 0] = 7
    assert x[0, 0].item() == 7
    x[1, 1] = 8.0
    assert theirs[1, 1].item() == 8
    for source in (theirs, theirs.T, theirs[:, ::2], theirs > 0, torch.arange(3), torch.zeros(0, 2), torch.tensor(2.0)):
        ours = tn.from_dlpack(source)
        np.testing.assert_array_equal(ours.numpy(), source.numpy())
        assert np.shares_memory(ours.numpy(), source.numpy()) or not source.numel()
        back = torch.from_dlpack(ours)
        assert torch.equal(back, source)
        assert back.dtype == source.dtype
        assert back.data_ptr() == source.data_ptr() or not source.numel()
    ours = tn.from_dlpack(theirs)
    ours.mul_(0.0)
    assert not theirs.any()
    assert torch.from_dlpack(tn.ones(2).expand(3, 2)).shape == (3, 2)
    with pytest.raises(BufferError) as theirs_says:
        torch.from_dlpack(torch.ones(2, requires_grad=True))
    with pytest.raises(type(theirs_says.value), match=r"requires grad; export"):
        torch.from_dlpack(tn.ones(2, requires_grad=True))
    with pytest.raises(BufferError, match=r"requires? grad"):
        tn.from_dlpack(torch.ones(2, requires_grad=True))
    with pytest.raises(RuntimeError, match=r"^from_dlpack: .*convert it first"):
        tn.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(RuntimeError, match=r"dtype float16 is not supported"):
        tn.from_dlpack(torch.ones(2, dtype=torch.float16))


# ---- einops ----

einops: Any = pytest.importorskip("einops")
C = np.arange(24.0).reshape(2, 3, 4) / 10 + 0.1
EINOPS: dict[str, Callable[[Any], Any]] = {
    "rearrange": lambda x: einops.rearrange(x, "a b c -> c (b a)"),
    "split": lambda x: einops.rearrange(x, "a b (c d) -> (a c) b d", d=2),
    "list": lambda x: einops.rearrange([x[0], x[1]], "a b c -> b c a"),
    "new axis": lambda x: einops.rearrange(x, "a b c -> a 1 b c ()"),
    "sum": lambda x: einops.reduce(x, "a b c -> b", "sum"),
    "mean": lambda x: einops.reduce(x, "a b (c d) -> a b c 1", "mean", d=2),
    "max": lambda x: einops.reduce(x, "a b c -> b c", "max"),
    "min": lambda x: einops.reduce(x, "a b c -> () b ()", "min"),
    "function": lambda x: einops.reduce(x, "a b c -> a", lambda y, axes: y.sum(axes) * 2),
    "repeat": lambda x: einops.repeat(x, "a b c -> a (b 2) c"),
    "repeat an axis": lambda x: einops.repeat(x, "a b c -> a r b c", r=3),
    "pack": lambda x: einops.pack([x, x[:, 0]], "a * c")[0],
    "einsum": lambda x: einops.einsum(x, x[0] * 0 + 1.0, "a b c, b c -> a"),
    "unpack": lambda x: einops.unpack(x, [(3,), ()], "a b *")[0],
}


@pytest.mark.parametrize("name", EINOPS)
def test_einops_gives_what_it_gives_of_arrays_and_gradients_flow(name: str) -> None:
    x = leaf(C)
    with tn.Tape() as tape:
        found = EINOPS[name](x)
    expected = EINOPS[name](C)
    assert isinstance(found, tn.Tensor)
    assert found.requires_grad
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)
    assert tn.autograd.gradcheck(EINOPS[name], (x,))
    x.detach().numpy()[...] *= 2
    np.testing.assert_allclose(tape.replay(found)[0], 2 * expected, rtol=1e-12)


def test_einops_of_other_things() -> None:
    assert einops.parse_shape(leaf(C), "a _ c") == {"a": 2, "c": 4}
    assert isinstance(einops.asnumpy(leaf(C)), np.ndarray)
    assert einops.reduce(tn.tensor([[True, False]]), "a b -> a", "any").tolist() == [True]
    with pytest.raises(NotImplementedError, match="reduce_mean is not available for non-floating"):
        einops.reduce(tn.arange(4), "a -> ", "mean")


ORDERS = {
    "before": "import einops, tinygrad_notes as tn",
    "after": "import tinygrad_notes as tn; before = list(sys.meta_path); import einops; assert len(sys.meta_path) == len(before) - 1",
    "long after": "import tinygrad_notes as tn; t = tn.ones(2, 3); from einops import rearrange; import einops",
}


@pytest.mark.parametrize("order", ORDERS)
def test_einops_may_be_imported_before_or_after(order: str) -> None:
    code = f"import sys; {ORDERS[order]}; assert einops.rearrange(tn.ones(2, 3), 'a b -> (b a)').shape == (6,)"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_einops_is_not_imported_by_us() -> None:
    code = "import sys, tinygrad_notes as tn; tn.ones(2).sum(); assert 'einops' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
