"""RNN, GRU and LSTM: packed sequences, replay, derivatives, errors; and everything beside torch with its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn.utils import rnn

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "RNN": ("RNN", {}), "relu": ("RNN", {"nonlinearity": "relu"}), "GRU": ("GRU", {}), "LSTM": ("LSTM", {}),
}  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {
    "one layer": {}, "stacked": {"num_layers": 3, "dropout": 0.0}, "bidirectional": {"num_layers": 2, "bidirectional": True},
    "batch first": {"batch_first": True}, "no bias": {"bias": False, "bidirectional": True},
}  # fmt: skip
LENGTHS = {"falling": [4, 3, 3, 1], "any order": [1, 4, 2, 4], "equal": [3, 3, 3, 3]}


def _drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def _states(name: str, lib: Any, arrays: list[Any]) -> Any:
    return tuple(arrays) if name == "LSTM" else arrays[0]


# ---- beside torch ----


def _pair(name: str, settings: dict[str, Any]) -> tuple[Any, Any, Any]:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(3, 4, **settings).double()
    ours = getattr(nn, name)(3, 4, **settings, dtype="float64")
    ours.load_state_dict({key: tn.from_numpy(value.detach().numpy()) for key, value in theirs.state_dict().items()})
    assert repr(ours).split("  #")[0] == repr(theirs)
    return torch, ours, theirs


def _close(ours: list[Any], theirs: list[Any]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.torch
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("lengths", [None, *LENGTHS.values()], ids=["whole", *LENGTHS])
@pytest.mark.parametrize("given", [False, True], ids=["from 0", "from a state"])
def test_with_torchs_weights(kind: Any, options: dict[str, Any], lengths: Any, given: bool) -> None:
    name, settings = kind
    torch, ours, theirs = _pair(name, {**settings, **options})
    batch_first = options.get("batch_first", False)
    rows = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)

    def run(lib: Any, layer: Any) -> tuple[list[Any], list[Any]]:
        x = lib.from_numpy(_drawn(*((4, 5, 3) if batch_first else (5, 4, 3)))).requires_grad_()
        states = [lib.from_numpy(_drawn(rows, 4, 4, seed=s)).requires_grad_() for s in (1, 2)]
        hx = _states(name, lib, states) if given else None
        if lengths is None:
            out, last = layer(x, hx)
            extra = []
        else:
            pack = lib.nn.utils.rnn
            packed = pack.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=lengths != LENGTHS["any order"])
            packed_out, last = layer(packed, hx)
            out, found = pack.pad_packed_sequence(packed_out, batch_first, padding_value=0.5, total_length=6)
            extra = [packed_out.data, packed_out.batch_sizes, found]
        ends = list(last) if name == "LSTM" else [last]
        ((out * out).sum() + sum((end * end * end).sum() for end in ends)).backward()
        used = states[: len(ends)] if given else []
        return [out, *ends, *extra], [x.grad, *(s.grad for s in used), *(p.grad for p in layer.parameters())]

    mine, his = run(tn, ours), run(torch, theirs)
    _close(mine[0], his[0])
    _close(mine[1], his[1])


@pytest.mark.torch
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_cells_with_torchs_weights(kind: Any, bias: bool) -> None:
    name, settings = kind
    torch, ours, theirs = _pair(name + "Cell", {**settings, "bias": bias})
    for shape in ((2,), ()):
        for given in (False, True):
            results = []
            for lib, cell in ((tn, ours), (torch, theirs)):
                x = lib.from_numpy(_drawn(*shape, 3)).requires_grad_()
                states = [lib.from_numpy(_drawn(*shape, 4, seed=s)) for s in (1, 2)]
                out = cell(x, _states(name, lib, states) if given else None)
                found = list(out) if isinstance(out, tuple) else [out]
                cell.zero_grad()
                sum((part * part).sum() for part in found).backward()
                results.append([*found, x.grad, *(p.grad for p in cell.parameters())])
            _close(*results)


@pytest.mark.torch
def test_packing_like_torch() -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tn, torch):
        pack = lib.nn.utils.rnn
        parts = [lib.from_numpy(_drawn(n, 2, seed=n)) for n in (2, 4, 1)]
        packed = pack.pack_sequence(parts, enforce_sorted=False)
        found.append([
            pack.pad_sequence(parts), pack.pad_sequence(parts, True, -1.0), pack.pad_sequence(parts, padding_side="left"), *packed,
            *pack.pad_packed_sequence(packed), *pack.pad_packed_sequence(packed, True, 7.0, 5),
            *pack.unpad_sequence(pack.pad_sequence(parts), lib.tensor([2, 4, 1])), pack.pack_sequence(parts[1:]).data,
        ])  # fmt: skip
    _close(*found)
    for a, b in zip(*found, strict=True):
        assert str(a.dtype).removeprefix("torch.") == str(b.dtype).removeprefix("torch.")


# ---- by themselves ----


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_packed_sequences_are_the_same_as_one_by_one(kind: Any) -> None:
    name, settings = kind
    layer = getattr(nn, name)(3, 4, num_layers=2, bidirectional=True, **settings, dtype="float64")
    parts = [tn.from_numpy(_drawn(n, 3, seed=n)) for n in (2, 5, 1, 5)]
    packed, last = layer(rnn.pack_sequence(parts, enforce_sorted=False))
    out, lengths = rnn.pad_packed_sequence(packed)
    assert lengths.tolist() == [2, 5, 1, 5]
    for n, part in enumerate(parts):
        alone, end = layer(part)
        np.testing.assert_allclose(out[: len(part), n].detach().numpy(), alone.detach().numpy(), atol=1e-12)
        assert not out[len(part) :, n].detach().numpy().any()
        for a, b in zip(last if name == "LSTM" else [last], end if name == "LSTM" else [end], strict=True):
            np.testing.assert_allclose(a[:, n].detach().numpy(), b.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_derivatives_and_replay(kind: Any) -> None:
    name, settings = kind
    layer = getattr(nn, name)(2, 2, bidirectional=True, **settings, dtype="float64")
    x = tn.from_numpy(_drawn(3, 2, 2)).requires_grad_()
    parameters = [p.detach().clone().requires_grad_() for p in layer.parameters()]

    def run(x: tn.Tensor, *values: tn.Tensor) -> tn.Tensor:
        named = dict(zip((key for key, _ in layer.named_parameters()), values, strict=True))
        packed = rnn.pack_padded_sequence(x, [3, 2])
        return tn.func.functional_call(layer, named, (packed,))[0].data

    assert tn.autograd.gradcheck(run, [x, *parameters], atol=1e-6)
    assert tn.autograd.gradgradcheck(run, [x, *parameters], atol=1e-5)

    given = tn.from_numpy(_drawn(3, 2, 2))
    with tn.Tape() as tape:
        out, last = layer(given)
    given.numpy()[...] = _drawn(3, 2, 2, seed=9)
    fresh, end = layer(given)
    ends = (last, end) if name == "LSTM" else ((last,), (end,))
    for value, wanted in zip(tape.replay(out, *ends[0]), (fresh, *ends[1]), strict=True):
        np.testing.assert_array_equal(value, wanted.detach().numpy())


def test_dropout_between_layers_only() -> None:
    tn.manual_seed(0)
    layer = nn.GRU(2, 8, num_layers=2, dropout=0.5)
    x = tn.randn(3, 1, 2)
    assert not np.allclose(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())
    single = nn.GRU(2, 8, dropout=0.5)
    np.testing.assert_array_equal(single(x)[0].detach().numpy(), single(x)[0].detach().numpy())


@pytest.mark.parametrize("make", [lambda: nn.LSTM(2, 3, 2, bidirectional=True), lambda: nn.LSTMCell(2, 3)])
def test_forget_bias(make: Any) -> None:
    layer = make()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    assert layer.forget_bias_(1.5) is layer
    for name, value in layer.state_dict().items():
        now, was = value.numpy(), before[name].numpy()
        if name.startswith("bias"):
            assert (now[3:6] == (1.5 if "ih" in name else 0.0)).all()
            now, was = np.delete(now, slice(3, 6)), np.delete(was, slice(3, 6))
        np.testing.assert_array_equal(now, was)
    assert all(p.requires_grad and p.is_leaf for p in layer.parameters())
    with pytest.raises(ValueError, match="no forget bias"):
        nn.LSTM(2, 3, bias=False).forget_bias_()


PACK = rnn.pack_padded_sequence
X = tn.ones(3, 2, 4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.GRU(4, 2)(tn.ones(3, 2, 5)), RuntimeError, r"GRU: needs \(T, N, 4\)"),
        (lambda: nn.GRU(4, 2)(PACK(tn.ones(3, 2, 5), [3, 1])), RuntimeError, r"GRU: needs \(T, N, 4\)"),
        (lambda: nn.GRU(4, 2)(X, tn.ones(1, 3, 2)), RuntimeError, r"the initial h is .*f32\[1,3,2\]"),
        (lambda: nn.LSTM(4, 2)(X, tn.ones(1, 2, 2)), TypeError, "must be h and c"),
        (lambda: nn.RNN(4, 2, nonlinearity="sin"), ValueError, "nonlinearity must be 'tanh' or 'relu'"),
        (lambda: nn.RNNCell(4, 2)(tn.ones(2, 3)), RuntimeError, r"RNNCell: needs \(batch, 4\)"),
        (lambda: nn.GRU(4, 2, dropout=2.0), ValueError, "dropout must lie in"),
        (lambda: PACK(X, [1, 3]), RuntimeError, "must fall"),
        (lambda: PACK(X, [3, 0]), RuntimeError, r"lengths must lie in \[1, 3\]"),
        (lambda: PACK(X, [4, 1]), RuntimeError, r"lengths must lie in \[1, 3\]"),
        (lambda: PACK(X, [3]), RuntimeError, "one length for each sequence"),
        (lambda: rnn.pad_packed_sequence(PACK(X, [3, 1]), total_length=2), ValueError, "total_length=2 is shorter"),
        (lambda: rnn.pad_sequence([]), RuntimeError, "needs sequences"),
        (lambda: rnn.pad_sequence([X, tn.ones(2, 3, 4)]), RuntimeError, "differ in their first axis only"),
        (lambda: rnn.pad_sequence([X], padding_side="top"), RuntimeError, "padding_side must be"),
    ],
)
def test_errors(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
