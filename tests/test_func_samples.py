"""``vmap`` of every public function: each sample call for all examples at once is the stack of single calls, or it raises."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from functioncheck import SAMPLES, flowing, parts
from samples import Sample

import tinygrad_notes as tn
from tinygrad_notes.errors import BatchingError
from tinygrad_notes.tensor import from_array

SHAPES, PLACES = "the shape of the result would depend on the values", "places or counts are found from the values"
UNMAPPED: dict[str, str] = {
    **dict.fromkeys(("nonzero", "argwhere", "unique", "unique_consecutive", "bincount", "histc", "masked_select"), SHAPES),
    **dict.fromkeys(("repeat_interleave", "Tensor.__getitem__", "nn.functional.one_hot"), SHAPES),
    **dict.fromkeys(("Tensor.__setitem__", "index_put", "masked_scatter"), PLACES),
    **dict.fromkeys(("allclose", "equal"), "the result is a Python bool"),
    "asarray": "requires_grad_ inside",
}
"""Functions of which some call raises under ``vmap``, and why. Nothing may be wrong instead."""
AS_MEANT = ("a random operation is ambiguous here", "is one for all examples of vmap, the value")
"""What any function may refuse: a draw without ``randomness``, and writing examples into what they share (statistics)."""
B = 3

by_name: dict[str, list[Sample]] = defaultdict(list)
for sample in SAMPLES:
    if sample.inputs:
        by_name[sample.name].append(sample)


@pytest.mark.parametrize("name", sorted(by_name))
def test_functions(name: str) -> None:
    refused = []
    for sample in by_name[name]:
        each = [[given.array(np.float64, seed + 10 * k) for seed, given in enumerate(sample.inputs)] for k in range(B)]
        stacked = tensors(sample, [np.stack(arrays) for arrays in zip(*each, strict=True)])
        try:
            found = tn.func.vmap(lambda *xs, call=sample.call: tuple(parts(call(tn, *xs))))(*stacked)
        except BatchingError as error:
            refused.append(str(error))
            continue
        alone = [tensors(sample, arrays) for arrays in each]
        results = [parts(sample.call(tn, *inputs)) for inputs in alone]
        assert len(found) == len(results[0])
        for out, *singles in zip(found, *results, strict=True):
            same(out, singles)
        total = out_of(found)
        if total is not None:
            g = tn.autograd.grad(total, flowing(stacked), allow_unused=True)
            single = [
                tn.autograd.grad(out_of(result), flowing(inputs), allow_unused=True)
                for result, inputs in zip(results, alone, strict=True)
            ]
            for whole, *own in zip(g, *single, strict=True):
                if whole is None or any(h is None for h in own):
                    assert whole is None or not whole.numpy().any()
                else:
                    same(whole, own)
    assert name in UNMAPPED or all(any(known in why for known in AS_MEANT) for why in refused), refused


def tensors(sample: Sample, arrays: list[np.ndarray]) -> list[tn.Tensor]:
    found = [from_array(np.array(a)) for a in arrays]
    return [x.requires_grad_() if x.dtype.kind == "f" and sample.orders else x for x in found]


def out_of(results: list[tn.Tensor]) -> tn.Tensor | None:
    """One number that depends on every value through which a gradient flows."""
    smooth = [(part * part + part).sum() for part in flowing(results)]
    return sum(smooth[1:], smooth[0]) if smooth else None


def same(out: tn.Tensor, singles: list[tn.Tensor]) -> None:
    wanted = np.stack([single.detach().numpy() for single in singles])
    assert (out.dtype, out.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_allclose(out.detach().numpy(), wanted, rtol=1e-10, atol=1e-11)
