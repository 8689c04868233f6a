"""Convolution and pooling: errors, edges, what the samples do not reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn

F = nn.functional


def _x(*shape: int, dtype: Any = np.float64) -> tn.Tensor:
    return tn.tensor(np.random.default_rng(len(shape)).standard_normal(shape).astype(dtype))


BAD: dict[str, tuple[Any, str]] = {
    "channels": (lambda m, x: m.nn.functional.conv2d(x(1, 3, 4, 4), x(2, 2, 2, 2)), "the input .* has 3 channels"),
    "groups": (lambda m, x: m.nn.functional.conv1d(x(1, 4, 4), x(3, 2, 2), groups=2), "must divide its 3 outputs"),
    "axes": (lambda m, x: m.nn.functional.conv2d(x(1, 4), x(2, 2, 2, 2)), r"needs \(N, C, H, W\)"),
    "weight": (lambda m, x: m.nn.functional.conv1d(x(1, 4, 4), x(2, 2)), "the weight must be"),
    "bias": (lambda m, x: m.nn.functional.conv1d(x(1, 2, 4), x(3, 2, 2), x(2)), r"the bias must be \(3,\)"),
    "window": (lambda m, x: m.nn.functional.conv1d(x(1, 2, 4), x(3, 2, 3), dilation=2), "does not fit into Tensor"),
    "stride 0": (lambda m, x: m.nn.functional.conv1d(x(1, 2, 4), x(3, 2, 3), stride=0), "stride=0 must be at least 1"),
    "negative padding": (lambda m, x: m.nn.functional.conv1d(x(1, 2, 4), x(3, 2, 3), padding=-1), "padding=-1"),
    "two strides": (lambda m, x: m.nn.functional.conv1d(x(1, 2, 4), x(3, 2, 3), stride=(1, 2)), "one for each of 1 axes"),
    "same, strided": (lambda m, x: m.nn.functional.conv1d(x(1, 2, 4), x(3, 2, 3), stride=2, padding="same"), "stride 1 only"),
    "a word": (lambda m, x: m.nn.functional.conv1d(x(1, 2, 4), x(3, 2, 3), padding="full"), "'valid' or 'same'"),
    "transposed channels": (lambda m, x: m.nn.functional.conv_transpose1d(x(1, 3, 4), x(2, 2, 3)), "has 3 channels"),
    "output_padding": (
        lambda m, x: m.nn.functional.conv_transpose1d(x(1, 2, 4), x(2, 2, 3), output_padding=1),
        "must be below",
    ),
    "cut away": (lambda m, x: m.nn.functional.conv_transpose1d(x(1, 2, 1), x(2, 2, 3), padding=2), "would have the lengths"),
    "dtypes": (lambda m, x: m.nn.functional.conv1d(x(1, 2, 4), x(3, 2, 3).float()), "need one dtype"),
    "fold": (lambda m, x: m.nn.functional.fold(x(1, 8, 5), (3, 3), 2), r"must be \(N, C \* 4, 4\)"),
    "pool window": (lambda m, x: m.nn.functional.max_pool2d(x(1, 2, 2, 2), 3), "does not fit into Tensor"),
    "pool padding": (lambda m, x: m.nn.functional.avg_pool1d(x(1, 2, 4), 2, padding=2), "at most half of the window"),
    "divisor": (lambda m, x: m.nn.functional.avg_pool2d(x(1, 2, 4, 4), 2, divisor_override=0), "must not be 0"),
    "adaptive size": (lambda m, x: m.nn.functional.adaptive_avg_pool2d(x(1, 2, 4, 4), (2, 2, 2)), "output_size="),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD.keys())
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        call(tn, _x)


@pytest.mark.torch
@pytest.mark.parametrize("call", [call for call, _ in BAD.values()], ids=BAD.keys())
def test_errors_are_errors_in_torch(call: Any) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises((RuntimeError, ValueError)):
        call(torch, lambda *shape: torch.ones(*shape, dtype=torch.float64))


def test_integers_are_refused() -> None:
    with pytest.raises(RuntimeError, match="not floating-point"):
        F.conv1d(tn.ones(1, 1, 3, dtype="int64"), tn.ones(1, 1, 2, dtype="int64"))


def test_modules_refuse_groups_and_padding() -> None:
    with pytest.raises(ValueError, match="groups=2 must divide both 3 and 4"):
        nn.Conv2d(3, 4, 2, groups=2)
    with pytest.raises(ValueError, match="with stride 1, 'same'"):
        nn.Conv1d(2, 2, 2, stride=2, padding="same")
    with pytest.raises(ValueError, match="padding_mode must be"):
        nn.Conv1d(2, 2, 2, padding_mode="mirror")
    with pytest.raises(ValueError, match=r"output_size=.* must be"):
        nn.ConvTranspose1d(2, 2, 2, stride=2)(_x(1, 2, 3, dtype=np.float32), output_size=[9])


def test_pooling_of_minus_infinity() -> None:
    """A window that holds nothing else gives its first place outside of the padding."""
    values, places = F.max_pool2d(tn.full((1, 2, 2), -np.inf), 2, 1, 1, return_indices=True)
    assert (values.numpy() == -np.inf).all()
    np.testing.assert_array_equal(places.numpy(), [[[0, 0, 1], [0, 0, 1], [2, 2, 3]]])
    assert np.isnan(F.max_pool1d(tn.tensor([[1.0, np.nan, 2.0, 3.0]]), 2).numpy()).tolist() == [[True, False]]


def test_convolution_is_the_sum_that_its_formula_says() -> None:
    x, w, b = _x(2, 4, 5, 6), _x(6, 2, 2, 3), _x(6)
    out = F.conv2d(x, w, b, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2).numpy()
    wide = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (0, 0)))
    for n, o, i, j in np.ndindex(*out.shape):
        group = slice(0, 2) if o < 3 else slice(2, 4)
        window = wide[n, group, 2 * i : 2 * i + 2, j : j + 5 : 2]
        assert abs((window * w.numpy()[o]).sum() + b.numpy()[o] - out[n, o, i, j]) < 1e-12


def test_transposed_convolution_is_the_transpose() -> None:
    """``<conv(x), y> = <x, conv_transpose(y)>``."""
    x, w = _x(2, 4, 6, 5), _x(6, 2, 3, 2)
    settings: dict[str, Any] = {"stride": 2, "padding": 1, "groups": 2}
    y = _x(*F.conv2d(x, w, **settings).shape)
    back = F.conv_transpose2d(y, w, output_padding=(1, 1), **settings)
    assert back.shape == x.shape
    assert (F.conv2d(x, w, **settings) * y).sum().item() == pytest.approx((x * back).sum().item(), rel=1e-12)


def test_large_arrays_are_the_same_as_small_ones() -> None:
    """Compiled loops take over from some size on; every example alone is below it."""
    for dtype, tolerance in ((np.float32, 1e-5), (np.float64, 1e-12)):
        x = _x(24, 6, 14, 14, dtype=dtype).requires_grad_()
        w = _x(5, 6, 3, 3, dtype=dtype)

        def both(x: tn.Tensor, w: tn.Tensor = w) -> tn.Tensor:
            return F.max_pool2d(F.conv2d(x, w, stride=(1, 2), padding=1, dilation=(1, 2)).relu(), (3, 2), 2, 1)

        whole = both(x)
        whole.square().sum().backward()
        assert x.grad is not None
        for n in range(24):
            part = x.detach()[n : n + 1].requires_grad_()
            out = both(part)
            np.testing.assert_allclose(out.detach().numpy()[0], whole.detach().numpy()[n], rtol=tolerance, atol=tolerance)
            out.square().sum().backward()
            assert part.grad is not None
            np.testing.assert_allclose(part.grad.numpy()[0], x.grad.numpy()[n], rtol=tolerance, atol=50 * tolerance)
