"""LSTM and cross-entropy against torch: weights loaded, outputs and gradients compared."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn

pytestmark = pytest.mark.torch

SHAPES = {
    "one layer": {},
    "stacked": {"num_layers": 3},
    "bidirectional": {"num_layers": 2, "bidirectional": True},
    "batch first": {"batch_first": True},
    "no bias": {"bias": False},
}
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("options", SHAPES.values(), ids=SHAPES.keys())
def test_lstm_with_torchs_weights(options: dict, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = torch.nn.LSTM(5, 8, **options).to(getattr(torch, dtype))
    ours = nn.LSTM(5, 8, **options, dtype=dtype)
    ours.load_state_dict({name: tn.from_numpy(value.detach().numpy()) for name, value in theirs.state_dict().items()})

    rng = np.random.default_rng(1)
    directions = 2 if options.get("bidirectional") else 1
    layers = options.get("num_layers", 1) * directions
    x = rng.normal(size=(4, 3, 5)).astype(dtype)
    batch = 4 if options.get("batch_first") else 3
    h, c = (rng.normal(size=(layers, batch, 8)).astype(dtype) for _ in range(2))
    weights = rng.normal(size=(4, 3, 8 * directions)).astype(dtype)

    def run(lib, lstm):
        tensors = [lib.from_numpy(a.copy()).requires_grad_() for a in (x, h, c)]
        out, (h_n, c_n) = lstm(tensors[0], (tensors[1], tensors[2]))
        loss = (out * lib.from_numpy(weights)).sum() + (h_n * c_n).sum()
        loss.backward()
        named = dict(lstm.named_parameters())
        return [out, h_n, c_n], [*(t.grad for t in tensors), *(named[n].grad for n in sorted(named))]

    (outs, grads), (outs_t, grads_t) = run(tn, ours), run(torch, theirs)
    assert sorted(dict(ours.named_parameters())) == sorted(dict(theirs.named_parameters()))
    for a, b in zip([*outs, *grads], [*outs_t, *grads_t], strict=True):
        a, b = a.detach().numpy(), b.detach().numpy()
        assert a.dtype == b.dtype
        assert np.max(np.abs(a - b)) <= TOLERANCE[dtype] * max(1.0, np.max(np.abs(b)))


def test_the_cell() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.nn.LSTMCell(3, 4).double()
    ours = nn.LSTMCell(3, 4, dtype="float64")
    ours.load_state_dict({name: tn.from_numpy(value.detach().numpy()) for name, value in theirs.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(2, 3))
    for a, b in zip(ours(tn.from_numpy(x)), theirs(torch.from_numpy(x)), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 5, 3), (2, 5, 3, 2)])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy(reduction: str, shape: tuple, soft: bool, weighted: bool, smoothing: float) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    classes = 5
    label_shape = () if len(shape) == 1 else (shape[0], *shape[2:])
    y = rng.dirichlet(np.ones(classes), label_shape) if soft else rng.integers(0, classes, label_shape)
    if soft:
        y = np.moveaxis(y, -1, 0 if len(shape) == 1 else 1).copy()
    w = rng.uniform(0.5, 2, classes) if weighted else None

    def run(lib):
        a = lib.from_numpy(x.copy()).requires_grad_()
        function = nn.functional.cross_entropy if lib is tn else torch.nn.functional.cross_entropy
        loss = function(
            a, lib.from_numpy(np.asarray(y)), weight=None if w is None else lib.from_numpy(w), reduction=reduction,
            label_smoothing=smoothing, **({} if soft else {"ignore_index": 2}),
        )  # fmt: skip
        if not (reduction == "mean" and not soft and label_shape == () and int(y) == 2):
            loss.sum().backward()
        return loss.detach().numpy(), a.grad

    (loss, grad), (loss_t, grad_t) = run(tn), run(torch)
    assert loss.shape == loss_t.shape
    np.testing.assert_allclose(loss, loss_t, atol=1e-12)
    if grad is not None:
        np.testing.assert_allclose(grad.numpy(), grad_t.numpy(), atol=1e-12)
