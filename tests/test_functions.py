"""Every sample call of every public function, without torch: derivatives by central differences, inputs untouched, replay."""

from __future__ import annotations

import numpy as np
import pytest
from functioncheck import SAMPLES, flowing, here, ids, parts
from samples import Sample

import tinygrad_notes as tn

SMOOTH = [s for s in SAMPLES if s.orders]


@pytest.mark.parametrize("sample", SMOOTH, ids=ids(SMOOTH))
def test_gradients(sample: Sample) -> None:
    inputs = here(sample, np.float64)

    def call(*xs: tn.Tensor) -> tuple[tn.Tensor, ...]:
        return tuple(flowing(sample.call(tn, *xs)))

    assert call(*inputs), "nothing of the result requires grad"
    assert tn.autograd.gradcheck(call, inputs, atol=1e-6, rtol=1e-6)
    if sample.orders > 1:
        assert tn.autograd.gradgradcheck(call, inputs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sample", SAMPLES, ids=ids(SAMPLES))
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
def test_inputs_are_untouched_and_gradients_keep_the_dtype(sample: Sample, dtype: type) -> None:
    inputs = here(sample, dtype)
    before = [x.detach().numpy().copy() for x in inputs]
    result = sample.call(tn, *inputs)
    for part in flowing(result):
        part.sum().backward(retain_graph=True)
    for x, old in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(x.detach().numpy(), old)
        if x.grad is not None:
            assert (x.grad.dtype, x.grad.shape) == (x.dtype, x.shape)


REPLAYED = [s for s in SAMPLES if s.replays]


@pytest.mark.parametrize("sample", REPLAYED, ids=ids(REPLAYED))
def test_replay(sample: Sample) -> None:
    """What a function computes is on the tape, all of it: a replay on changed inputs gives what a fresh call gives."""
    inputs = [x.detach() for x in here(sample, np.float64)]
    with tn.Tape() as tape:
        result = sample.call(tn, *inputs)
    for x in inputs:
        if x.dtype.kind == "f":
            x.numpy()[...] = x.numpy()[::-1].copy() * 0.5 + 0.1 if x.ndim else x.numpy() * 0.5 + 0.1
    values = tape.replay(*parts(result))
    for value, fresh in zip(values, parts(sample.call(tn, *inputs)), strict=True):
        np.testing.assert_array_equal(value, fresh.detach().numpy())
